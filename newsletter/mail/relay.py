"""The mail server as SMTP_URL names it: where it is, how the connection is protected, who we are to it."""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from newsletter.errors import ConfigError, Problem
from newsletter.mail.budget import Limits, WarmUp, parse_warm_up

EXAMPLE = (
    "smtp://user:password@mail.example.org:587?starttls=required, smtps://mail.example.org or smtp://127.0.0.1:1025"
)
RELAY = "mail server "  # how its name begins wherever it is told
MOST_CONNECTIONS = 1000
MOST_MESSAGES = 1_000_000
HEAVIEST = 1000
WIDEST = 64  # messages by BDAT at once; a cut leaves all of them uncertain


class Tls(StrEnum):
    """How a connection is encrypted: from its first byte, by STARTTLS always or where offered, or not at all."""

    IMPLICIT = "implicit"
    REQUIRED = "required"
    AUTO = "auto"
    OFF = "off"


class Auth(StrEnum):
    """How we say who we are (RFC 4954). ANY is the best offered that takes a password; XOAUTH2 takes a token."""

    ANY = "any"
    PLAIN = "plain"
    LOGIN = "login"
    XOAUTH2 = "xoauth2"


class Dsn(StrEnum):
    """What a server shall tell by mail of a message it could not deliver (RFC 3461); OFF leaves it to the server."""

    OFF = "off"
    FAILURE = "failure"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A mail server to hand messages to. Neither user nor password shows in its representation.

    `path` is that of its socket, for a server that listens on no port; `token_file` holds the token for XOAUTH2, which
    is read again for each connection because tokens expire.
    """

    host: str
    port: int
    tls: Tls
    lmtp: bool = False
    path: str = ""
    address: str = ""  # of the host, where it is looked up already
    verify: bool = True
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    auth: Auth = Auth.ANY
    token_file: str = ""
    connections: int = 4
    rate: float = 0.0  # messages a second, 0 for no limit
    per_connection: int = 0  # messages, 0 for no limit
    pipelining: bool = True  # where the server offers it
    chunking: int = 0  # messages on their way by BDAT where the server offers it, 0 for DATA
    dsn: Dsn = Dsn.OFF  # where the server offers it
    weight: int = 1  # of its share, beside other servers
    warm_up: WarmUp | None = None

    @property
    def place(self) -> str:
        """What to call it in messages."""
        if self.path:
            return f"{RELAY}{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{RELAY}{host}:{self.port}"

    @property
    def name(self) -> str:
        """What to keep its budget under: the server, and who we are to it, by a digest."""
        who = f" {hashlib.sha256(self.user.encode()).hexdigest()[:8]}" if self.user else ""
        return f"{self.place}{who}"

    @property
    def limits(self) -> Limits:
        """What the operator allows."""
        return Limits(rate=self.rate, warm_up=self.warm_up)

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine, so that nothing said to it can be overheard."""
        return bool(self.path) or _loopback(self.host)


