"""Ranking: the best first, with the reasons.

    stories + what is known about them (`trending.Known`) -> parts -> order, standing, why

Pure and without chance: the same stories give the same order however they come, equal ones in that of their keys.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime

from newsletter.language import ENGLISH, Language
from newsletter.model import Part, Story
from newsletter.topics.trending import Known, Worth, count, gained, worths

_LEAST = 5  # points: what is less is neither stored nor told
_EXPLAINED = 1_000
_NOTHING = Known()


def rank(
    stories: Iterable[Story], known: Known = _NOTHING, *, now: datetime, language: Language = ENGLISH
) -> list[Story]:
    """The stories, best first, with their `parts`, their `standing` among all and `why` they stand there.

    What the editor pinned comes first, in the editor's order. Only the best 1,000 are explained: no issue has more.
    """
    pool = sorted(stories, key=lambda story: story.key)
    pins = {key: place for place, key in reversed(list(enumerate(known.pins)))}
    rated = list(zip(pool, worths(pool, known, now=now), strict=True))
    rated.sort(key=lambda pair: (pins.get(pair[0].key, len(pins)), -pair[1].total, pair[0].key))
    last = len(rated) - 1
    reasons = _Reasons(known, now, language)
    explained = [
        _explained(story, worth, reasons, standing=round(100 * (last - place) / last) if last else 100)
        for place, (story, worth) in enumerate(rated[:_EXPLAINED])
    ]
    return [*explained, *(story for story, _ in rated[_EXPLAINED:])]


def _explained(story: Story, worth: Worth, reasons: _Reasons, *, standing: int) -> Story:
    parts = _parts(story, worth, reasons)
    chosen = (reasons.language.gettext("chosen by the editor"),) if story.key in reasons.known.pins else ()
    why = (*chosen, *(part.words for part in parts if part.words))
    return dataclasses.replace(story, parts=parts, standing=standing, why=why)


def _parts(story: Story, worth: Worth, reasons: _Reasons) -> tuple[Part, ...]:
    points = {name: round(100 * value) for name, value in worth.parts.items()}
    telling = {name: number for name, number in points.items() if abs(number) >= _LEAST}
    return tuple(
        Part(name=name, points=number, words=reasons.of(story, name) if number > 0 else "")
        for name, number in sorted(telling.items(), key=lambda item: (-abs(item[1]), item[0]))
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Reasons:
    """The parts that speak for a story, told to a reader."""

    known: Known
    now: datetime
    language: Language

    def of(self, story: Story, part: str) -> str:
        """A part in words; empty where it is no reason to show the story."""
        gettext, ngettext = self.language.gettext, self.language.ngettext
        words = {
            "code": gettext("comes with code"),
            "interest": gettext("like what readers of this newsletter liked"),
            "topics": gettext("close to the topics"),
            "novelty": gettext("unlike what was sent of late"),
        }.get(part, "")
        match part:
            case "votes":
                words = ngettext("%(count)s upvote", "%(count)s upvotes", _whole(story.signals.upvotes))
            case "comments":
                words = ngettext("%(count)s comment", "%(count)s comments", _whole(story.signals.comments))
            case "stars":
                words = ngettext("%(count)s star", "%(count)s stars", _whole(story.signals.stars))
            case "rising":
                votes, days = gained(self.known.snapshots[story.key], now=self.now)
                time = self._time(days)
                words = ngettext(
                    "%(count)s upvote within %(time)s", "%(count)s upvotes within %(time)s", votes, time=time
                )
            case "sources":
                sources = self.language.listed(sorted({mention.source for mention in story.mentions}))
                words = gettext("found in %(sources)s", sources=sources)
            case "followed":
                words = gettext("by %(name)s", name=self.known.followed[story.key])
            case "readers":
                votes = _whole(self.known.votes[story.key])
                words = ngettext("liked by %(count)s reader", "liked by %(count)s readers", votes)
        return words

    def _time(self, days: float) -> str:
        if days <= 1:
            return self.language.ngettext("%(count)s hour", "%(count)s hours", max(1, round(24 * days)))
        return self.language.ngettext("%(count)s day", "%(count)s days", round(days))


def _whole(told: float | None) -> int:
    return int(count(told) or 0)
