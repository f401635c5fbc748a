"""`collect` and `send`: the stages by hand."""

from __future__ import annotations

import itertools
import time
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from newsletter.addresses import address
from newsletter.cli import FAILED, PARTLY
from newsletter.cli.ledger import delivered_status
from newsletter.cli.progress import deliveries_bar, sources_bar
from newsletter.cli.workspace import as_json, local, now, open_workspace, print_json
from newsletter.model import Composed, Run, State
from newsletter.report import collected_lines, composed_line, run_lines

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.by_hand import Order
    from newsletter.store.subscribers import Subscriber

# Leases of processes on other hosts run out after 30 s; those of dead processes here are taken over at once.
_PATIENCE_SECONDS = 35


class Email(click.ParamType[str]):
    """An e-mail address, checked."""

    name = "email"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address in its usual spelling."""
        try:
            return address(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Day(click.ParamType[date]):
    """A date."""

    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The date of `2026-11-20`."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date like 2026-11-20", param, ctx)


@click.command()
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@click.option("--why", "place", metavar="NAME|URL", help="Keep nothing; explain step by step what one source gives.")
@as_json
@click.pass_context
def collect(ctx: click.Context, names: tuple[str, ...], place: str | None, as_json: bool) -> None:
    """Read the named sources now, or all of them, and keep what is new.

    A source that failed is left alone for a while, and longer each time, unless it is named here.
    """
    if place is not None:
        from newsletter.cli.why import explain  # noqa: PLC0415

        if names:
            raise click.UsageError("--why explains one source: name it there only")
        explain(ctx, place)
        return
    with open_workspace(ctx) as app:
        wanted = names or tuple(app.plan.sources)
        with sources_bar(len(wanted), quiet=as_json) as watch:
            collected = app.collect_sources(wanted, now=now(), insist=bool(names), watch=watch)
    if as_json:
        print_json(collected)
    else:
        click.echo("\n".join(collected_lines(collected)))
    if collected.failed:
        ctx.exit(FAILED if len(collected.failed) == len(collected.sources) else PARTLY)


@click.command()
@click.argument("newsletter")
@click.option("--to", type=Email(), multiple=True, help="Send a copy to this address only; may be repeated.")
@click.option("--slot", "day", type=Day(), help="The slot of this date; today's by default.")
@click.option("--dry-run", is_flag=True, help="Show who would get what, send nothing.")
@click.option("--force", is_flag=True, help="Send again what was sent, as a new issue.")
@as_json
@click.pass_context
def send(
    ctx: click.Context,
    newsletter: str,
    *,
    to: tuple[str, ...],
    day: date | None,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Send the issue of NEWSLETTER for a day: collect, compose, publish, deliver, as far as it is not done yet.

    Running it again sends nothing twice, and finishes what an interrupted run left.
    """
    from newsletter.by_hand import order  # noqa: PLC0415

    moment = now()
    with open_workspace(ctx) as app:
        if dry_run:
            _rehearse(app, newsletter, to=to, day=day or moment.astimezone().date(), now=moment, as_json=as_json)
            return
        wanted = order(app, newsletter, day=day or moment.astimezone().date(), now=moment, to=to, force=force)
        before = app.store.issues.find(wanted.slot)
        run = run_order(app, wanted, quiet=as_json)
        goes_on = run.delivered is not None and not run.delivered.held
        waiting = app.store.deliveries.next_due(run.delivered.issue) if run.delivered and goes_on else None
    if as_json:
        print_json(run)
    else:
        click.echo("\n".join(run_lines(run)))
        if before is not None and before.state == "published" and not _sent(run):
            click.echo(
                f"the issue of slot {wanted.slot.key} was published {local(before.decided_at)}; --force sends anew"
            )
        if waiting is not None:
            click.echo(f"the next of it is due {local(waiting)}; the daemon sends it then, or run this command again")
    ctx.exit(_status(run))


def run_order(app: App, wanted: Order, *, quiet: bool = False) -> Run:
    """Run the order; while another process holds part of it, wait for that process to finish or lose its lease."""
    with deliveries_bar(quiet=quiet) as watch:
        run = app.run(wanted.slot, audience=wanted.audience, besides=wanted.besides, clock=now, watch=watch)
        for _ in range(_PATIENCE_SECONDS):
            if run.delivered is None or run.delivered.held or not run.delivered.states.get(State.SENDING):
                break
            time.sleep(1)
            run = app.run(wanted.slot, audience=wanted.audience, clock=now, watch=watch)
    return run


def _sent(run: Run) -> int:
    return sum(run.delivered.outcomes.values()) if run.delivered else 0


def _status(run: Run) -> int:
    """0 when everybody has it or is due later, 1 when nobody could be reached, 3 in between."""
    return delivered_status(run.delivered) if run.delivered else 0


def _rehearse(app: App, newsletter: str, *, to: tuple[str, ...], day: date, now: datetime, as_json: bool) -> None:
    """Say who would get what. The sources are read and kept, nothing else is written."""
    from newsletter.by_hand import slot_of  # noqa: PLC0415
    from newsletter.store.issues import PUBLISHED  # noqa: PLC0415

    slot, schedule = slot_of(app, newsletter, day=day, now=now)
    decided = app.store.issues.find(slot)
    if decided is not None and decided.state == PUBLISHED:
        composed = Composed(issue=app.store.issues.load(decided.id).issue)
    else:
        app.collect(newsletter, now=now)
        composed = app.compose(slot, now=now)
    cadence = schedule.cadence if schedule else "daily"
    people = to or [who.email for who in app.store.subscribers.list(newsletter) if _is_reader(who, cadence)]
    if as_json:
        print_json({"slot": slot, "composed": composed, "recipients": list(people)})
        return
    click.echo("dry run: nothing is sent")
    click.echo(composed_line(composed))
    for section in composed.issue.sections if composed.issue else ():
        click.echo(f"  {section.title}")
        for story in section.stories:
            click.echo(f"    {story.title}")
    click.echo(f"would go to {len(people)}:")
    for email in itertools.islice(people, 50):
        click.echo(f"  {email}")
    if len(people) > 50:  # noqa: PLR2004  # a screenful
        click.echo(f"  and {len(people) - 50} more; --json lists them all")


def _is_reader(who: Subscriber, cadence: str) -> bool:
    return who.state == "confirmed" and who.cadence == cadence and not who.suppressed
