"""How long work shows itself: a bar on a terminal, plain lines elsewhere, nothing when a script reads along."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from newsletter.app import ALONE, Watch
from newsletter.model import Outcome, SourceReport

_LINE_EVERY = 1000
_ROWS_EVERY = 100_000


@contextmanager
def sources_bar(count: int, *, quiet: bool = False) -> Iterator[Watch]:
    """Looks on while `count` sources are read."""
    if quiet or not sys.stderr.isatty():
        yield ALONE
        return
    with click.progressbar(length=count, label="reading sources", file=sys.stderr) as bar:

        def done(_: SourceReport) -> None:
            bar.update(1)

        yield Watch(source=done)


@contextmanager
def deliveries_bar(*, quiet: bool = False) -> Iterator[Watch]:
    """Looks on while messages are sent."""
    if quiet:
        yield ALONE
        return
    count = 0
    every = 1 if sys.stderr.isatty() else _LINE_EVERY
    end = "\r" if sys.stderr.isatty() else "\n"

    def finished(_: Outcome) -> None:
        nonlocal count
        count += 1
        if count % every == 0:
            click.echo(f"{count} messages{end}", nl=False, err=True)

    yield Watch(outcome=finished)
    if count and sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)


@contextmanager
def rows_bar(size: int) -> Iterator[Callable[[int, int], None]]:
    """Looks on while a file of so many bytes is read: told how many bytes and how many rows are done."""
    lines = 0
    if not sys.stderr.isatty():

        def told(_: int, rows: int) -> None:
            nonlocal lines
            if rows // _ROWS_EVERY > lines:
                lines = rows // _ROWS_EVERY
                click.echo(f"{rows} rows", err=True)

        yield told
        return
    with click.progressbar(length=size, label="importing", file=sys.stderr) as bar:
        yield lambda done, _: bar.update(done - bar.pos)
