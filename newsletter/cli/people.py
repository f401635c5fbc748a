"""`subscribers`: who gets mail."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO
from zoneinfo import available_timezones

import click

from newsletter.addresses import address
from newsletter.cli import FAILED, PARTLY
from newsletter.cli.ledger import harmless
from newsletter.cli.work import Email
from newsletter.cli.workspace import as_json, now, open_ledger, open_workspace, print_json
from newsletter.errors import NewsletterError
from newsletter.store.subscribers import Applicant

_COLUMNS = ("email", "name", "timezone", "cadence")
_CADENCES = ("daily", "weekly", "monthly")
_newsletter = click.option("--newsletter", required=True, help="Which newsletter, by its name in schedules.yaml.")
_confirmed = click.option("--confirmed", is_flag=True, help="They have agreed already: no confirmation is waited for.")


@click.group()
def subscribers() -> None:
    """Add, list, import, export readers; let them leave, suppress and forget them."""


@subscribers.command()
@click.argument("emails", metavar="EMAIL...", nargs=-1, required=True, type=Email())
@_newsletter
@_confirmed
@click.option("--name", default="", help="How to address them.")
@click.option("--timezone", default="", help="IANA name, for mails at the reader's own time.")
@click.option("--cadence", type=click.Choice(_CADENCES), default="daily", show_default=True)
@click.pass_context
def add(
    ctx: click.Context,
    emails: tuple[str, ...],
    *,
    newsletter: str,
    confirmed: bool,
    name: str,
    timezone: str,
    cadence: str,
) -> None:
    """Subscribe addresses to a newsletter. Whoever left stays away."""
    if timezone and timezone not in available_timezones():
        raise click.BadParameter(f"there is no time zone {timezone!r}; they are named like Europe/Paris")
    applicants = [Applicant(email=email, name=name, timezone=timezone, cadence=cadence) for email in emails]
    with open_workspace(ctx) as app:
        app.newsletter(newsletter)
        outcomes = app.store.subscribers.add(
            applicants, newsletter=newsletter, confirmed=confirmed, how="added by the operator", now=now()
        )
    for email, outcome in zip(emails, outcomes, strict=True):
        click.echo(f"{email}: {_OUTCOMES[outcome]}")
    if not confirmed and "added" in outcomes:
        click.echo("they get no mail before they have confirmed; --confirmed says that they have agreed already")


_OUTCOMES = {
    "added": "added",
    "known": "known already",
    "confirmed": "confirmed",
    "left": "has left, and stays away",
}


@subscribers.command("list")
@click.option("--newsletter", default="", help="Only the readers of this newsletter.")
@as_json
@click.pass_context
def list_subscribers(ctx: click.Context, *, newsletter: str, as_json: bool) -> None:
    """List readers, what they chose, and who gets no mail."""
    with open_ledger(ctx) as store:
        found = store.subscribers.list(newsletter)
    if as_json:
        print_json(found)
        return
    for who in found:
        state = f"suppressed: {who.suppressed}" if who.suppressed else f"{who.state} {who.cadence}".strip()
        click.echo(f"{who.email:<40} {state}")
    click.echo(f"{len(found)} in all")


@subscribers.command("import")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@_newsletter
@_confirmed
@click.pass_context
def import_subscribers(ctx: click.Context, file: TextIO, *, newsletter: str, confirmed: bool) -> None:
    """Import a CSV file with the columns email, name, timezone and cadence; all but the first may be missing.

    A row that cannot be used is reported with its line; the others are imported.
    """
    refused: list[str] = []
    applicants = list(_applicants(file, refused))
    with open_workspace(ctx) as app:
        app.newsletter(newsletter)
        outcomes = app.store.subscribers.add(
            applicants,
            newsletter=newsletter,
            confirmed=confirmed,
            how=f"imported from {Path(file.name).name}",
            now=now(),
        )
    for line in refused:
        click.echo(line, err=True)
    for outcome, count in sorted(Counter(outcomes).items()):
        click.echo(f"{count} {_OUTCOMES[outcome]}")
    if refused:
        click.echo(f"{len(refused)} refused")
        ctx.exit(PARTLY if applicants else FAILED)


@subscribers.command()
@click.option("--newsletter", default="", help="Only the readers of this newsletter.")
@click.pass_context
def export(ctx: click.Context, *, newsletter: str) -> None:
    """Print readers as CSV, in the form that `import` takes."""
    writer = csv.writer(sys.stdout)
    writer.writerow([*_COLUMNS, "state", "suppressed"])
    with open_ledger(ctx) as store:
        for who in store.subscribers.list(newsletter):
            row = (who.email, who.name, who.timezone, who.cadence, who.state, who.suppressed)
            writer.writerow([harmless(cell) for cell in row])


@subscribers.command()
@click.argument("email", type=Email())
@_newsletter
@click.pass_context
def leave(ctx: click.Context, email: str, *, newsletter: str) -> None:
    """End the subscription of EMAIL to one newsletter, as its reader asked; no import brings it back."""
    with open_ledger(ctx) as store:
        store.subscribers.leave(store.subscribers.get(email), newsletter=newsletter, now=now())
    click.echo(f"{email}: gets no {newsletter} any more")


@subscribers.command()
@click.argument("email", type=Email())
@click.option("--reason", default="by the operator", show_default=True)
@click.pass_context
def suppress(ctx: click.Context, email: str, *, reason: str) -> None:
    """Never write to EMAIL again, for any newsletter."""
    with open_ledger(ctx) as store:
        store.subscribers.suppress(store.subscribers.get(email), reason=reason, now=now())
    click.echo(f"{email}: gets no mail any more")


@subscribers.command()
@click.argument("email", type=Email())
@click.pass_context
def forget(ctx: click.Context, email: str) -> None:
    """Erase everything known about EMAIL. The counts of past issues stay, without a name."""
    with open_ledger(ctx) as store:
        store.subscribers.forget(store.subscribers.get(email))
    click.echo(f"{email}: erased")


def _applicants(file: TextIO, refused: list[str]) -> Iterator[Applicant]:
    """The usable rows; the others are noted in `refused` with their line. NewsletterError without an email column."""
    reader = csv.DictReader(file)
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    if "email" not in columns:
        raise NewsletterError(f"could not import {file.name}: its first line names no column `email`, but: {columns}")
    reader.fieldnames = columns
    for row in reader:
        try:
            yield _applicant({name: (row.get(name) or "").strip() for name in _COLUMNS})
        except ValueError as error:
            refused.append(f"{file.name}:{reader.line_num}: {error}")


def _applicant(row: dict[str, str]) -> Applicant:
    if row["timezone"] and row["timezone"] not in available_timezones():
        raise ValueError(f"there is no time zone {row['timezone']!r}")
    cadence = row["cadence"] or "daily"
    if cadence not in _CADENCES:
        raise ValueError(f"{cadence!r} is none of {', '.join(_CADENCES)}")
    return Applicant(email=address(row["email"]), name=row["name"], timezone=row["timezone"], cadence=cadence)
