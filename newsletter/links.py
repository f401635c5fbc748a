"""Signed links: what a mail may carry that lets its reader act without a password.

A token is a purpose, a payload and a MAC (HMAC-SHA256); all rights come from it. Tokens for leaving never expire
(RFC 8058 mails are years old when somebody uses them), tokens for joining do. The text of a token is never a key for
"used once": itsdangerous accepts several spellings of one token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeTimedSerializer

from newsletter.errors import LinkError

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK = 64  # bytes that SHA-256 takes at a time
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_VERP_MAC = 6  # bytes: 48 bits, guessed online only
_MAX_TOKEN = 500


class Purpose(StrEnum):
    """What a token is good for; a token of one purpose is refused for every other."""

    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"
    NEVER = "never"  # be written to again
    ACCOUNT = "account"  # see and erase what is kept
    ADDRESS = "address"  # is another from now on
    OBJECT = "object"  # to that
    SESSION = "session"  # vote on the pages; it stands in a cookie, and in no address


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a verified token says, and when it was made."""

    subscriber: int
    newsletter: str
    made: datetime = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes and reads signed links. The first of `keys` signs, all of them verify."""

    base_url: str
    keys: tuple[str, ...] = field(repr=False)
    bounce_domain: str = ""

    def url(self, purpose: Purpose, *, subscriber: int, newsletter: str, now: datetime | None = None) -> str:
        """The link for one subscriber of one newsletter: `<base>/unsubscribe/<token>`; `now` where its age matters."""
        return "/".join((self.base_url, purpose, self.token(purpose, subscriber, newsletter, now)))

    def read(self, purpose: Purpose, token: str, *, max_age: timedelta | None = None) -> Claim:
        """Who may do what with this token. LinkError when it is damaged, forged, too old or for something else."""
        try:
            if len(token) > _MAX_TOKEN:
                raise LinkError("could not read the link: it is too long")
            seconds = int(max_age.total_seconds()) if max_age is not None else None
            read = self._serializer(purpose).loads(token, max_age=seconds, return_timestamp=True)
        except BadData as error:
            raise LinkError(f"could not read the link: {error.message or 'it is damaged'}") from error
        (subscriber, newsletter), made = read
        return Claim(subscriber=subscriber, newsletter=newsletter, made=made)

    def stamp(self, newsletter: str, *, now: datetime) -> str:
        """What a form carries that tells when its page was made, to a thousandth of a second."""
        made = int(now.timestamp() * 1000)
        return f"{made}.{self._stamp_mac(newsletter, made, self.keys[0])}"

    def read_stamp(self, newsletter: str, stamp: str) -> datetime:
        """When the page of a form was made. LinkError when the stamp is missing, damaged or another newsletter's."""
        made, _, mac = stamp.partition(".")
        if not made.isascii() or not made.isdigit() or len(made) > len("9999999999999"):
            raise LinkError("could not read the stamp of a form: it is damaged")
        macs = [self._stamp_mac(newsletter, int(made), key) for key in self.keys]
        if not mac.isascii() or not any(hmac.compare_digest(mac, known) for known in macs):
            raise LinkError("could not read the stamp of a form: it is not ours")
        return datetime.fromtimestamp(int(made) / 1000, tz=UTC)

    def fingerprints(self, mailbox: str) -> tuple[str, ...]:
        """What is kept of an address that wants to be forgotten and left alone, by each key: the newest first."""
        text = b"blocked:" + mailbox.encode()
        return tuple(hmac.digest(key.encode(), text, hashlib.sha256).hex() for key in self.keys)

    def archive_url(self, newsletter: str, slot: str) -> str:
        """The public address of an issue; nothing personal in it."""
        return f"{self.base_url}/{newsletter}/{slot}"

    def unsubscribe_mailto(self, *, subscriber: int, newsletter: str) -> str:
        """`mailto:` for List-Unsubscribe, or empty without a bounce domain to receive it."""
        if not self.bounce_domain:
            return ""
        token = self.token(Purpose.UNSUBSCRIBE, subscriber, newsletter)
        return f"mailto:unsubscribe@{self.bounce_domain}?subject={token}"

    def envelope_sender(self, delivery: int) -> str:
        """`b+<token>@<bounce domain>`: a bounce to it names its delivery and nobody's address. Empty without one."""
        return f"b+{self._verp(delivery, self.keys[0])}@{self.bounce_domain}" if self.bounce_domain else ""

    def read_envelope_sender(self, address: str) -> int:
        """The delivery a bounce came back for. LinkError when the address is not one of ours."""
        local = address.partition("@")[0].lower()
        token = local.removeprefix("b+")
        try:
            padded = token.upper() + "=" * (-len(token) % 8)
            delivery = int.from_bytes(base64.b32decode(padded)[:-_VERP_MAC])
        except ValueError as error:
            raise LinkError("could not read the bounce address: it is damaged") from error
        if not any(hmac.compare_digest(token, self._verp(delivery, key)) for key in self.keys):
            raise LinkError("could not read the bounce address: it is not signed by us")
        return delivery

    def token(self, purpose: Purpose, subscriber: int, newsletter: str, now: datetime | None = None) -> str:
        """What stands in such a link; `now` where its age matters.

        It is what `_serializer(purpose).dumps(...)` gives, in a fraction of the time: every message has two of them.
        """
        signed = _claim(subscriber, newsletter, int(now.timestamp() if now else time.time()))
        inner, outer = _mac(self.keys[0], purpose)
        inner, outer = inner.copy(), outer.copy()
        inner.update(signed)
        outer.update(inner.digest())
        return (signed + b"." + _unpadded(outer.digest())).decode()

    def _serializer(self, purpose: Purpose) -> URLSafeTimedSerializer:
        # itsdangerous signs with the last key of a list and tries all of them, newest first.
        keys = list(reversed(self.keys))
        return URLSafeTimedSerializer(keys, salt=_salt(purpose), signer_kwargs={"digest_method": hashlib.sha256})

    @staticmethod
    def _stamp_mac(newsletter: str, made: int, key: str) -> str:
        return _unpadded(hmac.digest(key.encode(), f"page:{newsletter}:{made}".encode(), hashlib.sha256)).decode()

    @staticmethod
    def _verp(delivery: int, key: str) -> str:
        # Base32 in lower case: a local part keeps no case on its way back.
        number = delivery.to_bytes(max(1, (delivery.bit_length() + 7) // 8))
        mac = hmac.digest(key.encode(), b"verp:" + number, hashlib.sha256)[:_VERP_MAC]
        return base64.b32encode(number + mac).decode().rstrip("=").lower()


def _salt(purpose: Purpose) -> str:
    return f"newsletter.{purpose}"


@cache
def _mac(key: str, purpose: Purpose) -> tuple[_Hash, _Hash]:
    """The two hashes of HMAC (RFC 2104) to go on from, the key derived as itsdangerous does ("django-concat")."""
    derived = hashlib.sha256(f"{_salt(purpose)}signer{key}".encode()).digest().ljust(_BLOCK, b"\0")
    inner, outer = (bytes(octet ^ pad for octet in derived) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


@cache
def _quoted(newsletter: str) -> str:
    return json.dumps(newsletter)


@lru_cache(maxsize=2)  # a reader's links in one message say the same, each for its purpose
def _claim(subscriber: int, newsletter: str, seconds: int) -> bytes:
    payload = f"[{subscriber},{_quoted(newsletter)}]"
    return _unpadded(payload.encode()) + b"." + _stamp(seconds)


@lru_cache(maxsize=4)
def _stamp(seconds: int) -> bytes:
    return _unpadded(seconds.to_bytes(4))


def _unpadded(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")
