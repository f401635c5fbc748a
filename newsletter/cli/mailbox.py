"""`mailbox`: the built-in mail server, and the page that shows what it took."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from newsletter.cli.workspace import now
from newsletter.errors import ConfigError
from newsletter.health import parse_place
from newsletter.mail.faults import Fault, Faults, parse_fault
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.web.inbox.serve import open_inbox


class FaultText(click.ParamType["Fault"]):
    """A fault as `mail.faults` reads it."""

    name = "fault"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Fault:
        """The fault; wrong usage with the reason."""
        try:
            return parse_fault(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=1025, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("mailbox"), show_default=True)
@click.option(
    "--web",
    metavar="[HOST:]PORT",
    help="Where a page shows the mails.  [default: 127.0.0.1:8025, or a free port if that is taken]",
)
@click.option("--no-web", is_flag=True, help="Show no page.")
@click.option(
    "--fault",
    "faults",
    type=FaultText(),
    multiple=True,
    metavar="[PHASE:]WHAT@WHEN",
    help="Go wrong on purpose: 421@10%, rcpt:550@bad*@example.org, cut@2%, stall@1%; may be repeated.",
)
@click.option("--seed", default=0, show_default=True, help="Other faults, as often; the same seed gives the same ones.")
@click.pass_context
def mailbox(
    ctx: click.Context,
    *,
    host: str,
    port: int,
    folder: Path,
    web: str | None,
    no_web: bool,
    faults: tuple[Fault, ...],
    seed: int,
) -> None:
    """Take every mail, keep it in a maildir and show it on a page, for trying things out.

    It never sends anything on. docs/mailbox.md has the faults.
    """
    if web is not None and no_web:
        raise click.UsageError("--web and --no-web contradict each other")
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with ExitStack() as open_things:
        box = open_things.enter_context(
            open_mailbox(ctx.obj / folder, host=host, port=port, faults=Faults(faults, seed=seed))
        )
        page = None if no_web else _open_page(box, web, open_things)
        click.echo(f"listening on smtp://{host}:{box.port}, keeping mails in {ctx.obj / folder}; Ctrl-C ends it")
        if page:
            click.echo(f"the mails are shown at {page}")
        for fault in faults:
            click.echo(f"going wrong on purpose: {fault}")
        over.wait()
    click.echo(f"kept {box.kept} {'mail' if box.kept == 1 else 'mails'}")
    for fault in faults:
        hits = box.faults.hits[fault]
        click.echo(f"went wrong {hits} {'time' if hits == 1 else 'times'}: {fault}")


def _open_page(box: Mailbox, place: str | None, open_things: ExitStack) -> str:
    """The address of the page with its mails; a place that nobody asked for may be another when it is taken."""
    show = partial(open_inbox, box.folder, clock=now, smtp=box.url, faults=[str(fault) for fault in box.faults.faults])
    if place is not None:
        try:
            host, port = parse_place(place)
        except ValueError:
            raise click.BadParameter(f"{place!r} is no [HOST:]PORT, such as 127.0.0.1:8025") from None
        return open_things.enter_context(show(host=host.strip("[]"), port=port))
    try:
        return open_things.enter_context(show())
    except ConfigError:
        return open_things.enter_context(show(port=0))
