from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.mail.dkim import Key, Signer, load_signer, new_key, read_key, zone_entry
from newsletter.mail.folder import open_folder
from newsletter.mail.headers import Address
from newsletter.mail.message import Letterhead, compile_issue
from newsletter.model import Fragment, Message, Recipient, Rendered, Slotted, Token
from tests.mail.posting import post

# 512 bits, made for this test: nothing makes or takes such a key any more.
SHORT_PEM = """-----BEGIN PRIVATE KEY-----
MIIBUwIBADANBgkqhkiG9w0BAQEFAASCAT0wggE5AgEAAkEAynAbjDbt9E9Ze58Z
EcF7LlwNDj3DhpEPlQxcVEQIMoO60k7pUUEdn5G7l9ZivY9rumZhQ6tTXjtkU4n3
iwQ3cwIDAQABAkAs2Q9RTe4DnPyvBX0xUNLwX1ZJHGfPzR1NoPJnfLbwMZfTanwL
Co3jH1nXFCsicZIcMDgvtO4ZBX8KZ8Cck3EpAiEA8DtlChh8GzszonL31awPHg+s
235I0UjNAT64MKywVGUCIQDXuakwfw7fECcRtp2pSVjeShPYU1+wwbQjbmlghrIC
9wIgL66aT3asq3sEtKm9J1wPZBgYZziZm3CnwCeCx6Z/GUECIBQDZW7aWsbW+Mjr
6DSMWXJF7RFkqrv7PHsNAzmxRVKBAiBcC1Kr7gmkUdHCM+jk3nKmWqUz/MP6AN12
Nb3NROZ+3A==
-----END PRIVATE KEY-----
"""
AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
DOMAIN = "news.example.org"


@cache
def a_key(algorithm: str, selector: str) -> Key:
    """A key of a kind, the same in all tests: making one takes time."""
    return Key(selector, read_key(new_key(algorithm)))


@cache
def weak_pem(bits: int) -> str:
    """An RSA key of so many bits."""
    key = rsa.generate_private_key(65537, bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SIGNERS = {
    "rsa": Signer(DOMAIN, (a_key("rsa", "r1"),)),
    "ed25519": Signer(DOMAIN, (a_key("ed25519", "e1"),)),
    "both": Signer(DOMAIN, (a_key("rsa", "r1"), a_key("ed25519", "e1"))),
    "rotation": Signer(DOMAIN, (a_key("rsa", "r1"), a_key("rsa", "r2"))),
}


def records(signer: Signer) -> Callable[..., bytes]:
    """A name server that knows the keys of a signer and nothing else."""
    known: Mapping[str, bytes] = {
        f"{key.selector}._domainkey.{signer.domain}.": key.record().encode() for key in signer.keys
    }

    def answer(name: bytes, timeout: int = 5) -> bytes:
        return known[name.decode()]

    return answer


def verdicts(signer: Signer, signed: bytes) -> list[bool]:
    """What dkimpy says of each signature."""
    return [verified(signed, index, records(signer)) for index in range(len(signer.keys))]


def verified(signed: bytes, index: int, dnsfunc: Callable[..., bytes]) -> bool:
    """Whether one of the signatures holds; where the message cannot be read, none does."""
    try:
        return bool(dkim.DKIM(signed).verify(index, dnsfunc=dnsfunc))
    except dkim.DKIMException:
        return False


def a_message(
    *, subject: str = "Papers", name: str = "Zoë", text: str = "Hello ", email: str = "zoe@example.org"
) -> Message:
    """A message with a name in its text and an address in its page."""
    rendered = Rendered(
        subject=subject,
        fragments=(
            Fragment(
                kind="story",
                key="",
                text=(text, Slotted(token=Token.NAME), "\nyours\n"),
                html=(f"<p>{text}</p>", Slotted(token=Token.EMAIL), "<p>yours</p>\n"),
            ),
        ),
    )
    letterhead = Letterhead(
        sender=Address("Daily Papers", "papers@news.example.org"),
        date=AT,
        list_title="Daily Papers",
        list_id="daily.news.example.org",
        list_archive="https://news.example.org/daily",
        feedback_id="1:daily:newsletter:example",
    )
    recipient = Recipient(delivery=1, subscriber=1, email=email, name=name, message_id="<1.1.x@news.example.org>")
    return compile_issue(rendered, letterhead).message(
        recipient, tokens={}, unsubscribe_url="https://news.example.org/u/x", unsubscribe_mailto="mailto:u@example.org"
    )


@pytest.mark.parametrize("kind", SIGNERS)
def test_dkimpy_agrees(kind: str) -> None:
    """Every signature on a message of ours verifies, with any kind of key and with two."""
    signer = SIGNERS[kind]
    data = a_message().data

    assert verdicts(signer, signer.sign(data, at=AT) + data) == [True] * len(signer.keys)


texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(list(" \t\r\n.=<>&\"'_")), max_size=200)


