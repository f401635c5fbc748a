"""`subscribers import`: a file read row by row into the store, batch by batch, with an account of what was refused."""

from __future__ import annotations

import csv
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click

from newsletter.cli.progress import rows_bar
from newsletter.cli.workspace import now
from newsletter.errors import NewsletterError
from newsletter.roster import FIELDS, Refused, Roster
from newsletter.sheets import harmless, open_sheet
from newsletter.store import Store

_BATCH = 4000
_SHOWN = 20


@dataclass(slots=True)
class Enrolled:
    """What came of a file: how many of each outcome, and how many rows were refused."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: int = 0


def columns_of(pairs: tuple[str, ...]) -> dict[str, str]:
    """The fields and headers of `--map FIELD=HEADER`. UsageError for a field that there is not."""
    found = {}
    for pair in pairs:
        name, equals, header = pair.partition("=")
        if not equals or name.strip() not in FIELDS:
            raise click.UsageError(f'--map is FIELD="HEADER" with one of {", ".join(FIELDS)}, not {pair!r}')
        found[name.strip()] = header
    return found


def enrol(
    store: Store,
    path: Path,
    *,
    barred: Callable[[Collection[str]], Mapping[str, str]],
    newsletter: str,
    confirmed: bool,
    columns: Mapping[str, str],
    state: str,
    encoding: str,
    rejects: Path | None,
) -> Enrolled:
    """Read the file, `-` for the input, into the newsletter. NewsletterError when it is no such list, or ends badly.

    Of some addresses `barred` tells who is to be left alone, and as what outcome they count. Each batch is a
    transaction; what was read before an error stays, and is known when the file is read again.
    """
    done = Enrolled()
    with _opened(path) as file, _refusals(path, rejects) as refuse:
        try:
            sheet = open_sheet(file, encoding=encoding)
            roster = Roster(sheet, file=path.name if str(path) != "-" else "the input", columns=columns, state=state)
            _tell(roster, f"{sheet.encoding}, columns parted by {sheet.delimiter!r}")
            with rows_bar(os.fstat(file.fileno()).st_size) as show:
                read = roster.read()
                while rows := list(islice(read, _BATCH)):
                    people = [row for row in rows if not isinstance(row, Refused)]
                    left_alone = barred([who.email for who in people])
                    done.outcomes.update(left_alone[who.email] for who in people if who.email in left_alone)
                    people = [who for who in people if who.email not in left_alone]
                    done.outcomes.update(
                        store.subscribers.enrol(people, newsletter=newsletter, confirmed=confirmed, now=now())
                    )
                    for row in rows:
                        if isinstance(row, Refused):
                            refuse(row)
                            done.refused += 1
                    show(file.tell(), done.outcomes.total() + done.refused)
        except ValueError as error:
            rest = f"; {done.outcomes.total()} rows before are in" if done.outcomes else ""
            raise NewsletterError(f"could not import {path}: {error}{rest}") from error
    return done


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file; what comes by the input is written to one first, since it is looked through before it is read."""
    if str(path) != "-":
        with path.open("rb") as file:
            yield file
        return
    with tempfile.NamedTemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        with Path(kept.name).open("rb") as file:
            yield file


def _tell(roster: Roster, how: str) -> None:
    named = [f"{name} = {roster.header[place]!r}" for name, place in roster.columns.items()] if roster.header else []
    click.echo(f"reading {how}: {', '.join(named) or 'addresses, without a header'}")
    if roster.ignored:
        click.echo(f"left out: {', '.join(roster.ignored)}")
    if roster.state:
        click.echo(f"everybody in it counts as {roster.state}")


@contextmanager
def _refusals(path: Path, rejects: Path | None) -> Iterator[Callable[[Refused], None]]:
    """Tells the first refused rows, and writes all of them into a file where one is wished for."""
    count = 0
    with ExitStack() as stack:
        if rejects:
            writer = csv.writer(stack.enter_context(rejects.open("w", encoding="utf-8", newline="")))
            writer.writerow(["line", "value", "reason"])

        def refuse(row: Refused) -> None:
            nonlocal count
            count += 1
            if rejects:
                writer.writerow([row.line, harmless(row.value), harmless(row.reason)])
            if count <= _SHOWN:
                click.echo(f"{path}:{row.line}: {row.reason}", err=True)

        yield refuse
    if count > _SHOWN:
        where = f"all are in {rejects}" if rejects else "--rejects FILE writes all of them"
        click.echo(f"and {count - _SHOWN} more; {where}", err=True)
