"""What most commands begin with: the settings of the workspace, the app or only its store, the time."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from newsletter.config import Config, load_config

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.store import Store

F = TypeVar("F", bound=Callable[..., Any])

by: Callable[[F], F] = click.option(
    "--by", "who", default=getpass.getuser, show_default="you", help="Whose name it is kept under."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def config(ctx: click.Context) -> Config:
    """The settings of the workspace the command was called for. ConfigError."""
    workspace: Path = ctx.obj
    return load_config(workspace)


@contextmanager
def open_workspace(ctx: click.Context) -> Iterator[App]:
    """The app of the workspace."""
    from newsletter.app import open_app  # noqa: PLC0415  # the whole house: not for `--help`

    with open_app(config(ctx)) as app:
        yield app


@contextmanager
def open_ledger(ctx: click.Context) -> Iterator[Store]:
    """Only its store: works whatever state schedules.yaml is in."""
    from newsletter.store import migrate, open_store  # noqa: PLC0415

    store = open_store(config(ctx).database_url)
    try:
        migrate.check(store.db)
        yield store
    finally:
        store.close()


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    from newsletter.codec import plain  # noqa: PLC0415

    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def print_json_list(values: Iterable[object]) -> None:
    """A JSON array on standard output, written as its members come: there may be many."""
    from newsletter.codec import plain  # noqa: PLC0415

    before = "["
    for value in values:
        click.echo(before + json.dumps(plain(value), ensure_ascii=False, indent=2))
        before = ","
    click.echo("[]" if before == "[" else "]")


def local(moment: datetime) -> str:
    """A moment as the operator's own clock shows it: `2026-11-20 08:00 +0100`."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M %z")