@settings(deadline=None, max_examples=60)
@given(subject=texts, name=texts, text=texts, kind=st.sampled_from(["ed25519", "rsa"]))
def test_whatever_a_message_holds_verifies(subject: str, name: str, text: str, kind: str) -> None:
    """Any subject, name and text that a message can be made of."""
    data = a_message(subject=subject, name=name, text=text).data

    assert verdicts(SIGNERS[kind], SIGNERS[kind].sign(data, at=AT) + data) == [True]


values = st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126)) | st.sampled_from(["\t", "  ", "\r\n x"]))
headers = st.lists(
    st.tuples(
        st.sampled_from(["To", "SUBJECT", "Subject", "list-id", "X-Other", "List-Unsubscribe", "Received"]),
        values.map("".join),
    ),
    max_size=6,
)
lines = st.lists(st.sampled_from([b"", b" ", b"\t", b".", b"text", b"text \t ", b"\r"]), max_size=6).map(b"\r\n".join)


@settings(deadline=None, max_examples=75)
@given(fields=headers, body=lines)
def test_any_mail_verifies(fields: Sequence[tuple[str, str]], body: bytes) -> None:
    """Repeated and folded fields, blank lines at the end, no line end at the end, no body: as the RFC has it."""
    head = "".join(f"{name}:{value}\r\n" for name, value in fields)
    data = f"From: a@example.org\r\n{head}\r\n".encode() + body

    assert verdicts(SIGNERS["ed25519"], SIGNERS["ed25519"].sign(data, at=AT) + data) == [True]


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_one_changed_byte_shows(data: st.DataObject) -> None:
    """Whatever byte of the body or of a signed header is another one, the signature does not hold."""
    signer, message = SIGNERS["ed25519"], a_message().data
    at = data.draw(st.integers(0, len(message) - 1))
    other = data.draw(st.sampled_from(b"aZ9;<").filter(lambda byte: byte != message[at]))
    changed = message[:at] + bytes([other]) + message[at + 1 :]
    in_name = re.match(rb"(?:[^\r\n]*\r\n)*[A-Za-z-]*\Z", message[:at])
    same = in_name and changed[at : at + 1].lower() == message[at : at + 1].lower()

    assert verdicts(signer, signer.sign(message, at=AT) + changed) == [bool(same)]


@pytest.mark.parametrize(
    "field", ["From: Other <o@example.net>", "Subject: Other", "To: o@example.net", "Reply-To: o@example.net"]
)
def test_nobody_can_add_a_field(field: str) -> None:
    """A second From, Subject or To, or a Reply-To where there was none, breaks the signature wherever it stands."""
    signer, message = SIGNERS["ed25519"], a_message().data
    signature = signer.sign(message, at=AT)
    added = field.encode() + b"\r\n"

    assert verdicts(signer, signature + added + message) == [False]
    assert verdicts(signer, signature + message.replace(b"\r\n\r\n", b"\r\n" + added + b"\r\n", 1)) == [False]


def test_what_is_signed() -> None:
    """Every field that a reader or a mail program goes by is named, From once more than it occurs; no `l=`."""
    signature = SIGNERS["rsa"].sign(a_message().data, at=AT).decode()
    tags = dict(tag.split("=", 1) for tag in re.sub(r"\s", "", signature.partition(":")[2]).split(";"))

    assert tags["t"] == str(int(AT.timestamp()))
    assert "l" not in tags
    names = tags["h"].split(":")
    assert names.count("from") == 2
    for name in (
        *("to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to"),
        *("list-id", "list-unsubscribe", "list-unsubscribe-post", "list-archive", "feedback-id"),
    ):
        assert name in names
    assert max(map(len, signature.split("\r\n"))) <= 78


def test_the_same_message_has_the_same_signature() -> None:
    """A second attempt is the same bytes, so that a receiver can drop it."""
    data = a_message().data
    for signer in SIGNERS.values():
        assert signer.sign(data, at=AT) == signer.sign(data, at=AT)


