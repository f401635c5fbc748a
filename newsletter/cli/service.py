"""`daemon` and `serve`: what runs until it is stopped."""

from __future__ import annotations

import json
import logging
import signal
import threading
from contextlib import ExitStack
from datetime import UTC, datetime

import click

from newsletter.cli.workspace import config, local, now, open_ledger


@click.command()
@click.option("--health", metavar="[HOST:]PORT", help="Answer monitors at this address: GET /healthz.")
@click.option("--confirm-clock", is_flag=True, help="Run nothing: say that this machine's clock is right as it is.")
@click.pass_context
def daemon(ctx: click.Context, *, health: str | None, confirm_clock: bool) -> None:
    """Run the schedules until SIGTERM or Ctrl-C; then finish what is in flight and leave the rest queued.

    Any number may run on one database: the database decides what happens once.
    """
    if confirm_clock:
        _confirm_clock(ctx)
        return
    from newsletter.app import open_app  # noqa: PLC0415
    from newsletter.daemon import Daemon, run_daemon  # noqa: PLC0415
    from newsletter.health import open_health  # noqa: PLC0415

    settings = config(ctx)
    _log_to_stderr(settings.log_format)
    with open_app(settings, migrated=True) as app, ExitStack() as open_things:
        running = Daemon(app)
        if health is not None:
            place = open_things.enter_context(open_health(health, running.health))
            logging.getLogger("newsletter.health").info("answering at %s", place)
        run_daemon(running)


def _confirm_clock(ctx: click.Context) -> None:
    from newsletter import clock, daemon  # noqa: PLC0415

    moment = now()
    with open_ledger(ctx) as store:
        daemon.confirm_clock(store, now=moment, machine=clock.running())
    click.echo(f"confirmed: it is {local(moment)}; a daemon that waited for it goes on within a minute")


@click.command()
@click.option("--listen", metavar="[HOST:]PORT", default="127.0.0.1:8000", show_default=True)
@click.pass_context
def serve(ctx: click.Context, *, listen: str) -> None:
    """Serve the web pages until SIGTERM or Ctrl-C: sign-up, preferences, archive, search, feeds.

    BASE_URL says at which address the public finds them; a proxy in front does HTTPS.
    """
    from newsletter.app import open_app  # noqa: PLC0415
    from newsletter.web import server  # noqa: PLC0415
    from newsletter.web.site import Site  # noqa: PLC0415

    settings = config(ctx)
    _log_to_stderr(settings.log_format)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with open_app(settings, migrated=True) as app:
        site = Site(app=app, clock=now)
        with server.open_server(site, server.listen(listen)) as place:
            click.echo(f"serving {place}/, known to the public as {settings.base_url}/; Ctrl-C ends it")
            over.wait()


def _log_to_stderr(log_format: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(
        _Json() if log_format == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("apscheduler", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, logger and message; a traceback where there is one."""
        line = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
