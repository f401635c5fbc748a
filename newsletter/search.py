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
from newsletter.topics import search as topics
from newsletter.topics.embed import text_of
from newsletter.topics.index import Index, Wanted
from newsletter.topics.interests import Interests
from newsletter.topics.merge import merge
from newsletter.topics.search import Hit, indexed, question

_NET = 400  # stories near to what a reader liked, that are weighed by all they liked and disliked
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

    `like` names stories by key, arXiv id, DOI, address or title. NotFound for one that is not in the archive,
    NotReady while another thread reads that for the first time.
    """
    index = archive.index()
    liked = _named(archive, like)
    hits = _hits(archive, index, text, liked, filters=filters, most=limit + len(liked) + _NAMESAKES)
    return _found(archive, index, [hit for hit in hits if hit.id not in liked])[:limit]


def for_you(
    archive: Archive, like: Sequence[str], *, unlike: Sequence[str] = (), filters: Filters = ANY, limit: int = 20
) -> list[Found]:
    """What somebody might like who liked some stories and disliked others, the best first; see `topics.interests`.

    Stories are named as in `search`. NotFound for one that is not in the archive.
    """
    index = archive.index()
    liked, disliked = _named(archive, like), _named(archive, unlike)
    near = _hits(archive, index, "", liked, filters=filters, most=_NET)
    named = dict.fromkeys([*liked, *disliked])
    told = archive.stories([hit.id for hit in near if hit.id not in named])
    known = archive.embedded(list(archive.stories(list(named)).values()))
    interests = Interests(archive.embedded(list(told.values())), known)
    places = {story: place for place, story in enumerate(named)}
    scores = interests.of([places[story] for story in liked], disliked=[places[story] for story in disliked])
    hits = sorted(
        (Hit(story, float(score)) for story, score in zip(told, scores, strict=True)), key=lambda hit: -hit.score
    )
    return _found(archive, index, hits[: limit + _NAMESAKES])[:limit]


def _hits(archive: Archive, index: Index, text: str, liked: Sequence[int], *, filters: Filters, most: int) -> list[Hit]:
    texts = [text, *(text_of(story.title, story.summary) for story in archive.stories(liked).values())]
    return topics.search(
        question(texts, archive.embedder),
        index,
        holding=archive.store.stories.words.holding,
        texts=archive.store.stories.words.texts,
        wanted=_wanted(archive, filters),
        most=most,
    )


def _named(archive: Archive, names: Sequence[str]) -> list[int]:
    """The ids of the stories that are named."""
    found = archive.find(names)
    for name, stories in found.items():
        if not stories:
            raise NotFound(f"there is no story {name!r} in the archive; an arXiv id, DOI, address or title names one")
    return list(dict.fromkeys(story for stories in found.values() for story in stories))


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
