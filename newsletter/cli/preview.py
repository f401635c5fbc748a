"""`preview`: what readers will see."""

from __future__ import annotations

import signal
import threading
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli import FAILED
from newsletter.cli.progress import sources_bar
from newsletter.cli.work import Day, Email
from newsletter.cli.workspace import local, now, open_workspace

if TYPE_CHECKING:
    from newsletter.preview.show import Show, Shown

_SECONDS = 0.5  # between two looks at the files


@click.command()
@click.argument("newsletter")
@click.option("--as", "reader", type=Email(), help="Show the edition of this subscriber.")
@click.option("--slot", "day", type=Day(), help="The issue of this date; today's by default.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("preview"), show_default=True)
@click.option("--open", "is_opened", is_flag=True, help="Open the page that shows everything in a browser.")
@click.option("--watch", "is_watched", is_flag=True, help="Show it anew when a template or schedules.yaml changes.")
@click.option("--no-pictures", is_flag=True, help="Take no pictures with Chromium.")
@click.option("--images", is_flag=True, help="Load the issue's images from where they are; else they are grey.")
@click.option("--no-collect", is_flag=True, help="Use what was collected before.")
@click.pass_context
def preview(
    ctx: click.Context,
    newsletter: str,
    *,
    reader: str | None,
    day: date | None,
    out: Path,
    is_opened: bool,
    is_watched: bool,
    no_pictures: bool,
    images: bool,
    no_collect: bool,
) -> None:
    """Show what every kind of reader will see of an issue, without sending anything to anybody.

    Writes it as HTML, text, .eml and JSON; pictures of it (light, dark, on a phone, with images blocked) where Chromium
    is installed; and index.html, which shows all of them side by side.
    """
    from newsletter.by_hand import slot_of  # noqa: PLC0415
    from newsletter.preview.show import Show  # noqa: PLC0415

    moment = now()
    with open_workspace(ctx) as app:
        show = Show(
            app=app,
            newsletter=newsletter,
            day=day or moment.astimezone().date(),
            now=moment,
            folder=out,
            reader=reader or "",
            pictures=not no_pictures,
            images=images,
        )
        slot, _ = slot_of(app, newsletter, day=show.day, now=moment)
        if not no_collect and app.store.issues.find(slot) is None:
            with sources_bar(len(app.newsletter(newsletter).sources)) as bar:
                app.collect(newsletter, now=moment, watch=bar)
        if is_watched:
            _watch(show, is_opened=is_opened)
            return
        shown = show.once()
    if shown.mistakes:
        _tell_mistakes(shown)
        ctx.exit(FAILED)
    for path in shown.files:
        click.echo(path)
    _tell_notes(shown)
    if is_opened:
        click.launch(str(shown.files[-1]))


def _watch(show: Show, *, is_opened: bool) -> None:
    """Serve the page and keep it up to date until a signal comes."""
    from newsletter.preview.live import open_server, watch  # noqa: PLC0415
    from newsletter.render.environment import bundled_templates  # noqa: PLC0415

    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    config = show.app.config
    with open_server(show.folder, lambda: show.version) as url:
        click.echo(f"watching templates and {config.schedules.name} at {url}; Ctrl-C ends it")

        def again() -> None:
            shown = show.again()
            if shown.mistakes:
                _tell_mistakes(shown)
            else:
                click.echo(f"shown as of {local(now())}")
            if show.version == 1:
                _tell_notes(shown)
                if is_opened:
                    click.launch(url)

        places = (config.templates, bundled_templates(), config.schedules)
        watch(again, places, over=lambda: over.wait(_SECONDS))


def _tell_mistakes(shown: Shown) -> None:
    for mistake in shown.mistakes:
        click.echo(f"{mistake.place} {mistake.what}".strip())


def _tell_notes(shown: Shown) -> None:
    """Beside the list of files, so that scripts can read that."""
    for note in shown.notes:
        click.echo(note, err=True)
