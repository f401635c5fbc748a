"""`issues`, `deliveries` and `runs`: what went out, to whom, and why (not)."""

from __future__ import annotations

import csv
import getpass
import itertools
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from newsletter.cli import FAILED, PARTLY
from newsletter.cli.progress import deliveries_bar
from newsletter.cli.workspace import as_json, by, local, now, open_ledger, open_workspace, print_json
from newsletter.model import Delivered, Hold, Slot, State
from newsletter.report import counted, delivered_lines, hold_line, run_lines, standing_lines, tallied
from newsletter.sheets import harmless
from newsletter.store.issues import PUBLISHED

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.store import Store

_STATES = click.Choice([state.value for state in State])


@click.group()
def issues() -> None:
    """List issues, show one; retry its deliveries, pause, resume or cancel it while it goes out."""


@issues.command("list")
@click.argument("newsletter", default="")
@click.option("--limit", default=20, show_default=True)
@as_json
@click.pass_context
def list_issues(ctx: click.Context, newsletter: str, *, limit: int, as_json: bool) -> None:
    """List the last slots that were decided, published or skipped."""
    with open_ledger(ctx) as store:
        found = [(issue, store.deliveries.counts(issue.id)) for issue in store.issues.list(newsletter, limit=limit)]
        drafts = store.drafts.list(newsletter)
        holds = store.holds.list(issue.id for issue, _ in found)
    if as_json:
        print_json([{"issue": one, "deliveries": counts, "hold": holds.get(one.id)} for one, counts in found])
        return
    for draft in drafts:
        how = f"approved by {draft.approved_by}" if draft.approved_at else "waits for approval"
        click.echo(f"   -  {draft.slot.newsletter} {draft.slot.key}  {local(draft.slot.at)}  draft: {how}")
    for issue, counts in found:
        told = issue.reason or f"{issue.subject}  [{tallied(counts) or 'no recipients'}]"
        state = _state(holds[issue.id]) if issue.id in holds else issue.state
        click.echo(f"{issue.id:>4}  {issue.newsletter} {issue.slot}  {local(issue.at)}  {state}: {told}")
    if not found and not drafts:
        click.echo("no issues yet; `newsletter send NEWSLETTER` or the daemon makes one")


@issues.command()
@click.argument("issue", type=int)
@as_json
@click.pass_context
def show(ctx: click.Context, issue: int, *, as_json: bool) -> None:
    """Show the stories of an issue, what became of its deliveries, and what was done to it."""
    with open_ledger(ctx) as store:
        frozen = store.issues.load(issue)
        counts, reasons = _counts(store, issue)
        hold = store.holds.get(issue)
        objections = store.holds.objections(issue)
        events = store.events.list(issue=issue)
    if as_json:
        told = {"deliveries": counts, "hold": hold, "objections": objections, "events": events}
        print_json({"issue": frozen.issue, **told})
        return
    click.echo(f"issue {issue}: {frozen.rendered.subject}")
    for section in frozen.issue.sections:
        click.echo(f"  {section.title}" + (f" (and {section.more} more)" if section.more else ""))
        for story in section.stories:
            click.echo(f"    {story.title}  <{story.url}>")
    click.echo("deliveries:")
    for line in standing_lines(counts, reasons) or ["no recipients"]:
        click.echo(f"  {line}")
    if objections:
        click.echo("what servers say most often:")
        for objection in objections:
            times = max(objection.refused, objection.policy)
            click.echo(f"  {counted(times, 'time', 'times')}: {objection.example}")
    for event in events:
        click.echo(f"{local(event.at)}  {event.kind} {event.detail}")
    if hold is not None:
        click.echo(hold_line(hold))


@issues.command()
@click.argument("issue", type=int)
@click.option("--state", "states", default="rejected,uncertain", show_default=True, help="Which ones, by commas.")
@click.option("--for", "email", metavar="EMAIL", help="Only this person's.")
@click.option("--dry-run", is_flag=True, help="Only tell how many there are.")
@click.pass_context
def retry(ctx: click.Context, issue: int, *, states: str, email: str | None, dry_run: bool) -> None:
    """Queue again the deliveries of an issue that ended badly, and send them now."""
    wanted = {State(_STATES.convert(state.strip(), None, ctx)) for state in states.split(",")}
    if State.SENT in wanted or State.SENDING in wanted:
        raise click.UsageError("what was sent, or is being sent, is not sent again; `send --force` makes a new issue")
    with open_workspace(ctx) as app:
        ledger = app.store.deliveries
        reader = app.store.subscribers.get(email) if email else None
        if dry_run:
            click.echo(f"{ledger.retried(issue, states=wanted, subscriber=reader)} would be queued again")
            return
        count = ledger.retry(issue, states=wanted, subscriber=reader, now=now())
        click.echo(f"{count} queued again")
        _go_on(ctx, app, issue)


