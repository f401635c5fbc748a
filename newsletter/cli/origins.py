"""`sources`: where entries come from, and how each source is doing."""

from __future__ import annotations

import json
from pathlib import Path

import click

from newsletter.cli.workspace import as_json, config, local, now, open_workspace, print_json


@click.group()
def sources() -> None:
    """List sources and how they are doing, or read one."""


@sources.command("list")
@as_json
@click.pass_context
def list_sources(ctx: click.Context, *, as_json: bool) -> None:
    """List the configured sources: kind, last success, entries so far, what is wrong."""
    with open_workspace(ctx) as app:
        health = {source.name: source for source in app.store.sources.list()}
        counts = app.store.entries.count()
        configured = list(app.plan.sources.values())
    if as_json:
        print_json(
            [
                {"source": source, "entries": counts.get(source.name, 0), "health": health.get(source.name)}
                for source in configured
            ]
        )
        return
    for source in configured:
        known = health.get(source.name)
        last = local(known.succeeded_at) if known and known.succeeded_at else "never"
        error = f"  FAILING ({known.failures} times): {known.error}" if known and known.error else ""
        click.echo(f"{source.name:<20} {source.kind:<12} last read {last}, {counts.get(source.name, 0)} entries{error}")


@sources.command()
@click.argument("place", metavar="FILE|URL")
@click.option("--kind", default="feed", show_default=True, help="Read it as this kind of source.")
@as_json
@click.pass_context
def read(ctx: click.Context, place: str, *, kind: str, as_json: bool) -> None:
    """Print the entries that a file or address gives, without keeping them."""
    from newsletter.app import USER_AGENT, load_plugins  # noqa: PLC0415
    from newsletter.codec import plain  # noqa: PLC0415
    from newsletter.errors import FetchError, NotFound  # noqa: PLC0415
    from newsletter.model import Source  # noqa: PLC0415
    from newsletter.sources import Request  # noqa: PLC0415
    from newsletter.sources.fetch import open_fetch  # noqa: PLC0415

    kinds = load_plugins().source_kinds
    if kind not in kinds:
        raise NotFound(f"there is no kind of source {kind!r}; there are: {', '.join(kinds)}")
    is_url = place.startswith(("http://", "https://"))
    request = Request(url=place) if is_url else Request(path=Path(place))
    source = Source(name="read", kind=kind, options={"url": place} if is_url else {"path": place})
    fetch = open_fetch(allow=config(ctx).allow_networks, user_agent=USER_AGENT)
    for _, answer in fetch([request]):
        if isinstance(answer, FetchError):
            raise answer
        for entry in kinds[kind].read(answer, source, now=now()):
            if as_json:
                click.echo(json.dumps(plain(entry), ensure_ascii=False))
            else:
                click.echo(f"{entry.title}\n    {entry.url}  [{entry.key}]")