def parse_relay(url: str, *, connections: int = 4) -> Relay:
    """Read `smtp://user:password@host:587?starttls=required|auto|off&verify=on|off&connections=8` or `smtps://…`.

    Also `lmtp://host:port` and `lmtp:///path/of/a/socket` (RFC 2033). Further options: `rate=14/s` (or /m, /h) messages
    at most, `per_connection=100` of them over one connection, `auth=plain|login|xoauth2`, `token_file=/path` for
    the last, `weight=3` of its share beside other servers, `warm_up=200..20000/14d` (see `budget.WarmUp`),
    `dsn=failure|never`, `chunking=4` messages at once by BDAT, and `pipelining=off` for a server that offers
    it and minds.
    The port is 465 for smtps, 24 for lmtp, else 587 with a user and 25 without. STARTTLS is required unless the host is
    a loopback address, where it is used if offered and (an opportunistic encryption protects nothing there) not
    verified. ConfigError names every mistake, and never the password.
    """
    problems: list[Problem] = []

    def problem(what: str, hint: str = f"for instance {EXAMPLE}") -> None:
        problems.append(Problem(key="NEWSLETTER_SMTP_URL", what=what, hint=hint))

    parts, port = _split(url, problem)
    options = _options(parts.query, problem)
    lmtp = parts.scheme == "lmtp"
    path = unquote(parts.path) if lmtp and not parts.netloc and parts.path.strip("/") else ""
    host = parts.hostname or ""
    if parts.scheme not in _PORTS:
        problem("begins with neither smtp:// nor smtps:// nor lmtp://")
    if "\0" in path or not (path or (host and host.isprintable() and " " not in host)):
        problem("names no host")
    if (not path and parts.path not in {"", "/"}) or parts.fragment:
        problem("has something after the host", "percent-encode special characters in the password: / as %2F, # as %23")
    user, password = _credentials(parts, options, problem)
    tls = _tls(parts.scheme, options, loopback=_loopback(host), path=path, problem=problem)
    if lmtp and "chunking" in options:
        problem("chunking is for smtp:// and smtps:// only", "leave it out")
    number = _number(options, "connections", connections, range(1, MOST_CONNECTIONS + 1), problem)
    most = _number(options, "per_connection", 0, range(MOST_MESSAGES + 1), problem)
    window = _number(options, "chunking", 0, range(WIDEST + 1), problem)
    rate = _RATE.fullmatch(options.get("rate", "0/s"))
    if rate is None:
        problem(f"rate is messages a second, minute or hour, not {options['rate']!r}", "for instance rate=14/s")
    weight = _number(options, "weight", 1, range(1, HEAVIEST + 1), problem)
    warm_up = _warm_up(options, problem)
    if problems or rate is None:
        raise ConfigError(problems)
    return Relay(
        host=host,
        port=0 if path else port or (587 if user and parts.scheme == "smtp" else _PORTS[parts.scheme]),
        tls=tls,
        lmtp=lmtp,
        path=path,
        verify=options.get("verify", "off" if tls is Tls.AUTO and _loopback(host) else "on") == "on",
        user=user,
        password=password,
        auth=Auth(options.get("auth", Auth.XOAUTH2 if "token_file" in options else Auth.ANY)),
        token_file=options.get("token_file", ""),
        connections=number,
        rate=float(rate[1]) / _PER[rate[2] or "s"],
        per_connection=most,
        pipelining=options.get("pipelining", "on") == "on",
        chunking=window,
        dsn=Dsn(options.get("dsn", Dsn.OFF)),
        weight=weight,
        warm_up=warm_up,
    )


def _credentials(
    parts: SplitResult, options: Mapping[str, str], problem: Callable[[str, str], None]
) -> tuple[str, str]:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    token_file = options.get("token_file")
    if token_file is None and bool(user) != bool(password):
        problem("needs both user and password, or neither", "percent-encode special characters in them: / as %2F")
    if any(char in user + password for char in "\0\x01\r\n"):
        problem("has a control character in user or password", "use others")
    if token_file is not None:
        if not token_file.startswith("/") or "\0" in token_file:
            problem("token_file is the whole path of a file", "for instance token_file=/run/token")
        if options.get("auth", "xoauth2") != "xoauth2":
            problem(f"token_file is for auth=xoauth2, not {options['auth']}", "leave one of them out")
        if not user or password:
            problem("needs a user and no password beside token_file", "for instance smtp://user@host?token_file=/path")
    elif "auth" in options and not user:
        problem(f"auth={options['auth']} needs a user", "put user:password@ before the host")
    return user, password


def _tls(
    scheme: str, options: Mapping[str, str], *, loopback: bool, path: str, problem: Callable[[str, str], None]
) -> Tls:
    if scheme == "smtps":
        if "starttls" in options:
            problem("smtps is encrypted from the start and takes no starttls", "use smtp:// for STARTTLS")
        return Tls.IMPLICIT
    if path:
        if "starttls" in options:
            problem("a socket of this machine takes no starttls", "leave it out")
        return Tls.OFF
    return Tls(options.get("starttls", Tls.AUTO if loopback else Tls.REQUIRED))


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
    "auth": (Auth.PLAIN, Auth.LOGIN, Auth.XOAUTH2),
    "token_file": (),
    "dsn": tuple(Dsn),
    "chunking": (),
    "connections": (),
    "per_connection": (),
    "rate": (),
    "weight": (),
    "warm_up": (),
}
_PORTS: Mapping[str, int] = {"smtp": 25, "smtps": 465, "lmtp": 24}  # 24: any private mail system
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


def _warm_up(options: Mapping[str, str], problem: Callable[[str, str], None]) -> WarmUp | None:
    if "warm_up" not in options:
        return None
    try:
        return parse_warm_up(options["warm_up"])
    except ValueError as error:
        problem(f"warm_up: {error}", "for instance warm_up=200..20000/14d")
        return None


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