@given(cut=st.integers(0, 10_000), wrong=st.booleans())
def test_a_prefix_changes_nothing_but_the_time_it_takes(cut: int, wrong: bool) -> None:
    """With the beginning of the body hashed before, however much of it, and even with that of another body."""
    signer, data = SIGNERS["ed25519"], a_message().data
    head = data.partition(b"\r\n\r\n")[2][:cut]
    prefix = signer.prefix(head + b"x" if wrong else head)

    other = data + b"one more line\r\n"

    for message in (data, other, data):
        assert signer.sign(message, at=AT, prefix=prefix) == signer.sign(message, at=AT)


def test_what_a_folder_keeps_still_verifies(tmp_path: Path) -> None:
    """Neither the envelope before it nor the line ends of files spoil a signature."""
    message = a_message()
    signed = message._replace(pieces=(SIGNERS["both"].sign(message.data, at=AT), *message.pieces))
    post(open_folder(f"file://{tmp_path}"), [signed])
    [kept] = (tmp_path / "new").iterdir()

    assert verdicts(SIGNERS["both"], kept.read_bytes()) == [True, True]


@pytest.mark.parametrize("data", [b"", b"From: a@example.org\r\n", b"\r\n\r\nFrom: a@example.org", b"To: x\r\n\r\nhi"])
def test_what_is_no_message_is_not_signed(data: bytes) -> None:
    """No end of the headers, or no From."""
    with pytest.raises(ValueError, match=r"no empty line|no From"):
        SIGNERS["ed25519"].sign(data, at=AT)


@pytest.mark.parametrize("name", ["", "a b", "x;y", "a\r\nBcc: b", "-a", "a..b", "x" * 64, "Ä"])
def test_names_that_are_none(name: str) -> None:
    """Domain and selector stand in a header and in the DNS: nothing else passes."""
    with pytest.raises(ValueError, match="not a selector"):
        Key(name, a_key("ed25519", "e1").private)
    with pytest.raises(ValueError, match="not a domain"):
        Signer(name, ())


# --- keys ---------------------------------------------------------------------------------------------------------


def pem_of_another_kind() -> str:
    """An elliptic curve key, which TLS likes and DKIM has no algorithm for."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def locked_pem() -> str:
    """A key with a password."""
    key = a_key("ed25519", "e1").private
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()


def public_pem() -> str:
    """The other half."""
    public = a_key("ed25519", "e1").private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_keys_of_no_use_are_told_all_at_once() -> None:
    """Both settings are named with what is wrong, and neither shows what it holds."""
    garbage = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IHNlY3JldA==\n-----END PRIVATE KEY-----"
    with pytest.raises(ConfigError) as caught:
        load_signer(DOMAIN, [("r1", garbage), ("r2", pem_of_another_kind())])

    first, second = caught.value.problems
    assert (first.key, second.key) == ("NEWSLETTER_DKIM_KEY", "NEWSLETTER_DKIM_KEY_2")
    assert "c2Vj" not in str(caught.value)
    assert "RSA and Ed25519" in second.what


@pytest.mark.parametrize(
    ("pem", "what"),
    [
        (lambda: weak_pem(1024)[:-40], "no private key"),
        (lambda: "é", "no private key"),
        (public_pem, "public key"),
        (locked_pem, "password"),
        (lambda: SHORT_PEM, "512|no private key"),
        (pem_of_another_kind, "another kind"),
    ],
)
def test_why_a_key_is_of_no_use(pem: Callable[[], str], what: str) -> None:
    """Each in words of its own."""
    with pytest.raises(ValueError, match=what):
        read_key(pem())


def test_the_shortest_key_that_is_taken() -> None:
    """1024 bits: verifiers take it (RFC 8301)."""
    signer = load_signer(DOMAIN, [("old", weak_pem(1024)), ("", "")])
    assert signer is not None
    data = a_message().data

    assert verdicts(signer, signer.sign(data, at=AT) + data) == [True]


def test_no_domain_means_no_signature() -> None:
    """Where the relay signs, nothing is set."""
    assert load_signer("", [("", ""), ("", "")]) is None


def test_the_key_shows_nowhere() -> None:
    """Neither key nor signer gives it away when printed."""
    pem = new_key("rsa")
    signer = load_signer(DOMAIN, [("r1", pem), ("", "")])

    assert "PrivateKey" not in repr(signer)
    assert pem.splitlines()[1] not in repr(signer)


def test_the_entry_in_the_zone() -> None:
    """Strings of at most 255 bytes that together are the record."""
    key = a_key("rsa", "r1")
    entry = zone_entry(DOMAIN, key)
    strings = re.findall(r'"([^"]*)"', entry)

    assert entry.startswith("r1._domainkey.news.example.org. IN TXT ( ")
    assert "".join(strings) == key.record()
    assert [len(string) > 255 for string in strings] == [False, False]
