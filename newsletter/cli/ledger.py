"""`issues`, `deliveries` and `runs`: what went out, to whom, and why (not)."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from newsletter.cli.workspace import as_json, local, now, open_ledger, open_workspace, print_json
from newsletter.model import Slot, State
from newsletter.report import run_lines, standing_lines, tallied
from newsletter.sheets import harmless
from newsletter.store.issues import PUBLISHED

if TYPE_CHECKING:
    from newsletter.store import Store

_STATES = click.Choice([state.value for state in State])


@click.group()
def issues() -> None:
    """List issues, show one, retry its deliveries."""


@issues.command("list")
@click.argument("newsletter", default="")
@click.option("--limit", default=20, show_default=True)
@as_json
@click.pass_context
def list_issues(ctx: click.Context, newsletter: str, *, limit: int, as_json: bool) -> None:
    """List the last slots that were decided, published or skipped."""
    with open_ledger(ctx) as store:
        found = [(issue, store.deliveries.counts(issue.id)) for issue in store.issues.list(newsletter, limit=limit)]
    if as_json:
        print_json([{"issue": issue, "deliveries": counts} for issue, counts in found])
        return
    for issue, counts in found:
        told = issue.reason or f"{issue.subject}  [{tallied(counts) or 'no recipients'}]"
        click.echo(f"{issue.id:>4}  {issue.newsletter} {issue.slot}  {local(issue.at)}  {issue.state}: {told}")
    if not found:
        click.echo("no issues yet; `newsletter send NEWSLETTER` or the daemon makes one")


@issues.command()
@click.argument("issue", type=int)
@as_json
@click.pass_context
def show(ctx: click.Context, issue: int, *, as_json: bool) -> None:
    """Show the stories of an issue and what became of its deliveries."""
    with open_ledger(ctx) as store:
        frozen = store.issues.load(issue)
        counts = store.deliveries.counts(issue)
    if as_json:
        print_json({"issue": frozen.issue, "deliveries": counts})
        return
    click.echo(f"issue {issue}: {frozen.rendered.subject}")
    for section in frozen.issue.sections:
        click.echo(f"  {section.title}" + (f" (and {section.more} more)" if section.more else ""))
        for story in section.stories:
            click.echo(f"    {story.title}  <{story.url}>")
    click.echo(f"deliveries: {tallied(counts) or 'none'}")


@issues.command()
@click.argument("issue", type=int)
@click.option("--state", "states", default="rejected,uncertain", show_default=True, help="Which ones, by commas.")
@click.pass_context
def retry(ctx: click.Context, issue: int, *, states: str) -> None:
    """Queue again the deliveries of an issue that ended badly, and send them now."""
    wanted = [State(_STATES.convert(state.strip(), None, ctx)) for state in states.split(",")]
    if State.SENT in wanted or State.SENDING in wanted:
        raise click.UsageError("what was sent, or is being sent, is not sent again; `send --force` makes a new issue")
    with open_workspace(ctx) as app:
        count = app.store.deliveries.retry(issue, states=wanted, now=now())
        click.echo(f"{count} queued again")
        delivered = app.deliver(issue, clock=now)
    click.echo(tallied(delivered.states))


@click.command()
@click.argument("issue", type=int)
@click.option("--state", type=_STATES, help="Only those in this state.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@as_json
@click.pass_context
def deliveries(ctx: click.Context, issue: int, *, state: str | None, as_csv: bool, as_json: bool) -> None:
    """Show what became of each recipient of an issue."""
    with open_ledger(ctx) as store:
        lines = store.deliveries.list(issue, state=State(state) if state else None)
    if as_json:
        print_json(lines)
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(["email", "state", "reason", "attempts", "code", "reply", "ended_at"])
        for line in lines:
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
            lines.append(f"now: {slot.newsletter} {slot.key} is not decided yet")
        elif decided.state == PUBLISHED:
            counts = store.deliveries.counts(decided.id)
            reasons = {state: store.deliveries.reasons(decided.id, state) for state in counts}
            lines.append(f"now: issue {decided.id} of {slot.newsletter} {slot.key}, {decided.subject}")
            lines += [f"    {line}" for line in standing_lines(counts, reasons) or ["no recipients"]]
    return lines
