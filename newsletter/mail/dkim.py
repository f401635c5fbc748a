"""Signatures of our own on what we send: DKIM (RFC 6376) with RSA or Ed25519 (RFC 8463).

    load_signer(domain, keys) -> Signer --sign(message)--> header fields to put first

Headers are signed `relaxed`, the body `simple`: message bodies here have CRLF line ends and no blank lines at their
end, so that they are hashed as they are. The same message has the same signature whenever it is signed `at` one time.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from newsletter.errors import ConfigError, Problem
from newsletter.model import Message

if TYPE_CHECKING:
    from hashlib import _Hash

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

SHORTEST, LONGEST = 1024, 4096  # bits of an RSA key: RFC 8301 section 3.2
USUAL = 2048

# What a reader sees and what a mail program acts on (RFC 6376 section 5.4.1, RFC 8058 section 4).
SIGNED = (
    *("from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"),
    *("list-id", "list-unsubscribe", "list-unsubscribe-post", "list-archive", "list-help", "list-post", "list-owner"),
    *("list-subscribe", "feedback-id"),
)
# Named once more than they occur, so that nobody can add one to a signed mail (RFC 6376 section 8.15).
SEALED = frozenset({"from", "to", "subject", "date", "reply-to", "mime-version", "content-type"})

_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_SPACE = re.compile(rb"[ \t]+")
_COLUMNS = 76
_STRING = 255  # bytes in one string of a TXT record: RFC 1035 section 3.3


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and the selector under which the DNS has its public half. ValueError for a bad selector."""

    selector: str
    private: PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.selector):
            raise ValueError(f"not a selector: {self.selector!r}; it looks like news2026")

    @property
    def algorithm(self) -> str:
        """`rsa` or `ed25519`, as `k=` has it in the DNS."""
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    def sign(self, octets: bytes) -> bytes:
        """The signature (RFC 8017 section 8.2; RFC 8463 section 3: Ed25519 signs the hash)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(octets, PKCS1v15(), hashes.SHA256())
        return self.private.sign(hashlib.sha256(octets).digest())

    def record(self) -> str:
        """The text of the TXT record (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
        public = self.private.public_key()
        if self.algorithm == "rsa":
            octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={self.algorithm}; p={base64.b64encode(octets).decode()}"


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a body, hashed once for all messages that share it; `Signer.prefix` makes one."""

    octets: bytes = field(repr=False)
    state: _Hash = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for a domain with all its keys: two while one takes the other's place, or one RSA and one Ed25519."""

    domain: str
    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.domain):
            raise ValueError(f"not a domain: {self.domain!r}; it looks like news.example.org")

    def prefix(self, octets: bytes) -> Prefix:
        """The part of a body that many messages begin with: all up to the first personal value."""
        return _prefix(octets)

    def sign(self, data: bytes, *, at: datetime, prefix: Prefix | None = None) -> bytes:
        """The DKIM-Signature fields to put before a message with CRLF line ends, one for each key.

        `at` is what they give as their time (`t=`). A body that does not begin with `prefix` is hashed whole.
        ValueError for what is no message: without a From, or without an empty line after the headers.
        """
        end = data.find(b"\r\n\r\n")
        if end < 0:
            raise ValueError("no empty line ends the headers")
        named, fields = _chosen(data[:end])
        body_hash = _body_hash(data, end + 4, prefix)
        return b"".join([self._signature(key, named, fields, body_hash, at) for key in self.keys])

    def _signature(self, key: Key, named: str, fields: bytes, body_hash: str, at: datetime) -> bytes:
        written, relaxed = _unsigned(key.algorithm, self.domain, key.selector, at, named)
        unsigned = body_hash.join(written).encode()
        signature = base64.b64encode(key.sign(fields + body_hash.join(relaxed).encode()))
        lines = [signature[start : start + _COLUMNS] for start in range(0, len(signature), _COLUMNS)]
        return b"\r\n ".join([unsigned, *lines]) + b"\r\n"


def signed(message: Message, signer: Signer | None, *, at: datetime, beginning: bytes = b"") -> Message:
    """The message with its signatures before it; as it is where nobody signs.

    `beginning` is the part of its body that many messages begin with.
    """
    if signer is None:
        return message
    signature = signer.sign(message.data, at=at, prefix=_prefix(beginning))
    return message._replace(pieces=(signature, *message.pieces))


@lru_cache(maxsize=64)
def _prefix(octets: bytes) -> Prefix:
    return Prefix(octets, hashlib.sha256(octets))


def _chosen(head: bytes) -> tuple[str, bytes]:
    """What `h=` names, in rows, and these fields in canonical form. ValueError without a From."""
    fields = [_relaxed_field(line) for line in _FIELD_END.split(head)]
    order, named = _order(tuple([name for name, _ in fields]))
    return named, b"".join([fields[number][1] for number in order])


