"""`suggestions`: what readers suggest to tell, and the editor's word on it."""

from __future__ import annotations

import click

from newsletter.cli.workspace import as_json, by, local, now, open_ledger, open_workspace, print_json


@click.group()
def suggestions() -> None:
    """List what readers suggest, approve or decline it.

    A newsletter takes suggestions where one of its sources is of kind `readers`.
    """


@suggestions.command("list")
@click.argument("newsletter", default="")
@click.option(
    "--state",
    type=click.Choice(["waiting", "approved", "declined", "all"]),
    default="waiting",
    show_default=True,
    help="Only those in it.",
)
@as_json
@click.pass_context
def list_suggestions(ctx: click.Context, newsletter: str, *, state: str, as_json: bool) -> None:
    """List what waits for the editor, of one newsletter or of all; the numbers are those that the others take."""
    with open_ledger(ctx) as store:
        found = store.suggestions.list(newsletter, state="" if state == "all" else state)
    if as_json:
        print_json(found)
        return
    for one in found:
        readers = "1 reader" if one.readers == 1 else f"{one.readers} readers"
        decided = f", {one.state} by {one.decided_by}" if one.decided_at else ""
        click.echo(f"{one.id:>4}  {one.newsletter}  {one.title or '(no title yet)'}")
        click.echo(f"      {one.url}  {local(one.at)}, {readers}{decided}")
        for note in one.notes:
            click.echo(f"      “{note}”")
    if not found:
        click.echo("nothing waits" if state == "waiting" else "there are none")


@suggestions.command()
@click.argument("number", type=int)
@click.option("--title", default="", help="What it is called, in place of what its source or a reader says.")
@by
@click.pass_context
def approve(ctx: click.Context, number: int, *, title: str, who: str) -> None:
    """Take a suggestion: it may be in an issue from now on, as what any source has.

    A paper of arXiv that is not known yet is looked up there; anything else needs a title.
    """
    from newsletter import suggestions as queue  # noqa: PLC0415

    with open_workspace(ctx) as app:
        entry = queue.approve(app, number, title=title, who=who, now=now())
    click.echo(f"approved: {entry.title}")


@suggestions.command()
@click.argument("number", type=int)
@by
@click.pass_context
def decline(ctx: click.Context, number: int, *, who: str) -> None:
    """Do not take a suggestion; its readers see that."""
    from newsletter import suggestions as queue  # noqa: PLC0415

    with open_workspace(ctx) as app:
        declined = queue.decline(app, number, who=who, now=now())
    click.echo(f"declined: {declined.title or declined.url}")
