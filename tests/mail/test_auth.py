"""Who we say we are, to servers that say what they were told to."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from newsletter.errors import Refused
from newsletter.mail.auth import answers, complaint, without_secrets
from newsletter.mail.relay import parse_relay
from newsletter.mail.smtp import LoopFactory, open_smtp
from newsletter.model import Verdict
from tests.mail.conftest import SendAll
from tests.mail.faults import FaultServer
from tests.mail.posting import a_message

TOKEN = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
XOAUTH2 = "dXNlcj1wYXBlcnNAZXhhbXBsZS5vcmcBYXV0aD1CZWFyZXIg"  # base64 of user=papers@example.org^Aauth=Bearer
EXPIRED = base64.b64encode(json.dumps({"status": "401", "schemes": "bearer"}).encode()).decode()


def b64(text: str) -> str:
    """As AUTH has it."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("options", "offered", "said"),
    [
        ("", "LOGIN PLAIN XOAUTH2", ["AUTH PLAIN " + b64("\0ann\0secret")]),
        ("", "LOGIN XOAUTH2", ["AUTH LOGIN", b64("ann"), b64("secret")]),
        ("?auth=login", "LOGIN PLAIN", ["AUTH LOGIN", b64("ann"), b64("secret")]),
        ("?auth=plain", "LOGIN PLAIN", ["AUTH PLAIN " + b64("\0ann\0secret")]),
        ("?auth=plain", "LOGIN XOAUTH2", []),
        ("", "XOAUTH2 OAUTHBEARER CRAM-MD5", []),
        ("", "", []),
        ("?auth=xoauth2", "OAUTHBEARER XOAUTH2", ["AUTH XOAUTH2 " + b64("user=ann\1auth=Bearer secret\1\1"), ""]),
        (
            "?auth=xoauth2",
            "PLAIN OAUTHBEARER",
            [
                "AUTH OAUTHBEARER " + b64("n,a=ann,\1host=mail.example.org\1port=587\1auth=Bearer secret\1\1"),
                "AQ==",
            ],
        ),
        ("?auth=xoauth2", "PLAIN LOGIN", []),
    ],
)
def test_the_best_that_is_offered(options: str, offered: str, said: list[str]) -> None:
    """A password goes by PLAIN before LOGIN, a token by nothing that takes a password, and nothing else is tried."""
    relay = parse_relay(f"smtp://ann:secret@mail.example.org{options}")
    assert list(answers(relay, relay.password, offered.split())) == said


@pytest.mark.parametrize("auth", ["plain", "login", "xoauth2"])
def test_each_mechanism(send_all: SendAll, loop_factory: LoopFactory, auth: str) -> None:
    """One that the server takes lets messages go out."""
    challenges = {"auth": "334 VXNlcm5hbWU6", "answer": "334 UGFzc3dvcmQ6"} if auth == "login" else {}
    script = {"ehlo": "250-x\r\n250 AUTH XOAUTH2 LOGIN PLAIN", **challenges}
    if auth == "login":
        script[f"answer {b64('secret')}"] = "235 2.7.0 welcome"
    with FaultServer(script) as server:
        url = server.url(f"?auth={auth}").replace("//", "//papers:secret@")
        record = send_all(open_smtp(url, loop_factory=loop_factory), [a_message()])

    assert record.error is None
    assert record.verdicts == {1: Verdict.SENT}
    assert server.commands[1].startswith(f"AUTH {auth.upper()}")


