"""`subscribers`: who gets mail, and what is known about them."""

from __future__ import annotations

import csv
import sys
from functools import partial
from pathlib import Path
from zoneinfo import available_timezones

import click

from newsletter.cli import FAILED, PARTLY
from newsletter.cli.enrol import columns_of, enrol
from newsletter.cli.work import Email
from newsletter.cli.workspace import as_json, local, now, open_ledger, open_workspace, print_json, print_json_list
from newsletter.roster import CADENCES, FIELDS, written
from newsletter.store.subscribers import Applicant

_STATES = ("pending", "confirmed", "left", "suppressed")
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
@click.option("--cadence", type=click.Choice(CADENCES), default="daily", show_default=True)
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
    from newsletter import consent  # noqa: PLC0415

    applicants = [Applicant(email=email, name=name, timezone=timezone, cadence=cadence) for email in emails]
    with open_workspace(ctx) as app:
        app.newsletter(newsletter)
        barred = consent.barred(app.store, app.links, emails, newsletter=newsletter)
        applicants = [who for who in applicants if who.email not in barred]
        outcomes = app.store.subscribers.add(
            applicants, newsletter=newsletter, confirmed=confirmed, how="added by the operator", now=now()
        )
    came_of = barred | dict(zip((who.email for who in applicants), outcomes, strict=True))
    for email in emails:
        click.echo(f"{email}: {_OUTCOMES[came_of[email]]}")
    if not confirmed and "added" in outcomes:
        click.echo("they get no mail before they have confirmed; --confirmed says that they have agreed already")


_OUTCOMES = {
    "added": "added",
    "known": "known already",
    "confirmed": "confirmed",
    "left": "has left, and stays away",
    "unwilling": "asked never to be written to again, and is left alone",
}


@subscribers.command("list")
@click.option("--newsletter", default="", help="Only the readers of this newsletter.")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--like", metavar="TEXT", default="", help="Only addresses with this text in them.")
@as_json
@click.pass_context
def list_subscribers(ctx: click.Context, *, newsletter: str, state: str | None, like: str, as_json: bool) -> None:
    """List readers, what they chose, and who gets no mail."""
    with open_ledger(ctx) as store:
        found = store.subscribers.each(newsletter, state=state or "", like=like)
        if as_json:
            print_json_list(found)
            return
        count = 0
        for who in found:
            standing = f"suppressed: {who.suppressed}" if who.suppressed else f"{who.state} {who.cadence}".strip()
            click.echo(f"{who.email:<40} {standing}")
            count += 1
    click.echo(f"{count} in all")


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@_newsletter
@_confirmed
@click.option(
    "--map",
    "columns",
    metavar='FIELD="HEADER"',
    multiple=True,
    help=f"Which column is which, where its name does not tell: {', '.join(FIELDS)}. An empty one leaves it out.",
)
@click.option("--as", "state", type=click.Choice(["left", "suppressed"]), help="All in the file left, or get no mail.")
@click.option("--encoding", default="", help="How the file is written, where that is not found out rightly.")
@click.option("--rejects", type=click.Path(path_type=Path, dir_okay=False), help="Write the refused rows to this file.")
@click.pass_context
def import_subscribers(
    ctx: click.Context,
    file: Path,
    *,
    newsletter: str,
    confirmed: bool,
    columns: tuple[str, ...],
    state: str | None,
    encoding: str,
    rejects: Path | None,
) -> None:
    """Import a list of readers: CSV, or an export of listmonk, Mailchimp, Buttondown or Substack. `-` reads the input.

    Who left there has left here and is never written to; who left here is not brought back. A row that cannot be used
    is reported with its line, and the others are imported. Running it again adds nothing twice.
    """
    from newsletter import consent  # noqa: PLC0415

    wanted = columns_of(columns)
    with open_workspace(ctx) as app:
        app.newsletter(newsletter)
        done = enrol(
            app.store,
            file,
            barred=partial(consent.barred, app.store, app.links, newsletter=newsletter),
            newsletter=newsletter,
            confirmed=confirmed,
            columns=wanted,
            state=state or "",
            encoding=encoding,
            rejects=rejects,
        )
    for outcome, count in sorted(done.outcomes.items()):
        click.echo(f"{count} {_OUTCOMES[outcome]}")
    if not confirmed and done.outcomes["added"]:
        click.echo("they get no mail before they have confirmed; --confirmed says that they have agreed already")
    if done.refused:
        click.echo(f"{done.refused} refused")
        ctx.exit(PARTLY if done.outcomes else FAILED)


@subscribers.command()
@_newsletter
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.pass_context
def export(ctx: click.Context, *, newsletter: str, state: str) -> None:
    """Print the readers of a newsletter as CSV, in the form that `import` takes; no cell is a formula."""
    writer = csv.writer(sys.stdout)
    with open_ledger(ctx) as store:
        writer.writerows(written(store.subscribers.choosing(newsletter, state=state or "")))


@subscribers.command()
@click.argument("email", type=Email())
@as_json
@click.pass_context
def history(ctx: click.Context, email: str, *, as_json: bool) -> None:
    """Tell what EMAIL agreed to, changed and ended: when, and by what means."""
    with open_ledger(ctx) as store:
        found = store.events.list(subscriber=store.subscribers.get(email))
    if as_json:
        print_json(found)
        return
    for event in found:
        about = " ".join(part for part in (event.kind, event.newsletter) if part)
        click.echo(f"{local(event.at)}  {about}" + (f": {event.detail}" if event.detail else ""))


@subscribers.command()
@click.argument("email", type=Email())
@click.pass_context
def dump(ctx: click.Context, email: str) -> None:
    """Print everything that is kept on EMAIL, as JSON: what a person may ask for."""
    with open_ledger(ctx) as store:
        print_json(store.subscribers.dossier(store.subscribers.get(email)))


@subscribers.command()
@click.argument("email", type=Email())
@_newsletter
@click.pass_context
def leave(ctx: click.Context, email: str, *, newsletter: str) -> None:
    """End the subscription of EMAIL to one newsletter, as its reader asked; no import brings it back."""
    with open_ledger(ctx) as store:
        store.subscribers.leave(store.subscribers.get(email), newsletter=newsletter, how="by the operator", now=now())
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
    """Erase everything known about EMAIL. The counts of past issues stay, without a name.

    A keyed fingerprint of the address stays too, so that no list brings back who read or left a newsletter.
    """
    from newsletter import consent  # noqa: PLC0415

    with open_workspace(ctx) as app:
        consent.forget(app.store, app.links, app.store.subscribers.get(email), now=now())
    click.echo(f"{email}: erased")
