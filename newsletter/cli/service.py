"""`daemon` and `serve`: what runs until it is stopped."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.workspace import config, local, now, open_ledger

if TYPE_CHECKING:
    from newsletter.app import App


@click.command()
@click.option("--health", metavar="[HOST:]PORT", help="Answer monitors at this address: GET /healthz.")
@click.option("--web", is_flag=True, help="Serve the web pages too, as `serve` does.")
@click.option("--listen", metavar="[HOST:]PORT", default="127.0.0.1:8000", show_default=True, help="Where, with --web.")
@click.option("--confirm-clock", is_flag=True, help="Run nothing: say that this machine's clock is right as it is.")
@click.pass_context
def daemon(ctx: click.Context, *, health: str | None, web: bool, listen: str, confirm_clock: bool) -> None:
    """Run the schedules until SIGTERM or Ctrl-C; then finish what is in flight and leave the rest queued.

    Any number may run on one database: the database decides what happens once.
    """
    if confirm_clock:
        _confirm_clock(ctx)
        return
    if web:
        _one_thread_for_each_search()
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
        if web:
            place = open_things.enter_context(_open_pages(app, listen))
            logging.getLogger("newsletter.web").info(
                "serving %s/, known to the public as %s/", place, settings.base_url
            )
        run_daemon(running)


@click.command()
@click.option("--health", metavar="[HOST:]PORT", help="Answer monitors at this address: GET /healthz.")
@click.pass_context
def worker(ctx: click.Context, *, health: str | None) -> None:
    """Deliver what is published, until SIGTERM or Ctrl-C; plan, collect and watch nothing.

    Several on one database share an issue between them: start one for each processor core that shall send. What limits
    a mail server has hold over all of them together.
    """
    from newsletter.app import open_app  # noqa: PLC0415
    from newsletter.daemon import Daemon, run_daemon  # noqa: PLC0415
    from newsletter.health import open_health  # noqa: PLC0415

    settings = config(ctx)
    _log_to_stderr(settings.log_format)
    with open_app(settings) as app, ExitStack() as open_things:
        running = Daemon(app, plans=False)
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
    _one_thread_for_each_search()
    from newsletter.app import open_app  # noqa: PLC0415

    settings = config(ctx)
    _log_to_stderr(settings.log_format)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with open_app(settings, migrated=True) as app, _open_pages(app, listen) as place:
        click.echo(f"serving {place}/, known to the public as {settings.base_url}/; Ctrl-C ends it")
        over.wait()


def _one_thread_for_each_search() -> None:
    """Several come at once; one that takes every core for itself costs twice as much CPU and gains nothing.

    To be said before numpy is imported: it asks its linear algebra no later.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@contextmanager
def _open_pages(app: App, listen: str) -> Iterator[str]:
    """The pages, and the desk that answers their forms by mail; gives where they are served."""
    from newsletter.desk import Desk, open_desk  # noqa: PLC0415
    from newsletter.web import server  # noqa: PLC0415
    from newsletter.web.site import Site  # noqa: PLC0415

    desk = Desk(app, clock=now)
    site = Site(app=app, clock=now, ring=desk.bell.set)

    def changed(other: App) -> None:
        _read_archive(other)  # first: the pages go on with the one that they have
        site.app = other

    desk.changed = changed
    reading = threading.Thread(target=_read_archive, args=(app,), name="archive", daemon=True)
    reading.start()
    try:
        with open_desk(desk), server.open_server(site, server.listen(listen)) as place:
            yield place
    finally:
        reading.join()


def _read_archive(app: App) -> None:
    """What the first search would wait for."""
    from newsletter.errors import StoreError  # noqa: PLC0415

    try:
        app.archive.index()
    except StoreError as error:  # who searches tries again
        logging.getLogger("newsletter.web").warning("could not read the archive: %s", error)


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
