"""Searching the archive: by words and meaning, for more like some stories, within days, topics, sources, authors.

    text, stories to find more like -> question | topics.search -> hits | their entries | merge -> Found

What somebody typed never reaches the query language of a database: it becomes words, and a vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.archive import Archive, sighting
from newsletter.errors import NotFound
from newsletter.model import Story
from newsletter.sources.identity import arxiv_id, canonical_url, normal_doi, title_key
from newsletter.topics import search as topics
from newsletter.topics.embed import text_of
from newsletter.topics.index import Index, Wanted
from newsletter.topics.merge import merge
from newsletter.topics.search import Hit, indexed, question

_NAMESAKES = 5  # answers more than asked for, since some turn out to be one
_AUTHORED = 50_000  # stories of one author that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which stories may answer: of the days from `since` to `until`, of any of the topics, of any of the sources.

    The author's name may lack first names, not parts in between: `LeCun`, `Yann LeCun`.
    """

    since: date = date.min
    until: date = date.max
    topics: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer. `score` compares it with the other answers of one search, and with nothing else."""

    story: Story
    day: date
    topic: str
    score: float


ANY = Filters()


def search(
    archive: Archive, text: str = "", *, like: Sequence[str] = (), filters: Filters = ANY, limit: int = 20
) -> list[Found]:
    """The best stories for a text, for a few stories to find more `like`, or both; for neither the latest.

    `like` names stories by key, arXiv id, DOI, address or title. NotFound for one that is not in the archive.
    """
    index = archive.index()
    liked = _named(archive, like)
    texts = [text, *(text_of(story.title, story.summary) for story in archive.stories(liked).values())]
    hits = topics.search(
        question(texts, archive.embedder),
        index,
        holding=archive.store.stories.words.holding,
        texts=archive.store.stories.words.texts,
        wanted=_wanted(archive, filters),
        most=limit + len(liked) + _NAMESAKES,
    )
    return _found(archive, index, [hit for hit in hits if hit.id not in liked])[:limit]


def _named(archive: Archive, names: Sequence[str]) -> list[int]:
    """The ids of the stories that are named."""
    keys = {name: _keys(name) for name in names}
    ids = archive.store.stories.find([key for some in keys.values() for key in some]) if names else {}
    for name, some in keys.items():
        if ids.keys().isdisjoint(some):
            raise NotFound(f"there is no story {name!r} in the archive; an arXiv id, DOI, address or title names one")
    return list(dict.fromkeys(ids.values()))


def _keys(name: str) -> list[str]:
    """The keys that a name of a story may stand for."""
    name = name.strip().replace("\0", "")
    spelled = {
        "arxiv": arxiv_id(name),
        "doi": normal_doi(name),
        "url": canonical_url(name),
        "title": title_key(name),
    }
    return [name, *(f"{kind}:{key}" for kind, key in spelled.items() if key)]


def _wanted(archive: Archive, filters: Filters) -> Wanted:
    name = " ".join(indexed(filters.author))
    return Wanted(
        since=filters.since,
        until=filters.until,
        topics=frozenset(filters.topics),
        sources=frozenset(filters.sources),
        ids=archive.store.stories.words.by(name, _AUTHORED) if filters.author.strip() else None,
    )


def _found(archive: Archive, index: Index, hits: Sequence[Hit]) -> list[Found]:
    """The stories themselves; several that turn out to be one stand where the best of them did."""
    told = archive.store.stories.told([hit.id for hit in hits])
    best: dict[str, Hit] = {}
    for hit in hits:
        for seen in told.get(hit.id, ()):
            best.setdefault(seen.entry.key, hit)
    stories = merge(sighting(seen) for hit in hits for seen in told.get(hit.id, ()))
    return sorted((_answer(story, best, index) for story in stories), key=lambda found: -found.score)


def _answer(story: Story, best: Mapping[str, Hit], index: Index) -> Found:
    hit = max((best[key] for key in (story.key, *story.aliases) if key in best), key=lambda hit: hit.score)
    day, shelf = index.of(hit.id)
    return Found(story=story, day=day, topic=shelf.topic, score=hit.score)
