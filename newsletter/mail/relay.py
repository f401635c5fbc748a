"""The mail server as SMTP_URL names it: where it is, how the connection is protected, who we are to it."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from newsletter.errors import ConfigError, Problem

EXAMPLE = (
    "smtp://user:password@mail.example.org:587?starttls=required, smtps://mail.example.org or smtp://127.0.0.1:1025"
)
MOST_CONNECTIONS = 1000
MOST_MESSAGES = 1_000_000


class Tls(StrEnum):
    """How a connection is encrypted: from its first byte, by STARTTLS always or where offered, or not at all."""

    IMPLICIT = "implicit"
    REQUIRED = "required"
    AUTO = "auto"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A mail server to hand messages to. Neither user nor password shows in its representation."""

    host: str
    port: int
    tls: Tls
    verify: bool = True
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    connections: int = 4
    rate: float = 0.0  # messages a second, 0 for no limit
    per_connection: int = 0  # messages, 0 for no limit
    pipelining: bool = True  # where the server offers it

    @property
    def place(self) -> str:
        """What to call it in messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mail server {host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine, so that nothing said to it can be overheard."""
        return _loopback(self.host)


def parse_relay(url: str, *, connections: int = 4) -> Relay:
    """Read `smtp://user:password@host:587?starttls=required|auto|off&verify=on|off&connections=8` or `smtps://…`.

    Further options: `rate=14/s` (or /m, /h) messages at most, `per_connection=100` of them over one connection, and
    `pipelining=off` for a server that offers it and minds.
    The port is 465 for smtps, else 587 with a user and 25 without. STARTTLS is required unless the host is a loopback
    address, where it is used if offered and (an opportunistic encryption protects nothing there) not verified.
    ConfigError names every mistake, and never the password.
    """
    problems: list[Problem] = []

    def problem(what: str, hint: str = f"for instance {EXAMPLE}") -> None:
        problems.append(Problem(key="NEWSLETTER_SMTP_URL", what=what, hint=hint))

    parts, port = _split(url, problem)
    options = _options(parts.query, problem)
    implicit = parts.scheme == "smtps"
    host = parts.hostname or ""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in {"smtp", "smtps"}:
        problem("begins with neither smtp:// nor smtps://")
    if not host or not host.isprintable() or " " in host:
        problem("names no host")
    if bool(user) != bool(password) or "\0" in user + password:
        problem("needs both user and password, or neither", "percent-encode special characters in them: / as %2F")
    if implicit and "starttls" in options:
        problem("smtps is encrypted from the start and takes no starttls", "use smtp:// for STARTTLS")
    if parts.path not in {"", "/"} or parts.fragment:
        problem("has something after the host", "percent-encode special characters in the password: / as %2F, # as %23")
    number = _number(options, "connections", connections, range(1, MOST_CONNECTIONS + 1), problem)
    most = _number(options, "per_connection", 0, range(MOST_MESSAGES + 1), problem)
    rate = _RATE.fullmatch(options.get("rate", "0/s"))
    if rate is None:
        problem(f"rate is messages a second, minute or hour, not {options['rate']!r}", "for instance rate=14/s")
    if problems or rate is None:
        raise ConfigError(problems)
    tls = Tls.IMPLICIT if implicit else Tls(options.get("starttls", Tls.AUTO if _loopback(host) else Tls.REQUIRED))
    return Relay(
        host=host,
        port=port or (465 if implicit else 587 if user else 25),
        tls=tls,
        verify=options.get("verify", "off" if tls is Tls.AUTO and _loopback(host) else "on") == "on",
        user=user,
        password=password,
        connections=number,
        rate=float(rate[1]) / _PER[rate[2] or "s"],
        per_connection=most,
        pipelining=options.get("pipelining", "on") == "on",
    )


def _split(url: str, problem: Callable[[str], None]) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its text may quote the password
        problem("is not a URL with a valid host and port")
        return SplitResult("smtp", "unreadable", "", "", ""), None
    return parts, port


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "starttls": (Tls.REQUIRED, Tls.AUTO, Tls.OFF),
    "verify": ("on", "off"),
    "pipelining": ("on", "off"),
    "connections": (),
    "per_connection": (),
    "rate": (),
}
_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(?:/([smh]))?")
_PER = {"s": 1, "m": 60, "h": 3600}


def _options(query: str, problem: Callable[[str, str], None]) -> dict[str, str]:
    options: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        choices = _CHOICES.get(key)
        if choices is None:
            near = difflib.get_close_matches(key, _CHOICES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(_CHOICES)}"
            problem(f"has no option {key!r}", hint)
        elif choices and value not in choices:
            problem(f"{key} cannot be {value!r}", f"choose from: {', '.join(choices)}")
        else:
            options[key] = value
    return options


def _number(
    options: Mapping[str, str], key: str, default: int, allowed: range, problem: Callable[[str, str], None]
) -> int:
    text = options.get(key, str(default))
    if text.isascii() and text.isdigit() and int(text) in allowed:
        return int(text)
    problem(f"{key} is a number from {allowed[0]} to {allowed[-1]}, not {text!r}", f"for instance {key}=100")
    return default


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
