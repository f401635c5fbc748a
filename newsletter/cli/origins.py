"""`sources`: where entries come from, and how each source is doing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.workspace import as_json, config, local, now, open_workspace, print_json

if TYPE_CHECKING:
    from newsletter.model import Entry, Plan, Source
    from newsletter.sources import Fetch
    from newsletter.sources.discover import Candidate

_USE = "name it under the `sources` of a newsletter to have it in its issues"


@click.group()
def sources() -> None:
    """List sources and how they are doing, find and add some, exchange lists of feeds."""


@sources.command("list")
@as_json
@click.pass_context
def list_sources(ctx: click.Context, *, as_json: bool) -> None:
    """List the configured sources: kind, health, last success, entries so far, what is wrong."""
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
        state = "-" if known is None else f"FAILING ({known.failures} times)" if known.error else "ok"
        error = f": {known.error}" if known and known.error else ""
        entries = counts.get(source.name, 0)
        click.echo(f"{source.name:<20} {source.kind:<12} {state:<8} last read {last}, {entries} entries{error}")


@sources.command()
@click.argument("place", metavar="FILE|URL")
@click.option("--kind", default="feed", show_default=True, help="Read it as this kind of source.")
@as_json
@click.pass_context
def read(ctx: click.Context, place: str, *, kind: str, as_json: bool) -> None:
    """Print the entries that a file or address gives, without keeping them."""
    from newsletter.app import load_plugins  # noqa: PLC0415
    from newsletter.errors import FetchError, NotFound  # noqa: PLC0415
    from newsletter.model import Source  # noqa: PLC0415
    from newsletter.sources import Request  # noqa: PLC0415

    kinds = load_plugins().source_kinds
    if kind not in kinds:
        raise NotFound(f"there is no kind of source {kind!r}; there are: {', '.join(kinds)}")
    is_url = place.startswith(("http://", "https://"))
    request = Request(url=place) if is_url else Request(path=Path(place))
    source = Source(name="read", kind=kind, options={"url": place} if is_url else {"path": place})
    for _, answer in _fetch(ctx)([request]):
        if isinstance(answer, FetchError):
            raise answer
        for entry in kinds[kind].read(answer, source, now=now()):
            if as_json:
                click.echo(json.dumps(_told(entry), ensure_ascii=False))
            else:
                click.echo(f"{entry.title}\n    {entry.url}  [{entry.key}]")


def _told(entry: Entry) -> dict[str, object]:
    """An entry for scripts: the same keys for every entry, whatever the source says."""
    return {
        "key": entry.key,
        "id": entry.guid,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content": entry.content,
        "authors": list(entry.authors),
        "published": entry.published.isoformat() if entry.published else None,
        "updated": entry.updated.isoformat() if entry.updated else None,
        "tags": list(entry.tags),
        "signals": asdict(entry.signals),
        "author_count": entry.author_count,
        "listed": entry.listed.isoformat() if entry.listed else None,
        "image": entry.image,
        "links": {link.rel: link.url for link in entry.links},
        "aliases": list(entry.aliases),
    }


@sources.command()
@click.argument("place", metavar="NAME|URL")
@click.pass_context
def why(ctx: click.Context, place: str) -> None:
    """Explain step by step what collecting a source does now; nothing is kept.

    An address that is no source's is read as a feed.
    """
    from newsletter.cli.why import Inquiry  # noqa: PLC0415

    with open_workspace(ctx) as app:
        source = _source_at(app.plan, place)
        inquiry = Inquiry(source=source, kind=app.kinds[source.kind], fetch=app.fetch, store=app.store, now=now())
        for line in inquiry.lines():
            click.echo(line)


def _source_at(plan: Plan, place: str) -> Source:
    from newsletter.cli.enlist import feed_sources  # noqa: PLC0415
    from newsletter.errors import NotFound  # noqa: PLC0415
    from newsletter.model import Source  # noqa: PLC0415
    from newsletter.sources.identity import canonical_url  # noqa: PLC0415

    if place in plan.sources:
        return plan.sources[place]
    if "://" not in place:
        raise NotFound(f"there is no source {place!r} in the schedules; there are: {', '.join(plan.sources)}")
    known = (one for one in feed_sources(plan) if canonical_url(str(one.options["url"])) == canonical_url(place))
    return next(known, Source(name="not-configured", kind="feed", options={"url": place}))


@sources.command()
@click.argument("url")
@as_json
@click.pass_context
def discover(ctx: click.Context, url: str, *, as_json: bool) -> None:
    """List the feeds of a site: at the address itself, linked from its page, or where sites usually have one."""
    found = _found(ctx, url)
    if as_json:
        print_json(found)
        return
    for one in found:
        click.echo(f"{one.url}\n    {one.title or 'untitled'}, {one.entries} entries")


def _found(ctx: click.Context, url: str) -> list[Candidate]:
    from newsletter.sources import discover as discovery  # noqa: PLC0415

    return discovery.discover(url if "://" in url else f"https://{url}", fetch=_fetch(ctx), now=now())


def _fetch(ctx: click.Context) -> Fetch:
    from newsletter.app import USER_AGENT  # noqa: PLC0415
    from newsletter.sources.fetch import open_fetch  # noqa: PLC0415

    return open_fetch(allow=config(ctx).allow_networks, user_agent=USER_AGENT)


@sources.command()
@click.argument("url")
@click.option("--name", default="", help="What to call it; by default its title.")
@click.pass_context
def add(ctx: click.Context, url: str, *, name: str) -> None:
    """Find the best feed of a site and write it into schedules.yaml."""
    from newsletter.cli.enlist import open_register  # noqa: PLC0415
    from newsletter.errors import SourceError  # noqa: PLC0415
    from newsletter.sources.opml import Subscription  # noqa: PLC0415

    register = open_register(config(ctx))
    if name in register.plan.sources:
        raise click.BadParameter(f"there is a source {name!r} already", param_hint="--name")
    best = _found(ctx, url)[0]
    enlisted = register.enlist([Subscription(title=best.title, url=best.url)], name=name)
    if enlisted.known:
        raise SourceError(f"{best.url} is a source already: {enlisted.known[0][1]}")
    register.add(enlisted.new)
    title = f"{best.title}, " if best.title else ""
    click.echo(f"added {enlisted.new[0].name}: {title}{best.url}, {best.entries} entries\n{_USE}")


@sources.command("import-opml")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--into",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Write the sources into this schedules.yaml, instead of printing them.",
)
@click.pass_context
def import_opml(ctx: click.Context, file: Path, *, into: Path | None) -> None:
    """Make sources of the feeds in an OPML list, as feed readers export it; those that are there already are not.

    Prints them as YAML to paste below `sources:`.
    """
    from newsletter.cli.enlist import open_register  # noqa: PLC0415
    from newsletter.sources.opml import LARGEST, read_opml  # noqa: PLC0415

    with file.open("rb") as opened:
        feeds = read_opml(opened.read(LARGEST + 1))
    register = open_register(config(ctx), into)
    enlisted = register.enlist(feeds)
    for feed, name in enlisted.known:
        click.echo(f"there already as {name}: {feed.url}", err=True)
    if into is None:
        click.echo(enlisted.yaml, nl=False)
        return
    if enlisted.new:
        register.add(enlisted.new)
    click.echo(f"{len(enlisted.new)} sources added, {len(enlisted.known)} there already\n{_USE}")


@sources.command("export-opml")
@click.pass_context
def export_opml(ctx: click.Context) -> None:
    """Print the feeds among the sources as an OPML list, for feed readers and other newsletters."""
    from newsletter.cli.enlist import feed_sources, open_register  # noqa: PLC0415
    from newsletter.sources.opml import Subscription, write_opml  # noqa: PLC0415

    feeds = feed_sources(open_register(config(ctx)).plan)
    listed = [Subscription(title=source.name, url=str(source.options["url"])) for source in feeds]
    click.echo(write_opml(listed, title="Sources of the newsletter"), nl=False)
