"""`daemon` and `mailbox`: what runs until it is stopped."""

from __future__ import annotations

import json
import logging
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import click

from newsletter.cli.workspace import config


@click.command()
@click.pass_context
def daemon(ctx: click.Context) -> None:
    """Run the schedules until SIGTERM or Ctrl-C; then finish what is in flight and leave the rest queued.

    Any number may run on one database: the database decides what happens once.
    """
    from newsletter.app import open_app  # noqa: PLC0415
    from newsletter.daemon import Daemon, run_daemon  # noqa: PLC0415

    settings = config(ctx)
    _log_to_stderr(settings.log_format)
    with open_app(settings, migrated=True) as app:
        run_daemon(Daemon(app))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=1025, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("mailbox"), show_default=True)
@click.pass_context
def mailbox(ctx: click.Context, host: str, port: int, folder: Path) -> None:
    """Take every mail and keep it in a maildir, for trying things out. It never sends anything on."""
    from newsletter.mail.mailbox import open_mailbox  # noqa: PLC0415

    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with open_mailbox(ctx.obj / folder, host=host, port=port) as box:
        click.echo(f"listening on smtp://{host}:{box.port}, keeping mails in {ctx.obj / folder}; Ctrl-C ends it")
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