@issues.command()
@click.argument("issue", type=int)
@click.option("--why", default="", help="To be remembered beside it.")
@click.pass_context
def pause(ctx: click.Context, issue: int, *, why: str) -> None:
    """Let nothing more of an issue go out, from whatever process, until `resume`; what is in flight is finished."""
    with open_ledger(ctx) as store:
        held = store.holds.pause(issue, who=_operator(), why=why, now=now())
        counts = store.deliveries.counts(issue)
    if held is not None:
        click.echo(f"issue {issue} was {hold_line(held)}")
        ctx.exit(FAILED if held.cancelled else 0)
    click.echo(f"issue {issue} is paused; `newsletter issues resume {issue}` goes on")
    click.echo(tallied(counts))


@issues.command()
@click.argument("issue", type=int)
@click.option("--why", default="", help="To be remembered beside it.")
@click.option("--no-send", is_flag=True, help="Leave the sending to a daemon, which takes it up at its next tick.")
@click.pass_context
def resume(ctx: click.Context, issue: int, *, why: str, no_send: bool) -> None:
    """Go on with a paused issue, and send what is due of it now. What servers said so far is not counted any more."""
    with open_workspace(ctx) as app:
        held = app.store.holds.resume(issue, who=_operator(), why=why, now=now())
        click.echo(f"issue {issue} goes on" if held else f"issue {issue} was not paused")
        if held and not no_send:
            _go_on(ctx, app, issue)


@issues.command()
@click.argument("issue", type=int)
@click.option("--why", default="", help="To be remembered beside it.")
@click.pass_context
def cancel(ctx: click.Context, issue: int, *, why: str) -> None:
    """End an issue for good: nobody who still waits for it gets it. What is in flight is finished."""
    with open_ledger(ctx) as store:
        count = store.holds.cancel(issue, who=_operator(), why=why, now=now())
        counts = store.deliveries.counts(issue)
    click.echo(f"issue {issue} is cancelled: {counted(count, 'message')} will not go out")
    click.echo(tallied(counts))


def _go_on(ctx: click.Context, app: App, issue: int) -> None:
    """Send what is due of an issue, tell how it stands, and end with the status that this comes to."""
    with deliveries_bar() as watch:
        delivered = app.deliver(issue, clock=now, watch=watch)
    click.echo("\n".join(delivered_lines(delivered)))
    ctx.exit(delivered_status(delivered))


def delivered_status(delivered: Delivered) -> int:
    """0 when everybody has it or is due later, 1 when nobody could be reached, 3 in between."""
    states = delivered.states
    failed = sum(states.get(state, 0) for state in (State.REJECTED, State.DEFERRED, State.UNCERTAIN, State.EXPIRED))
    if delivered.stopped or failed:
        return PARTLY if states.get(State.SENT) else FAILED
    return 0


