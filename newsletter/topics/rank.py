"""Ranking: the best first, with the reasons.

    stories + what is known about them (`trending.Known`) -> parts -> order, standing, why

Pure and without chance: the same stories give the same order however they come, equal ones in that of their keys.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime

from newsletter.model import Part, Story
from newsletter.topics.trending import Known, Worth, count, gained, worths

_LEAST = 5  # points: what is less is neither stored nor told
_EXPLAINED = 1_000
_NOTHING = Known()


def rank(stories: Iterable[Story], known: Known = _NOTHING, *, now: datetime) -> list[Story]:
    """The stories, best first, with their `parts`, their `standing` among all and `why` they stand there.

    What the editor pinned comes first, in the editor's order. Only the best 1,000 are explained: no issue has more.
    """
    pool = sorted(stories, key=lambda story: story.key)
    pins = {key: place for place, key in reversed(list(enumerate(known.pins)))}
    rated = list(zip(pool, worths(pool, known, now=now), strict=True))
    rated.sort(key=lambda pair: (pins.get(pair[0].key, len(pins)), -pair[1].total, pair[0].key))
    last = len(rated) - 1
    explained = [
        _ranked(story, worth, known, standing=round(100 * (last - place) / last) if last else 100, now=now)
        for place, (story, worth) in enumerate(rated[:_EXPLAINED])
    ]
    return [*explained, *(story for story, _ in rated[_EXPLAINED:])]


def _ranked(story: Story, worth: Worth, known: Known, *, standing: int, now: datetime) -> Story:
    parts = _parts(story, worth, known, now)
    chosen = ("chosen by the editor",) if story.key in known.pins else ()
    why = (*chosen, *(part.words for part in parts if part.words))
    return dataclasses.replace(story, parts=parts, standing=standing, why=why)


def _parts(story: Story, worth: Worth, known: Known, now: datetime) -> tuple[Part, ...]:
    points = {name: round(100 * value) for name, value in worth.parts.items()}
    telling = {name: number for name, number in points.items() if abs(number) >= _LEAST}
    return tuple(
        Part(name=name, points=number, words=_words(name, story, known, now) if number > 0 else "")
        for name, number in sorted(telling.items(), key=lambda item: (-abs(item[1]), item[0]))
    )


def _words(name: str, story: Story, known: Known, now: datetime) -> str:
    """A part that speaks for a story, told to a reader."""
    words = _REASONS.get(name, "")
    match name:
        case "votes":
            words = _counted(story.signals.upvotes, "upvote")
        case "comments":
            words = _counted(story.signals.comments, "comment")
        case "stars":
            words = _counted(story.signals.stars, "star")
        case "rising":
            votes, days = gained(known.snapshots[story.key], now=now)
            words = f"{_counted(votes, 'upvote')} within {_time(days)}"
        case "sources":
            words = "found in " + ", ".join(sorted({mention.source for mention in story.mentions}))
        case "followed":
            words = f"by {known.followed[story.key]}"
        case "readers":
            words = f"liked by {_counted(known.votes[story.key], 'reader')}"
    return words


_REASONS: Mapping[str, str] = {
    "code": "comes with code",
    "interest": "like what readers of this newsletter liked",
    "topics": "close to the topics",
    "novelty": "unlike what was sent of late",
}


def _counted(told: float | None, noun: str) -> str:
    number = count(told) or 0
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def _time(days: float) -> str:
    return _counted(max(1, round(24 * days)), "hour") if days <= 1 else _counted(round(days), "day")
