"""`search`: what was collected, by words and by meaning."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

import click

from newsletter.cli.work import Day
from newsletter.cli.workspace import as_json, open_workspace, print_json

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.archive import Archive
    from newsletter.search import Found

_MOST = 1_000
_STEP = 2_000  # stories after which a terminal hears how many there were


@click.command()
@click.argument("query", nargs=-1)
@click.option("--like", multiple=True, metavar="ENTRY", help="Find more like this one: its arXiv id, address or title.")
@click.option("--unlike", multiple=True, metavar="ENTRY", help="Not like this one; beside --like.")
@click.option("--newsletter", help="Only from the sources of this newsletter.")
@click.option("--topic", "topics", multiple=True, help="Only of this topic; may be repeated.")
@click.option("--source", "sources", multiple=True, help="Only from this source; may be repeated.")
@click.option("--author", default="", help="Only by this author: a last name, or a whole name.")
@click.option("--since", type=Day(), default=date.min.isoformat(), show_default=False, help="Not before this day.")
@click.option("--until", type=Day(), default=date.max.isoformat(), show_default=False, help="Not after this day.")
@click.option("--limit", type=click.IntRange(1, _MOST), default=20, show_default=True)
@click.option("--rebuild", is_flag=True, help="Make the index anew first, from everything collected.")
@as_json
@click.pass_context
def search(
    ctx: click.Context,
    query: Sequence[str],
    *,
    like: Sequence[str],
    unlike: Sequence[str],
    newsletter: str | None,
    topics: Sequence[str],
    sources: Sequence[str],
    author: str,
    since: date,
    until: date,
    limit: int,
    rebuild: bool,
    as_json: bool,
) -> None:
    """Search everything that was collected, by words and by meaning, the best first; without a QUERY the latest.

    Plain words, no operators: a story need not have all of them. What was collected since the last search is indexed
    first. Several --like, or an --unlike, stand for a reader's taste: what they would like comes first.
    """
    from newsletter import search as room  # noqa: PLC0415

    if unlike and not like:
        raise click.UsageError("--unlike takes away from what --like names: name at least one")
    if unlike and query:
        raise click.UsageError("--unlike stands beside --like alone, without a QUERY")
    with open_workspace(ctx) as app:
        filters = room.Filters(
            since=since,
            until=until,
            topics=_known(topics, app.plan.topics, "topic"),
            sources=_sources(app, sources, newsletter),
            author=author,
        )
        if rebuild:
            app.store.stories.refile()
        _catch_up(app.archive, quiet=as_json)
        if unlike or (len(like) > 1 and not query):
            found = room.for_you(app.archive, like, unlike=unlike, filters=filters, limit=limit)
        else:
            found = room.search(app.archive, " ".join(query), like=like, filters=filters, limit=limit)
    if as_json:
        print_json([_told(one) for one in found])
    else:
        click.echo("\n".join(line for one in found for line in _lines(one)) or "nothing found")


def _sources(app: App, named: Sequence[str], newsletter: str | None) -> tuple[str, ...]:
    """The sources to look through; none stands for all."""
    known = {*app.plan.sources, *app.store.entries.count()}  # a source that was taken out still has its stories
    sources = _known(named, known, "source")
    if newsletter is None:
        return sources
    its = app.newsletter(newsletter).sources
    if sources and not set(sources) & set(its):
        raise click.UsageError(f"{newsletter} does not read {', '.join(sources)}; it reads {', '.join(its)}")
    return tuple(name for name in its if not sources or name in sources)


def _known(names: Sequence[str], known: Collection[str], noun: str) -> tuple[str, ...]:
    from newsletter.errors import NotFound  # noqa: PLC0415

    for name in names:
        if name not in known:
            raise NotFound(f"there is no {noun} {name!r}; there are: {', '.join(sorted(known)) or 'none yet'}")
    return tuple(names)


def _catch_up(archive: Archive, *, quiet: bool) -> None:
    shows = not quiet and sys.stderr.isatty()
    done = 0
    while step := archive.catch_up(most=_STEP):
        done += step
        if shows:
            click.echo(f"\r{done} changes indexed", nl=False, err=True)
    if done and shows:
        click.echo("\r\033[K", nl=False, err=True)


def _lines(found: Found) -> list[str]:
    story = found.story
    about = ", ".join(filter(None, (found.topic, *dict.fromkeys(mention.source for mention in story.mentions))))
    return [f"{found.day}  {story.title}", f"            {story.url or story.key}  [{about}]"]


def _told(found: Found) -> dict[str, object]:
    """An answer for scripts: the same keys for every one."""
    story = found.story
    return {
        "key": story.key,
        "title": story.title,
        "url": story.url,
        "summary": story.summary,
        "authors": list(story.authors),
        "day": found.day.isoformat(),
        "topic": found.topic,
        "sources": [mention.source for mention in story.mentions],
        "signals": asdict(story.signals),
        "score": round(found.score, 4),
    }