def _operator() -> str:
    """Who gives the command, as far as this machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"


def _state(hold: Hold) -> str:
    return "cancelled" if hold.cancelled else "paused"


@issues.command()
@click.argument("newsletter")
@click.argument("slot")
@by
@click.pass_context
def approve(ctx: click.Context, newsletter: str, slot: str, *, who: str) -> None:
    """Let an issue go that waits for approval; the daemon sends it at its next tick."""
    from newsletter import editor  # noqa: PLC0415

    with open_workspace(ctx) as app:
        draft = app.store.drafts.get(newsletter, slot)
        is_new = editor.approve(app, draft, who=who, now=now())
    click.echo("approved; the daemon sends it within a minute" if is_new else "it was approved before")


@issues.command()
@click.argument("newsletter")
@click.argument("slot")
@by
@click.pass_context
def decline(ctx: click.Context, newsletter: str, slot: str, *, who: str) -> None:
    """Let an issue not go that waits for approval; its stories come with the next one."""
    from newsletter import editor  # noqa: PLC0415

    with open_workspace(ctx) as app:
        is_new = editor.decline(app, app.store.drafts.get(newsletter, slot), who=who, now=now())
    click.echo("declined" if is_new else "it was decided before")


@click.command()
@click.argument("issue", type=int)
@click.option("--state", type=_STATES, help="Only those in this state.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@as_json
@click.pass_context
def deliveries(ctx: click.Context, issue: int, *, state: str | None, as_csv: bool, as_json: bool) -> None:
    """Show what became of each recipient of an issue."""
    with open_ledger(ctx) as store:
        lines = store.deliveries.each(issue, state=State(state) if state else None)
        if as_json:
            print_json(list(lines))
        elif as_csv:
            first = next(lines, None)  # an issue that is not there is told before anything is printed
            writer = csv.writer(sys.stdout)
            writer.writerow(["email", "state", "reason", "attempts", "code", "reply", "ended_at"])
            for line in itertools.chain(filter(None, [first]), lines):
                ended = line.ended_at.isoformat() if line.ended_at else ""
                row = [line.email, line.state, line.reason, line.attempts, line.code, line.reply, ended]
                writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
        else:
            for line in lines:
                why = line.reason or (f"{line.code} {line.reply}" if line.code else "")
                click.echo(f"{line.email:<40} {line.state:<10} {why}")


@click.command()
@click.argument("newsletter", default="")
@click.option("--why", "slot", help="Tell everything about the runs of this slot, for example morning/2026-11-20.")
@click.option("--for", "email", metavar="EMAIL", help="With --why: tell what became of this person's mail.")
@click.option("--limit", default=10, show_default=True)
@as_json
@click.pass_context
def runs(
    ctx: click.Context, newsletter: str, *, slot: str | None, email: str | None, limit: int, as_json: bool
) -> None:
    """Tell what the last runs did, and why mail did or did not go out."""
    if email and not slot:
        raise click.UsageError("--for needs --why: name the slot")
    with open_ledger(ctx) as store:
        found = store.runs.list(newsletter, slot=slot or "", limit=limit)
        if email:
            from newsletter.cli.person import answer  # noqa: PLC0415

            slots = {(ended.run.slot.newsletter, ended.run.slot.key): ended.run.slot for ended in found}
            click.echo("\n".join(answer(store, one, email) for one in slots.values()) or f"no runs of slot {slot}")
            return
        standing = _standing(store, [ended.run.slot for ended in found]) if slot else []
    if as_json:
        print_json(found)
        return
    if slot:
        found.reverse()  # told in the order in which it happened
    for ended in found:
        click.echo(f"{local(ended.ended_at)}  {ended.run.slot.newsletter} {ended.run.slot.key}")
        for line in run_lines(ended.run):
            click.echo(f"    {line}")
    for line in standing:
        click.echo(line)
    if not found:
        click.echo("no runs" + (f" of slot {slot}" if slot else " yet"))


def _standing(store: Store, slots: Iterable[Slot]) -> list[str]:
    """How the issues of these slots stand now: many go out after the run that published them."""
    lines = []
    for slot in {(slot.newsletter, slot.key): slot for slot in slots}.values():
        decided = store.issues.find(slot)
        if decided is None:
            draft = store.drafts.find(slot)
            how = "waits for approval" if draft and draft.approved_at is None else "is not decided yet"
            lines.append(f"now: {slot.newsletter} {slot.key} {how}")
        elif decided.state == PUBLISHED:
            counts, reasons = _counts(store, decided.id)
            lines.append(f"now: issue {decided.id} of {slot.newsletter} {slot.key}, {decided.subject}")
            hold = store.holds.get(decided.id)
            lines += [f"    {hold_line(hold)}"] if hold else []
            lines += [f"    {line}" for line in standing_lines(counts, reasons) or ["no recipients"]]
    return lines


def _counts(store: Store, issue: int) -> tuple[Mapping[State, int], Mapping[State, Mapping[str, int]]]:
    """How many deliveries of an issue are in each state, and why."""
    counts = store.deliveries.counts(issue)
    return counts, {state: store.deliveries.reasons(issue, state) for state in counts}