def test_a_token_is_read_anew_for_each_connection(send_all: SendAll, loop_factory: LoopFactory, tmp_path: Path) -> None:
    """A token that is renewed while the program runs is used by the next connection."""
    file = tmp_path / "token"
    file.write_text("first\n")
    with FaultServer({"ehlo": "250-x\r\n250 AUTH XOAUTH2"}) as server:
        url = server.url(f"?token_file={file}&connections=1").replace("//", "//papers%40example.org@")
        send = open_smtp(url, loop_factory=loop_factory)
        first = send_all(send, [a_message(1)])
        file.write_text(TOKEN)
        second = send_all(send, [a_message(2)])

    assert (first.verdicts, second.verdicts) == ({1: Verdict.SENT}, {2: Verdict.SENT})
    said = [command for command in server.commands if command.startswith("AUTH")]
    assert [base64.b64decode(line.split()[2]).decode() for line in said] == [
        f"user=papers@example.org\1auth=Bearer {token}\1\1" for token in ("first", TOKEN)
    ]
    assert said[0].startswith(f"AUTH XOAUTH2 {XOAUTH2}")


def test_an_expired_token(send_all: SendAll, loop_factory: LoopFactory, tmp_path: Path) -> None:
    """The server's challenge is answered with nothing, so that it can refuse; the status in it is told."""
    file = tmp_path / "token"
    file.write_text(TOKEN)
    as_said = b64(f"user=papers\1auth=Bearer {TOKEN}\1\1")
    refusal = f"535 5.7.8 not accepted: {TOKEN} {as_said}"
    script = {"ehlo": "250-x\r\n250 AUTH XOAUTH2 PLAIN", "auth": f"334 {EXPIRED}", "answer": refusal}
    with FaultServer(script) as server:
        url = server.url(f"?token_file={file}").replace("//", "//papers@")
        record = send_all(open_smtp(url, loop_factory=loop_factory), map(a_message, range(9)))

    assert isinstance(record.error, Refused)
    assert str(record.error) == (
        f"mail server 127.0.0.1:{server.port} refused the user or token: 535 5.7.8 not accepted: *** *** (status 401); "
        f"check both in {file}"
    )
    assert record.verdicts == {0: Verdict.UNSENT}
    assert server.commands[2] == ""
    assert server.connections == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "could not read the token for .* in .*: No such file or directory"),
        ("", "holds no token for .*: one word"),
        ("two words", "holds no token"),
        ("line\nline", "holds no token"),
        ("\x01", "holds no token"),
        ("tökén", "holds no token"),
    ],
)
def test_a_file_without_a_token(send_all: SendAll, tmp_path: Path, content: str | None, why: str) -> None:
    """Nothing is said to the server; the error names the file and never what is in it."""
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with FaultServer({"ehlo": "250-x\r\n250 AUTH XOAUTH2"}) as server:
        url = server.url(f"?token_file={file}").replace("//", "//papers@")
        record = send_all(open_smtp(url), [a_message()])

    assert isinstance(record.error, Refused)
    with pytest.raises(Refused, match=why):
        raise record.error
    assert len(server.commands) == 1


@pytest.mark.parametrize(
    ("challenge", "told"),
    [
        (EXPIRED, "status 401"),
        (base64.b64encode(b'{"status":401}').decode(), "status 401"),
        (base64.b64encode(b"[1]").decode(), ""),
        (base64.b64encode(b'{"status":["x"]}').decode(), ""),
        (base64.b64encode(b"[" * 5000).decode(), ""),
        ("VXNlcm5hbWU6", ""),
        ("not base64", ""),
        ("", ""),
    ],
)
def test_what_a_challenge_says(challenge: str, told: str) -> None:
    """The status in it where there is one; whatever else a server sends is no reason to fail."""
    assert complaint(challenge) == told


def test_no_form_of_a_secret_is_shown() -> None:
    """As it is, percent-encoded, and in each form that a mechanism gives it."""
    relay = parse_relay("smtp://ann:se%2Fcret@mail.example.org")
    said = [
        "se/cret",
        "se%2Fcret",
        b64("se/cret"),
        b64("\0ann\0se/cret"),
        *(
            answers(parse_relay("smtp://ann:se%2Fcret@mail.example.org?auth=xoauth2"), "se/cret", [name])[0].split()[2]
            for name in ("XOAUTH2", "OAUTHBEARER")
        ),
    ]
    assert without_secrets(" ".join(said), relay, "se/cret") == " ".join(["***"] * len(said))
