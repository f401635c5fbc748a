"""Settings from the environment: prefix `NEWSLETTER_`, a `.env` file in the workspace, every mistake at once.

The environment wins over `.env`. A secret may come from a file instead: `NEWSLETTER_SECRET_KEY_FILE=/run/secrets/key`.
A workspace is the folder one works in: relative paths in the settings are relative to it.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

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
        help="the mail server: smtp://user:password@host:587?starttls=required, or smtps://host; "
        "the default is where `newsletter mailbox` listens",
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
    "ALLOW_NETWORKS": Setting(
        default="",
        help="private networks that sources may be fetched from, separated by commas: 192.168.1.0/24,127.0.0.0/8",
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
    allow_networks: tuple[Network, ...]
    model: Path | None
    summaries_url: str
    summaries_model: str
    summaries_key: str = field(repr=False)
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
        "ALLOW_NETWORKS": _networks,
        "MODEL": lambda text: workspace / text if text else None,
        "SUMMARIES_URL": lambda text: _base_url(text) if text else "",
        "SUMMARIES_MODEL": lambda text: _model(text, values["SUMMARIES_URL"]),
        "SUMMARIES_KEY": str,
        "LOG_FORMAT": _log_format,
    }
    parsed: dict[str, object] = {}
    for name, check in checks.items():
        try:
            parsed[name] = check(values[name])
        except ValueError as error:
            problems.append(Problem(key=PREFIX + name, what=str(error), hint=SETTINGS[name].help))
    if problems:
        raise ConfigError(problems)
    fields = {("secret_keys" if name == "SECRET_KEY" else name.lower()): value for name, value in parsed.items()}
    return Config(workspace=workspace, **fields)  # type: ignore[arg-type]  # the checks above give each its type


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
                values[name.removesuffix("_FILE")] = Path(value).read_text(encoding="utf-8").strip()
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
    parts = urlsplit(text)
    if not parts.scheme or not parts.hostname:
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


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _log_format(text: str) -> str:
    if text not in ("text", "json"):
        raise ValueError(f"{text!r} is neither text nor json")
    return text