@lru_cache(maxsize=64)  # as below
def _unsigned(
    algorithm: str, domain: str, selector: str, at: datetime, named: str
) -> tuple[Sequence[str], Sequence[str]]:
    """A field that is not signed yet, in parts between which the hash of the body belongs; as it is, and relaxed."""
    field = (
        f"DKIM-Signature: v=1; a={algorithm}-sha256; c=relaxed/simple; d={domain};\r\n"
        f" s={selector}; t={int(at.timestamp())};\r\n bh=\0;\r\n{named}\r\n b="
    )
    relaxed = b":".join(_relaxed(field.encode())).decode()
    return field.split("\0"), relaxed.split("\0")


@lru_cache(maxsize=64)  # all mails of an issue have the same
def _order(present: Sequence[bytes]) -> tuple[Sequence[int], str]:
    """Which of the fields of a head are signed, by their number and in which order, and the rows of `h=`."""
    if b"from" not in present:
        raise ValueError("there is no From to sign")
    names: list[str] = []
    order: list[int] = []
    for name in SIGNED:
        numbers = [number for number, other in enumerate(present) if other == name.encode()]
        names += [name] * (len(numbers) + (name in SEALED))
        order += reversed(numbers)  # the last one stands for the first mention: RFC 6376 section 5.4.2
    return order, "\r\n".join(_folded(names))


@lru_cache(maxsize=64)  # most fields are the same in every mail of an issue
def _relaxed_field(line: bytes) -> tuple[bytes, bytes]:
    """The name of a field, and all of it in relaxed form."""
    name, value = _relaxed(line)
    return name, name + b":" + value + b"\r\n"


def _relaxed(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of a field in relaxed form, without its line end (RFC 6376 section 3.4.2)."""
    name, _, value = line.partition(b":")
    value = value.replace(b"\r\n", b"")
    if b"  " in value or b"\t" in value:  # a hint of what is rare, to search for it at leisure
        value = _SPACE.sub(b" ", value)
    return name.rstrip(b" \t").lower(), value.strip(b" ")


def _body_hash(data: bytes, start: int, prefix: Prefix | None) -> str:
    """The hash of the body in simple form: it ends in exactly one CRLF (RFC 6376 section 3.4.3)."""
    end = len(data)
    while data.endswith(b"\r\n", start, end):
        end -= 2
    state = hashlib.sha256()
    if prefix is not None and data.startswith(prefix.octets, start, end):
        state = prefix.state.copy()
        start += len(prefix.octets)
    state.update(memoryview(data)[start:end])
    state.update(b"\r\n")
    return base64.b64encode(state.digest()).decode()


def _folded(names: Iterable[str]) -> Iterator[str]:
    row = " h="
    for name in names:
        if len(row) + len(name) >= _COLUMNS:
            yield row
            row = " "
        row += f"{name}:"
    yield row[:-1] + ";"


# --- keys -------------------------------------------------------------------------------------------------------------


def load_signer(domain: str, keys: Iterable[tuple[str, str]]) -> Signer | None:
    """The signer that the settings `NEWSLETTER_DKIM_…` ask for; None without a domain.

    `keys` are the selector and the PEM of the first and the second, empty where there is none. ConfigError names every
    key that cannot be used, and never what it holds.
    """
    loaded: list[Key] = []
    problems: list[Problem] = []
    for (selector, pem), variable in zip(keys, ("NEWSLETTER_DKIM_KEY", "NEWSLETTER_DKIM_KEY_2"), strict=True):
        try:
            if pem:
                loaded.append(Key(selector, read_key(pem)))
        except ValueError as error:
            problems.append(Problem(key=variable, what=str(error), hint="`newsletter dkim new` makes a good one"))
    if problems:
        raise ConfigError(problems)
    return Signer(domain, tuple(loaded)) if domain else None


def read_key(pem: str) -> PrivateKey:
    """A private key from its PEM text. ValueError says why it is of no use here."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise ValueError("the key is locked by a password; store it without one, readable by nobody else") from None
    except (ValueError, UnsupportedAlgorithm):
        what = "a public key" if "PUBLIC KEY" in pem else "no private key in PEM form"
        raise ValueError(f"holds {what}; one begins with -----BEGIN PRIVATE KEY-----") from None
    if isinstance(key, RSAPrivateKey):
        if not SHORTEST <= key.key_size <= LONGEST:
            raise ValueError(
                f"an RSA key of {key.key_size} bits is not accepted everywhere: {USUAL} bits are usual, "
                f"{SHORTEST} to {LONGEST} allowed (RFC 8301)"
            )
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ValueError("the key is of another kind than RSA and Ed25519, and DKIM knows no other")


def new_key(algorithm: str) -> str:
    """A new private key in PEM form: `rsa` (2048 bits) or `ed25519`."""
    key = Ed25519PrivateKey.generate() if algorithm == "ed25519" else generate_private_key(65537, USUAL)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def zone_entry(domain: str, key: Key) -> str:
    """The record as a zone file has it, its text in strings of at most 255 bytes."""
    text = key.record()
    strings = " ".join(f'"{text[start : start + _STRING]}"' for start in range(0, len(text), _STRING))
    return f"{key.selector}._domainkey.{domain}. IN TXT ( {strings} )"
