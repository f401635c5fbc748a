"""`sources`: where entries come from, and how each source is doing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.workspace import as_json, config, local, now, open_workspace, print_json

if TYPE_CHECKING:
    from newsletter.model import Entry, Source
    from newsletter.sources import Fetch
    from newsletter.sources.discover import Candidate
    from newsletter.store.sources import Health

_USE = "name it under the `sources` of a newsletter to have it in its issues"


@click.group()
def sources() -> None:
    """List sources and how they are doing, find and add some, exchange lists of feeds."""


@sources.command("list")
@as_json
@click.pass_context
def list_sources(ctx: click.Context, *, as_json: bool) -> None:
    """List the configured sources: health, last success, when it is next asked, entries so far, what asking costs."""
    moment = now()
    with open_workspace(ctx) as app:
        health = {source.name: source for source in app.store.sources.list()}
        counts = app.store.entries.count()
        listed = [
            Listed(
                source=source,
                entries=counts.get(source.name, 0),
                health=health.get(source.name),
                next_at=app.next_collected(source.name, now=moment),
            )
            for source in app.plan.sources.values()
        ]
    if as_json:
        print_json([{field.name: getattr(one, field.name) for field in fields(one)} for one in listed])
        return
    for one in listed:
        click.echo(one.line())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A source as `sources list` shows it; `next_at` is None where it is not asked any more."""

    source: Source
    entries: int
    health: Health | None
    next_at: datetime | None

    def line(self) -> str:
        """All of it in one line."""
        known = self.health
        last = local(known.succeeded_at) if known and known.succeeded_at else "never"
        next_at = local(self.next_at) if self.next_at else "-"
        state = "-" if known is None else f"FAILING ({known.failures} times)" if known.error else "ok"
        cost = f", {known.size / 1000:,.0f} kB in {known.milliseconds / 1000:.1f} s" if known and known.size else ""
        error = f": {known.error}" if known and known.error else ""
        return (
            f"{self.source.name:<20} {self.source.kind:<12} {state:<8} last read {last}, next {next_at}, "
            f"{self.entries} entries{cost}{error}"
        )


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
    from newsletter.cli.why import explain  # noqa: PLC0415

    explain(ctx, place)


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
