from __future__ import annotations

import pytest

from newsletter.errors import ConfigError
from newsletter.mail.relay import Auth, Dsn, Relay, Tls, parse_relay


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:1025", Relay(host="127.0.0.1", port=1025, tls=Tls.AUTO, verify=False)),
        ("smtp://localhost", Relay(host="localhost", port=25, tls=Tls.AUTO, verify=False)),
        ("smtp://[::1]:2525", Relay(host="::1", port=2525, tls=Tls.AUTO, verify=False)),
        ("smtp://mail.example.org", Relay(host="mail.example.org", port=25, tls=Tls.REQUIRED)),
        ("smtps://mail.example.org/", Relay(host="mail.example.org", port=465, tls=Tls.IMPLICIT)),
        ("smtp://mail.example.org?starttls=auto", Relay(host="mail.example.org", port=25, tls=Tls.AUTO)),
        ("smtp://127.0.0.1?starttls=required", Relay(host="127.0.0.1", port=25, tls=Tls.REQUIRED)),
        (
            "smtp://ann%40example.org:p%2Fw%3A1@mail.example.org?starttls=off&verify=off&connections=8",
            Relay(
                host="mail.example.org",
                port=587,
                tls=Tls.OFF,
                verify=False,
                user="ann@example.org",
                password="p/w:1",
                connections=8,
            ),
        ),
        (
            "smtp://ann@mail.example.org?token_file=/run/secrets/token&dsn=failure&chunking=4",
            Relay(
                host="mail.example.org",
                port=587,
                tls=Tls.REQUIRED,
                user="ann",
                auth=Auth.XOAUTH2,
                token_file="/run/secrets/token",
                dsn=Dsn.FAILURE,
                chunking=4,
            ),
        ),
    ],
)
def test_parse_relay(url: str, expected: Relay) -> None:
    """A URL names host, port, protection and credentials; what it leaves out is the safe choice."""
    assert parse_relay(url) == expected


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://mail.example.org", "begins with neither smtp:// nor smtps:// nor lmtp://"),
        ("mail.example.org:25", "begins with neither"),
        ("smtp://", "names no host"),
        ("smtp://user:secret@mail.example.org:port", "is not a URL with a valid host and port"),
        ("smtp://user:secret@[::1", "is not a URL with a valid host and port"),
        ("smtp://user:sec℀ret@mail.example.org", "is not a URL with a valid host and port"),
        ("smtp://user:sec/ret@mail.example.org", "is not a URL with a valid host and port"),
        ("smtp://secret@mail.example.org", "needs both user and password"),
        ("smtp://user:secret%00@mail.example.org", "has a control character in user or password"),
        ("smtps://mail.example.org?starttls=required", "takes no starttls"),
        ("smtp://mail.example.org/secret", "has something after the host"),
        ("smtp://mail.example.org?starttls=yes", "starttls cannot be 'yes' (choose from: required, auto, off)"),
        ("smtp://mail.example.org?verfy=off", "has no option 'verfy' (did you mean verify?)"),
        ("smtp://ann@mail.example.org?auth=plain", "needs both user and password"),
        ("smtp://mail.example.org?auth=plain", "auth=plain needs a user"),
        ("smtp://ann:secret@mail.example.org?auth=cram", "auth cannot be 'cram' (choose from: plain, login, xoauth2)"),
        ("smtp://ann@mail.example.org?token_file=token", "token_file is the whole path of a file"),
        ("smtp://mail.example.org?token_file=/token", "needs a user and no password beside token_file"),
        ("smtp://ann:secret@mail.example.org?token_file=/token", "needs a user and no password beside token_file"),
        ("smtp://ann@mail.example.org?token_file=/token&auth=login", "token_file is for auth=xoauth2, not login"),
        ("smtp://mail.example.org?dsn=always", "dsn cannot be 'always' (choose from: off, failure, never)"),
        ("smtp://mail.example.org?chunking=65", "chunking is a number from 0 to 64, not '65'"),
        ("smtp://mail.example.org?connections=0", "connections is a number from 1 to 1000, not '0'"),
    ],
)
def test_mistakes_in_a_url(url: str, what: str) -> None:
    """A mistake is named with what to do about it, and no error quotes the password."""
    with pytest.raises(ConfigError) as caught:
        parse_relay(url)

    assert what in str(caught.value)
    assert "sec" not in str(caught.value).replace("smtp://user:password", "")
    assert caught.value.__cause__ is None


def test_all_mistakes_at_once() -> None:
    """Every mistake in a URL is told, not just the first."""
    with pytest.raises(ConfigError) as caught:
        parse_relay("smtps://mail.example.org?starttls=no&verify=maybe&x=1")

    assert len(caught.value.problems) == 3


def test_credentials_do_not_show() -> None:
    """Neither user nor password is in a relay's representation."""
    shown = repr(parse_relay("smtp://ann:secret@mail.example.org"))

    assert "ann" not in shown
    assert "secret" not in shown
