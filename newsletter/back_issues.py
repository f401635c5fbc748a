"""What the public may read of a newsletter: the issues that went to everybody, by day, week and month.

    "2026-11-20" | "2026-W47" | "2026-11" -> Period -> the stories of its issues, each once, the best first

An issue never changes once it is published, so it is kept in memory after it was read; what its stories were worth
since is asked anew, since votes go on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from newsletter.errors import NotFound
from newsletter.model import Issue, Signals, Story
from newsletter.render.sanitize import sanitize
from newsletter.store import Store
from newsletter.store.issues import Decided, names

_KEPT = 400  # issues in memory, a few hundred kilobytes each at most
_PLACES = timedelta(hours=26)  # a day begins so much earlier somewhere than it ends elsewhere
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A day, an ISO week or a month: `name` spells it, `first` and `last` are its days."""

    kind: str
    name: str
    first: date
    last: date

    @property
    def before(self) -> Period:
        """The one that ends the day before."""
        return period_of(self.first - timedelta(days=1), self.kind)

    @property
    def after(self) -> Period:
        """The one that begins the day after."""
        return period_of(self.last + timedelta(days=1), self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackIssue:
    """An issue that anybody may read. `slot` is its place in the archive: `weekday-morning/2026-11-20`.

    `shown` is the issue sanitised, as pages have it.
    """

    id: int
    slot: str
    published_at: datetime
    subject: str
    issue: Issue
    shown: Issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A sanitised story among those of a period; `topic` is the title of its section, `slot` its issue's."""

    story: Story
    topic: str
    slot: str
    day: date


def read_period(text: str) -> Period:
    """The period that a text names. NotFound for a text that names none, as 2026-02-30 does not."""
    try:
        if found := _DAY.fullmatch(text):
            return period_of(date(*map(int, found.groups())), "day")
        if found := _WEEK.fullmatch(text):
            return period_of(date.fromisocalendar(int(found[1]), int(found[2]), 1), "week")
        if found := _MONTH.fullmatch(text):
            return period_of(date(int(found[1]), int(found[2]), 1), "month")
    except (ValueError, OverflowError):
        pass
    raise NotFound(f"{text!r} is no day, week or month such as 2026-11-20, 2026-W47, 2026-11")


def period_of(day: date, kind: str) -> Period:
    """The day, week or month that a day lies in."""
    match kind:
        case "day":
            return Period(kind=kind, name=day.isoformat(), first=day, last=day)
        case "week":
            year, week, weekday = day.isocalendar()
            first = day - timedelta(days=weekday - 1)
            return Period(kind=kind, name=f"{year}-W{week:02d}", first=first, last=first + timedelta(days=6))
        case "month":
            first = day.replace(day=1)
            following = (first + timedelta(days=31)).replace(day=1)
            return Period(kind=kind, name=f"{day:%Y-%m}", first=first, last=following - timedelta(days=1))
    raise ValueError(f"no such period: {kind}")


class BackIssues:
    """The public issues of an open store; threads may share one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read = lru_cache(_KEPT)(self._load)

    def latest(self, newsletter: str) -> BackIssue | None:
        """The newest, None before the first."""
        decided = self._store.issues.public(newsletter, limit=1)
        return self.read(decided[0].id) if decided else None

    def newest(self, newsletter: str, *, limit: int) -> list[BackIssue]:
        """The last few, newest first."""
        return [self.read(one.id) for one in self._store.issues.public(newsletter, limit=limit)]

    def named(self, newsletter: str, slot: str) -> BackIssue:
        """The issue of a slot. NotFound, also for one that went to named people only."""
        number = self._store.issues.named(newsletter, slot)
        if number is None:
            raise NotFound(f"{newsletter} has no issue {slot!r}")
        return self.read(number)

    def within(self, newsletter: str, period: Period) -> list[BackIssue]:
        """The issues of a period, newest first."""
        since = datetime.combine(period.first, time(), UTC) - _PLACES
        until = datetime.combine(period.last, time(), UTC) + timedelta(days=1) + _PLACES
        near = [self.read(one.id) for one in self._store.issues.public(newsletter, since=since, until=until)]
        return [one for one in near if period.first <= one.issue.slot.date <= period.last]

    def best(self, newsletter: str, period: Period, *, limit: int) -> tuple[list[Ranked], int]:
        """The stories of a period, each once, where it was told last, the best first, and how many there are in all.

        What counts are the votes of today, those of its own readers among them. Stories that nobody votes on stand by
        what they were worth among those of their day.
        """
        told: dict[str, Ranked] = {}
        for one in self.within(newsletter, period):
            for section in one.shown.sections:
                for story in section.stories:
                    ranked = Ranked(story=story, topic=section.title, slot=one.slot, day=one.issue.slot.date)
                    told.setdefault(story.key, ranked)
        current = self._store.entries.current(told)
        signals = {key: ranked.story.signals.merged(current.get(key, Signals())) for key, ranked in told.items()}
        votes = self._store.votes.counts(newsletter, told)

        def worth(key: str) -> tuple[int, int, int]:
            counted = signals[key]
            upvotes = (counted.upvotes or 0) + votes.get(key, 0)
            return upvotes, told[key].story.standing, counted.comments or 0

        best = sorted(told, key=worth, reverse=True)[:limit]
        ranked_best = [replace(told[key], story=replace(told[key].story, signals=signals[key])) for key in best]
        return ranked_best, len(told)

    def span(self, newsletter: str) -> tuple[date, date] | None:
        """The days of the first and the last issue; None before the first."""
        ends = self._store.issues.ends(newsletter)
        if ends is None:
            return None
        (first, _), (last, _) = days(ends)
        return first, last

    def telling(self, newsletter: str, story: Story) -> list[BackIssue]:
        """The issues that told a story last, under whichever of its names."""
        return [self.read(number) for number in self._store.issues.telling(newsletter, names(story))]

    def read(self, number: int) -> BackIssue:
        """A published issue by its number, the same object as long as it is kept. NotFound."""
        return self._read(number)

    def _load(self, number: int) -> BackIssue:
        decided, issue = self._store.issues.content(number)
        return BackIssue(
            id=number,
            slot=decided.slot,
            published_at=decided.decided_at,
            subject=decided.subject,
            issue=issue,
            shown=sanitize(issue),
        )


def days(decided: Sequence[Decided]) -> list[tuple[date, Decided]]:
    """Decided slots with their days, which stand in their names."""
    return [(date.fromisoformat(one.slot.rpartition("/")[2][:10]), one) for one in decided]
