"""Settings from the environment: prefix `NEWSLETTER_`, a `.env` file in the workspace, every mistake at once.

The environment wins over `.env`. A secret may come from a file instead: `NEWSLETTER_SECRET_KEY_FILE=/run/secrets/key`.
A workspace is the folder one works in: relative paths in the settings are relative to it.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.addresses import address
from newsletter.errors import ConfigError, Problem

PREFIX = "NEWSLETTER_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable: its default, what it is for (one line, shown in the docs) and whether `_FILE` may carry it."""

    default: str
    help: str
    secret: bool = False


SETTINGS: Mapping[str, Setting] = {
    "DATABASE_URL": Setting(
        default="sqlite:///newsletter.db",
        help="where everything is remembered: sqlite:///file.db or postgresql://user:password@host/name",
        secret=True,
    ),
    "SMTP_URL": Setting(
        default="smtp://127.0.0.1:1025",
        help="the mail server: smtp://user:password@host:587?starttls=required, or smtps://host; several with a space "
        "between them; mx: for none, straight to the readers' own; the default is where `newsletter mailbox` listens",
        secret=True,
    ),
    "BASE_URL": Setting(
        default="http://127.0.0.1:8000",
        help="the public address of the web pages; links in mails begin with it",
    ),
    "SECRET_KEY": Setting(
        default="",
        help="signs the links in mails; created by `newsletter init`. Several, separated by commas: the first signs, "
        "all verify, so that links in old mails go on working after a change",
        secret=True,
    ),
    "SCHEDULES": Setting(default="schedules.yaml", help="the file that says what is sent when"),
    "TEMPLATES": Setting(default="templates", help="your own templates, searched before the bundled ones"),
    "BOUNCE_DOMAIN": Setting(
        default="",
        help="the domain that takes bounces: envelope senders become b+<token>@<domain> and mails offer a mailto "
        "unsubscribe; empty: the newsletter's own address is the envelope sender",
    ),
    "DKIM_DOMAIN": Setting(
        default="",
        help="the domain that signs every mail (DKIM), that of the newsletter's own address; empty: the relay signs",
    ),
    "DKIM_SELECTOR": Setting(default="", help="the name under which the DNS of that domain has the key"),
    "DKIM_KEY": Setting(
        default="",
        help="the private key, RSA or Ed25519, in PEM form; `newsletter dkim new` makes one",
        secret=True,
    ),
    "DKIM_SELECTOR_2": Setting(default="", help="the name of a second key, where mails are signed by two"),
    "DKIM_KEY_2": Setting(
        default="", help="the second key: a new one beside the old, or Ed25519 beside RSA", secret=True
    ),
    "OPERATOR": Setting(
        default="",
        help="the address that alarms go to; empty: they stand in the log only",
    ),
    "ALLOW_NETWORKS": Setting(
        default="",
        help="private networks that strangers may lead us to, as sources and as mail servers of readers' domains, "
        "separated by commas: 192.168.1.0/24,127.0.0.0/8",
    ),
    "TRUSTED_PROXIES": Setting(
        default="127.0.0.0/8,::1/128",
        help="networks of the proxies in front of the web pages: what they say of who asks (X-Forwarded-For) is "
        "believed, and nobody else",
    ),
    "MODEL": Setting(
        default="",
        help="the folder of a sentence model such as all-MiniLM-L6-v2 that texts are compared by; empty: the table of "
        "the extra `semantic` where it is installed, else the words alone",
    ),
    "SUMMARIES_URL": Setting(
        default="",
        help="an OpenAI-compatible server, up to and with /v1, that is asked for summaries of chosen stories that have "
        "none; empty: sentences of the abstract. It sees their titles and abstracts",
    ),
    "SUMMARIES_MODEL": Setting(default="", help="the name of the model there"),
    "SUMMARIES_KEY": Setting(default="", help="the key for that server, where it wants one", secret=True),
    "WEBSUB_HUB": Setting(
        default="",
        help="a WebSub hub that feeds name, for readers that want to be told of news at once; empty: none",
    ),
    "LOG_FORMAT": Setting(default="text", help="text for people, json for machines"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings, checked. `secret_keys` are never shown."""

    workspace: Path
    database_url: str = field(repr=False)
    smtp_url: str = field(repr=False)
    base_url: str
    secret_keys: tuple[str, ...] = field(repr=False)
    schedules: Path
    templates: Path
    bounce_domain: str
    dkim_domain: str
    dkim_selector: str
    dkim_key: str = field(repr=False)
    dkim_selector_2: str
    dkim_key_2: str = field(repr=False)
    operator: str
    allow_networks: tuple[Network, ...]
    trusted_proxies: tuple[Network, ...]
    model: Path | None
    summaries_url: str
    summaries_model: str
    summaries_key: str = field(repr=False)
    websub_hub: str
    log_format: str


def load_config(workspace: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The settings for a workspace, from `environ` and the workspace's `.env`. ConfigError lists every mistake."""
    workspace = workspace.resolve()
    values, problems = _values(workspace, environ)
    checks: dict[str, Callable[[str], object]] = {
        "DATABASE_URL": lambda text: _database_url(text, workspace),
        "SMTP_URL": _smtp_url,
        "BASE_URL": _base_url,
        "SECRET_KEY": lambda text: tuple(key.strip() for key in text.split(",") if key.strip()),
        "SCHEDULES": lambda text: workspace / text,
        "TEMPLATES": lambda text: workspace / text,
        "BOUNCE_DOMAIN": _domain,
        "DKIM_DOMAIN": lambda text: _dkim_name(_beside(text, values, "DKIM_SELECTOR", "DKIM_KEY"), "domain"),
        "DKIM_SELECTOR": lambda text: _dkim_name(
            _beside(text, values, "DKIM_DOMAIN", "DKIM_KEY", "DKIM_SELECTOR_2"), "selector"
        ),
        "DKIM_KEY": lambda text: _beside(text, values, "DKIM_DOMAIN", "DKIM_SELECTOR", "DKIM_KEY_2"),
        "DKIM_SELECTOR_2": lambda text: _second_selector(_beside(text, values, "DKIM_KEY_2"), values["DKIM_SELECTOR"]),
        "DKIM_KEY_2": lambda text: _beside(text, values, "DKIM_SELECTOR_2"),
        "OPERATOR": lambda text: address(text) if text else "",
        "ALLOW_NETWORKS": _networks,
        "TRUSTED_PROXIES": _networks,
        "MODEL": lambda text: workspace / text if text else None,
        "SUMMARIES_URL": lambda text: _base_url(text) if text else "",
        "SUMMARIES_MODEL": lambda text: _model(text, values["SUMMARIES_URL"]),
        "SUMMARIES_KEY": str,
        "WEBSUB_HUB": lambda text: _base_url(text) if text else "",
        "LOG_FORMAT": _log_format,
    }
    parsed: dict[str, object] = {}
    for name, check in checks.items():
        try:
            parsed[name] = check(values[name])
        except ValueError as error:
            problems.append(Problem(key=PREFIX + name, what=str(error), hint=SETTINGS[name].help))
    problems += [
        Problem(key=path.name, what="everybody on this machine can write it", hint=f"chmod o-w {path}")
        for path in (workspace / ".env", workspace / values["SCHEDULES"])
        if _lets_others(path, stat.S_IWOTH)
    ]
    if problems:
        raise ConfigError(problems)
    fields = {("secret_keys" if name == "SECRET_KEY" else name.lower()): value for name, value in parsed.items()}
    return Config(workspace=workspace, **fields)  # type: ignore[arg-type]  # the checks above give each its type


def readable_by_all(settings: Config) -> list[Path]:
    """Files of a workspace with secrets or readers in them that everybody on this machine can read."""
    url = settings.database_url
    database = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    return [
        path
        for path in (settings.workspace / ".env", database)
        if path is not None and _lets_others(path, stat.S_IROTH)
    ]


def _lets_others(path: Path, what: int) -> bool:
    return path.is_file() and bool(path.stat().st_mode & what)


def _values(workspace: Path, environ: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """Each setting's text, from the environment, else `.env`, else its default; and the names that are none."""
    import dotenv  # noqa: PLC0415  # `newsletter --help` needs no settings

    written = {key: value or "" for key, value in dotenv.dotenv_values(workspace / ".env").items()}
    given = {key: value for key, value in {**written, **environ}.items() if key.startswith(PREFIX)}
    problems: list[Problem] = []
    values = {name: setting.default for name, setting in SETTINGS.items()}
    for variable, value in given.items():
        name = variable.removeprefix(PREFIX)
        if name in SETTINGS:
            values[name] = value.strip()
        elif name.endswith("_FILE") and SETTINGS.get(name.removesuffix("_FILE"), _PLAIN).secret:
            try:
                values[name.removesuffix("_FILE")] = (workspace / value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(Problem(key=variable, what=f"could not read {value}: {error}"))
        elif not name.startswith("TEST_"):  # the test-suite's own switches
            near = difflib.get_close_matches(name, SETTINGS, n=1)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else "known: " + ", ".join(SETTINGS)
            problems.append(Problem(key=variable, what="there is no such setting", hint=hint))
    return values, problems


_PLAIN = Setting(default="", help="")


def _database_url(text: str, workspace: Path) -> str:
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite":
        # SQLAlchemy's own rule: three slashes relative, four absolute; relative to the workspace, not to where
        # a daemon happens to be started.
        path = rest.removeprefix("/")
        return text if path in ("", ":memory:") else f"sqlite:///{workspace / path}"
    if scheme in ("postgresql", "postgres"):
        return text
    raise ValueError(f"{scheme or 'nothing'!r} is not a database we know")


def _smtp_url(text: str) -> str:
    for url in text.split() or [""]:
        parts = urlsplit(url)
        if not parts.scheme or not (parts.netloc or parts.path or parts.query or parts.scheme == "mx"):
            raise ValueError("not an address of a mail server")
        _ = parts.port  # ValueError for a port that is none
    return text


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is not a web address")
    return text.rstrip("/")


def _model(text: str, server: str) -> str:
    if server and not text:
        raise ValueError("must name the model that NEWSLETTER_SUMMARIES_URL is asked for")
    return text


def _domain(text: str) -> str:
    if text and (not text.replace("-", "").replace(".", "").isalnum() or "." not in text):
        raise ValueError(f"{text!r} is not a domain")
    return text.lower()


_LABEL = "[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"


def _dkim_name(text: str, what: str) -> str:
    """A domain or selector as a signature and the DNS have it, an international one as A-labels."""
    if text and not re.fullmatch(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", text.lower()):
        raise ValueError(f"{text!r} is not a {what}")
    return text.lower()


def _second_selector(text: str, first: str) -> str:
    if text and text.lower() == first.lower():
        raise ValueError("is the same as the first, and one name has one key")
    return _dkim_name(text, "selector")


def _beside(text: str, values: Mapping[str, str], *others: str) -> str:
    """The text of a setting, which may not be missing where one of the others is set."""
    given = [PREFIX + name for name in others if values[name]]
    if given and not text:
        raise ValueError(f"must be set beside {given[0]}")
    return text


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _log_format(text: str) -> str:
    if text not in ("text", "json"):
        raise ValueError(f"{text!r} is neither text nor json")
    return text
