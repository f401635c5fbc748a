"""`edit`: what an editor says of the issues to come."""

from __future__ import annotations

from datetime import date

import click

from newsletter.cli.work import Day
from newsletter.cli.workspace import as_json, by, local, now, open_ledger, open_workspace, print_json

_until = click.option("--until", type=Day(), help="Up to the issue of this day.")


def _newsletter(ctx: click.Context) -> str:
    assert ctx.parent is not None  # noqa: S101  # these commands stand below `edit`
    name: str = ctx.parent.params["newsletter"]
    return name


@click.group()
@click.argument("newsletter")
def edit(newsletter: str) -> None:
    """Pin, hide and word stories, begin an issue with a word of yours.

    A STORY is named as in `search --like`: by arXiv id, DOI, address or title.
    """


@edit.command()
@click.argument("story")
@_until
@by
@click.pass_context
def pin(ctx: click.Context, story: str, *, until: date | None, who: str) -> None:
    """Tell a story in the next issue, first in its section, whatever the filters and limits say.

    Although it was told before, too. With --until in every issue up to that day.
    """
    from newsletter import editor  # noqa: PLC0415

    with open_workspace(ctx) as app:
        found = editor.pin(app, _newsletter(ctx), story, who=who, now=now(), until=until)
    click.echo(f"pinned: {found.title}")


@edit.command()
@click.argument("story")
@_until
@by
@click.pass_context
def hide(ctx: click.Context, story: str, *, until: date | None, who: str) -> None:
    """Leave a story out, for good or up to a day."""
    from newsletter import editor  # noqa: PLC0415

    with open_workspace(ctx) as app:
        found = editor.hide(app, _newsletter(ctx), story, who=who, now=now(), until=until)
    click.echo(f"hidden: {found.title}")


@edit.command()
@click.argument("story")
@click.argument("text")
@by
@click.pass_context
def blurb(ctx: click.Context, story: str, text: str, *, who: str) -> None:
    """Say TEXT of a story in place of its own sentences."""
    from newsletter import editor  # noqa: PLC0415

    with open_workspace(ctx) as app:
        found = editor.blurb(app, _newsletter(ctx), story, text, who=who, now=now())
    click.echo(f"worded: {found.title}")


@edit.command()
@click.argument("text")
@click.option("--date", "day", type=Day(), help="The day of the issue; without it the next one.")
@by
@click.pass_context
def intro(ctx: click.Context, text: str, *, day: date | None, who: str) -> None:
    """Begin an issue with TEXT; paragraphs are parted by empty lines. An empty one takes it back."""
    from newsletter import editor  # noqa: PLC0415

    moment, newsletter = now(), _newsletter(ctx)
    with open_workspace(ctx) as app:
        day = day or editor.next_slot(app, newsletter, now=moment).date
        editor.intro(app, newsletter, text, day=day, who=who, now=moment)
    click.echo(f"the issue of {day} begins with it" if text.strip() else f"the issue of {day} begins with no intro")


@edit.command("list")
@as_json
@click.pass_context
def list_edits(ctx: click.Context, *, as_json: bool) -> None:
    """List what was said, with the numbers that `undo` takes."""
    with open_ledger(ctx) as store:
        found = store.edits.list(_newsletter(ctx))
    if as_json:
        print_json(found)
        return
    for one in found:
        until = f" until {one.until}" if one.until else ""
        click.echo(f"{one.id:>4}  {one.kind} {one.key}{until}  {local(one.at)} by {one.who}  {one.text}".rstrip())
    if not found:
        click.echo("nothing was said")


@edit.command()
@click.argument("number", type=int)
@by
@click.pass_context
def undo(ctx: click.Context, number: int, *, who: str) -> None:
    """Take back an edit, by its number in `list`."""
    from newsletter import editor  # noqa: PLC0415

    with open_workspace(ctx) as app:
        taken = editor.undo(app, _newsletter(ctx), number, who=who, now=now())
    click.echo(f"taken back: {taken.kind} {taken.key}")
