"""Who we are to a mail server: the mechanisms of AUTH (RFC 4954), as what is said step by step; pure.

PLAIN (RFC 4616) and LOGIN take a password, XOAUTH2 (https://developers.google.com/workspace/gmail/imap/xoauth2-protocol)
and its standard OAUTHBEARER (RFC 7628) a token. All of them say the secret as it is, so TLS must hide it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection
from urllib.parse import quote

from newsletter.mail.relay import Auth, Relay

_MECHANISMS = {
    Auth.ANY: ("PLAIN", "LOGIN"),
    Auth.PLAIN: ("PLAIN",),
    Auth.LOGIN: ("LOGIN",),
    Auth.XOAUTH2: ("XOAUTH2", "OAUTHBEARER"),
}
_A = "\x01"


def mechanisms(auth: Auth) -> tuple[str, ...]:
    """The names of what may be used, the best first."""
    return _MECHANISMS[auth]


def answers(relay: Relay, secret: str, offered: Collection[str]) -> tuple[str, ...]:
    """What to say: the command, then an answer to each further challenge. Empty where nothing we may use is offered.

    A server that refuses a token says why in a challenge; the last answer only lets it go on to its refusal.
    """
    chosen = next((name for name in _MECHANISMS[relay.auth] if name in offered), "")
    if chosen == "PLAIN":
        return ("AUTH PLAIN " + _base64(f"\0{relay.user}\0{secret}"),)
    if chosen == "LOGIN":
        return "AUTH LOGIN", _base64(relay.user), _base64(secret)
    if chosen == "XOAUTH2":
        return "AUTH XOAUTH2 " + _base64(_xoauth2(relay.user, secret)), ""
    if chosen == "OAUTHBEARER":
        return "AUTH OAUTHBEARER " + _base64(_oauthbearer(relay, secret)), _base64(_A)
    return ()


def complaint(challenge: str) -> str:
    """What a server says of a token in its challenge: the `status` of base64 of JSON; empty where there is none."""
    try:
        said = json.loads(base64.b64decode(challenge, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    status = said.get("status") if isinstance(said, dict) else None
    return f"status {status}" if isinstance(status, str | int) else ""


def without_secrets(text: str, relay: Relay, secret: str) -> str:
    """A reply that quotes our password or token back is quoted without it."""
    secrets = {secret, quote(secret), quote(secret, safe=""), _base64(secret), _base64(f"\0{relay.user}\0{secret}")}
    secrets |= {_base64(_xoauth2(relay.user, secret)), _base64(_oauthbearer(relay, secret))}
    for shown in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(shown, "***")
    return text


def _xoauth2(user: str, token: str) -> str:
    return f"user={user}{_A}auth=Bearer {token}{_A}{_A}"


def _oauthbearer(relay: Relay, token: str) -> str:
    user = relay.user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4: a GS2 header's name
    return f"n,a={user},{_A}host={relay.host}{_A}port={relay.port}{_A}auth=Bearer {token}{_A}{_A}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
