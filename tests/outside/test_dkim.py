"""Signatures as npm `mailauth` sees them; its name server is a table."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from newsletter.mail.dkim import Key, Signer, new_key, read_key
from tests.outside import tools
from tests.outside.mails import NAMES, Mail

_AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
_DOMAIN = "example.org"
_GOOD = [{"selector": "r1", "algorithm": "rsa-sha256"}, {"selector": "e1", "algorithm": "ed25519-sha256"}]


def _changed(signed: bytes) -> bytes:
    """With another last letter."""
    at = signed.rindex(b"--\r\n") - 1
    return signed[:at] + (b"0" if signed[at : at + 1] != b"0" else b"1") + signed[at + 1 :]


@pytest.fixture(scope="module")
def answers(mails: Mapping[str, Mail]) -> Mapping[str, list[dict[str, str]]]:
    """What mailauth says of each mail, signed by an RSA and an Ed25519 key, and of one that was changed since."""
    node = tools.command("node", package="nodejs")
    tools.npm("mailauth")
    signer = Signer(_DOMAIN, (Key("r1", read_key(new_key("rsa"))), Key("e1", read_key(new_key("ed25519")))))
    signed = {name: signer.sign(mail.eml, at=_AT) + mail.eml for name, mail in mails.items()}
    signed["changed"] = _changed(next(iter(signed.values())))
    request = {
        "records": {f"{key.selector}._domainkey.{_DOMAIN}": key.record() for key in signer.keys},
        "mails": {name: base64.b64encode(mail).decode() for name, mail in signed.items()},
    }
    done = tools.run(node, tools.FOLDER / "dkim.mjs", stdin=json.dumps(request).encode())
    found: Mapping[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_both_signatures_hold(name: str, answers: Mapping[str, list[dict[str, str]]]) -> None:
    """On every theme and sample."""
    assert answers[name] == [{**good, "result": "pass"} for good in _GOOD]


def test_a_changed_mail_is_found(answers: Mapping[str, list[dict[str, str]]]) -> None:
    """One letter is enough to spoil both."""
    assert len(answers["changed"]) == len(_GOOD)
    assert all(answer["result"] != "pass" for answer in answers["changed"])
