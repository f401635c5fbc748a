"""`init` and `check`: a workspace, and whether it would work."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from newsletter.cli.workspace import config
from newsletter.config import load_config
from newsletter.model import Issue, Link, Newsletter, Section, Signals, Slot, Story
from newsletter.report import counted
from newsletter.schedule.example import example_text

_EXAMPLE = "schedules.yaml"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.pass_context
def init(ctx: click.Context, folder: Path | None) -> None:
    """Prepare FOLDER (default: this one) as a workspace. What is there already stays as it is.

    Writes an example schedules.yaml and a .env with a new secret key, and creates or migrates the database.
    """
    from newsletter.store import migrate, open_store  # noqa: PLC0415

    workspace = folder or ctx.obj
    workspace.mkdir(parents=True, exist_ok=True)
    _write(workspace / _EXAMPLE, example_text(), mode=0o644)
    if not load_config(workspace).secret_keys:
        _append_secret(workspace / ".env")
    store = open_store(load_config(workspace).database_url)
    try:
        revision = migrate.upgrade(store.db)
    finally:
        store.close()
    click.echo(f"database: ready, at revision {revision}")
    click.echo("next: edit schedules.yaml, `newsletter subscribers add`, `newsletter preview daily-papers --open`")


@click.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Check settings, schedules.yaml and templates; every mistake is listed with its place."""
    from newsletter.app import load_plan, load_plugins, open_sender  # noqa: PLC0415
    from newsletter.render.issue import open_render  # noqa: PLC0415

    settings = config(ctx)
    registry = load_plugins()
    plan = load_plan(settings, registry)
    open_sender(settings, registry)
    render = open_render([settings.templates], base_url=settings.base_url)
    for newsletter in plan.newsletters.values():
        render.issue(sample_issue(newsletter), newsletter=newsletter)
        click.echo(f"{newsletter.name}: theme {newsletter.theme} renders")
    parts = f"{counted(len(plan.sources), 'source')}, {counted(len(plan.schedules), 'schedule')}"
    click.echo(f"{settings.schedules.name}: good, with {parts}")


def _write(path: Path, text: str, *, mode: int) -> None:
    if path.exists():
        click.echo(f"{path}: kept as it is")
        return
    path.touch(mode=mode)
    path.write_text(text, encoding="utf-8")
    click.echo(f"{path}: written")


def _append_secret(path: Path) -> None:
    """Add a new key to .env, which nobody else may read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    before = path.read_text(encoding="utf-8")
    ended = before if not before or before.endswith("\n") else before + "\n"
    path.write_text(f"{ended}NEWSLETTER_SECRET_KEY={secrets.token_urlsafe(32)}\n", encoding="utf-8")
    click.echo(f"{path}: a new secret key")


def sample_issue(newsletter: Newsletter) -> Issue:
    """A small issue with something in every field, to try a theme on."""
    moment = datetime(2026, 1, 5, 8, tzinfo=UTC)
    story = Story(
        key="url:https://example.org/sample",
        title="A sample story",
        url="https://example.org/sample",
        summary="What it is about, in a sentence. And why it matters, in another.",
        authors=("First Author", "Second Author"),
        author_count=2,
        published=moment,
        signals=Signals(upvotes=3, comments=2, stars=1),
        links=(Link(rel="code", url="https://example.org/code"),),
    )
    section = Section(topic="sample", title="A sample topic", stories=(story,), more=1)
    slot = Slot(newsletter=newsletter.name, schedule="sample", date=moment.date(), at=moment)
    return Issue(slot=slot, title=newsletter.title, preheader="1 story: A sample topic", sections=(section,))
