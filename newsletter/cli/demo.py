"""`demo`: the main job, whole and real, on sample feeds and a mailbox of its own."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import click

from newsletter.app import App, open_app
from newsletter.by_hand import Order, slot_of
from newsletter.cli.work import run_order
from newsletter.cli.workspace import local, now
from newsletter.config import load_config
from newsletter.demo.feeds import serve
from newsletter.demo.plan import SUBSCRIBERS, plan_text
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.report import run_lines
from newsletter.schedule import slots
from newsletter.store.issues import Audience
from newsletter.store.subscribers import Applicant

NEWSLETTER = "daily-papers"
_KEY = "demonstration-only"


@click.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Run the whole thing on sample feeds, in ./newsletter-demo.

    Serves the feeds on this machine, collects them, composes and publishes an issue of Daily Papers and delivers it
    by SMTP to 25 sample subscribers in a mailbox of its own. Needs no configuration and no network.
    """
    folder = ctx.obj / "newsletter-demo"
    folder.mkdir(parents=True, exist_ok=True)
    moment = now()
    with ExitStack() as stack:
        base_url = stack.enter_context(serve(moment))
        box = stack.enter_context(open_mailbox(folder / "mailbox", port=0))
        (folder / "schedules.yaml").write_text(plan_text(base_url), encoding="utf-8")
        settings = {
            "NEWSLETTER_SMTP_URL": box.url,
            "NEWSLETTER_SECRET_KEY": _KEY,
            "NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8",  # where the sample feeds are
        }
        app = stack.enter_context(open_app(load_config(folder, settings), migrated=True))
        app.store.subscribers.add(_readers(), newsletter=NEWSLETTER, confirmed=True, how="demonstration", now=moment)
        slot, _ = slot_of(app, NEWSLETTER, day=moment.date(), now=moment)
        before = app.store.issues.find(slot)
        run = run_order(app, Order(slot=slot, audience=Audience(at=moment)))
        click.echo("\n".join(run_lines(run)))
        if before is not None:
            click.echo(f"today's issue went out {local(before.decided_at)}: nobody gets it twice")
        _show(app, box, folder)
        _next(app, moment)


def _readers() -> list[Applicant]:
    with SUBSCRIBERS.open(encoding="utf-8", newline="") as file:
        return [Applicant(**row) for row in csv.DictReader(file)]


def _show(app: App, box: Mailbox, folder: Path) -> None:
    """Write one mail's two parts beside the mailbox and say where everything is."""
    messages = box.messages()
    if not messages:
        return
    last = messages[-1]
    for kind, name in (("html", "issue.html"), ("plain", "issue.txt")):
        part = last.get_body((kind,))
        if part is not None:
            (folder / name).write_text(part.get_content(), encoding="utf-8")
    click.echo("")
    click.echo(f"one mail, as {last['To']} got it:")
    click.echo(f"  {folder / 'issue.html'}")
    click.echo(f"  {folder / 'issue.txt'}")
    click.echo(f"the mailbox, with {len(messages)} messages: {box.folder}")
    click.echo(f"  newsletter mailbox --folder {box.folder} shows them on a page")
    click.echo(f"the database: {app.config.workspace / 'newsletter.db'}")


def _next(app: App, moment: datetime) -> None:
    """Say when the daemon would send the next one."""
    for schedule in app.plan.schedules.values():
        for slot in slots.next_slots(schedule, now=moment, count=1, zones=app.zones(NEWSLETTER)):
            click.echo(f"next slot of {schedule.name}: {slot.date}, from {local(slot.at)} on")
