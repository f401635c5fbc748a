r"""What a story is worth, in parts: how many votes are to be expected of it, and what the newsletter makes of that.

Votes are counted early: hours into the day most papers have a few, and a difference of two says little. A story's
votes are taken as a Poisson count whose rate has a Gamma prior (of shape 1/2, that of Jeffreys' prior for a Poisson
rate) with the mean of the day's pool. With n votes, and m on the average of the pool, the expected logarithm is

    digamma(1/2 + n) - log(1/2 / m + 1)        where the votes are known
    digamma(1/2)     - log(1/2 / m)            where they are not

Everything else that tells of votes to come (comments, stars, code, how new it is, whether it is like what readers
liked) shifts the prior. It counts in full where no votes are known and by 1/2 / (1/2 + m) where they are: much on the
morning of a quiet day, next to nothing on the evening of a busy one. The rest is the newsletter's own and counts in
full: what gathers votes now, its age, the weight of its source, readers, whom they follow.

All values are natural logarithms relative to the pool, so that they add up: +0.69 doubles what a story is worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.model import Signals, Story

SHAPE = 0.5
DAY = timedelta(days=1)

# How much a part counts, in logarithms of votes for one of its units. Set by hand, not fitted.
_COMMENTS = 0.5  # a story with four times the usual comments can expect twice the votes
_STARS = 0.25  # stars gather for months
_CODE = 0.25
_FRESH = 0.05  # per day since it was published
_STALE = 14  # days after which it does not matter any more
_INTEREST, _TOPICS, _NOVELTY = 0.3, 0.2, 0.2  # per standard deviation within the pool
_GAIN = 0.5
_SOURCES = 0.5
_READERS = 0.5
_FOLLOWED = 1.0
_HIGHEST = 10**9  # a number beyond is a mistake of its source

Snapshots = Sequence[tuple[datetime, Signals]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known about the stories of a pool beside what they say themselves.

    Each mapping is by the key of a story and need not have all of them; `weights` are by the name of a source, 1 where
    none is given. `pins` are the keys the editor chose, best first. `votes` are those of this newsletter's readers,
    likes less dislikes. `topics`, `interest` and `novelty` may have any scale; of each only the place within the pool
    counts. `followed` says which author or organisation of a story is followed.
    """

    snapshots: Mapping[str, Snapshots] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    pins: Sequence[str] = ()
    votes: Mapping[str, int] = field(default_factory=dict)
    topics: Mapping[str, float] = field(default_factory=dict)
    interest: Mapping[str, float] = field(default_factory=dict)
    novelty: Mapping[str, float] = field(default_factory=dict)
    followed: Mapping[str, str] = field(default_factory=dict)
    half_life: timedelta = timedelta(days=2)  # after which a story needs twice the votes


@dataclass(frozen=True, slots=True)
class Worth:
    """The parts of what a story is worth, by name; those that are nothing are left out."""

    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """What it is worth in all."""
        return math.fsum(self.parts.values())


def worths(stories: Sequence[Story], known: Known, *, now: datetime) -> list[Worth]:
    """What each story of a pool is worth, in their order."""
    votes = [count(story.signals.upvotes) for story in stories]
    mean = _mean(votes)
    told = _evidence(stories, known, now)
    own = _editorial(stories, known, now)
    found = []
    for number, voted in enumerate(votes):
        trust = 1.0 if voted is None else _trust(mean)
        parts = {"votes": _of_votes(voted, mean)}
        parts |= {name: trust * values[number] for name, values in told.items()}
        parts |= {name: values[number] for name, values in own.items()}
        found.append(Worth({name: value for name, value in parts.items() if value}))
    return found


def gained(snapshots: Snapshots, *, now: datetime) -> tuple[int, float]:
    """How many votes a story gained within the last day, and in how many days: (18, 0.5) is 18 since noon.

    From the last snapshot before that day, or the first one there is; (0, 0) where there are not two.
    """
    counted = sorted((at, votes) for at, signals in snapshots if (votes := count(signals.upvotes)) is not None)
    if not counted:
        return 0, 0.0
    before = [snapshot for snapshot in counted if snapshot[0] <= now - DAY]
    first, last = (before or counted[:1])[-1], counted[-1]
    return int(max(last[1] - first[1], 0)), (last[0] - first[0]) / DAY


# --- votes --------------------------------------------------------------------------------------------------------


def _of_votes(voted: float | None, mean: float) -> float:
    """By how much the votes of a story raise what is expected of it; nothing where they are not known."""
    if voted is None or not mean:
        return 0.0
    unknown = digamma(SHAPE) - math.log(SHAPE / mean)
    return digamma(SHAPE + voted) - math.log(SHAPE / mean + 1) - unknown


def _trust(mean: float) -> float:
    """What is left of the prior once votes are known: 1 where nobody has voted yet."""
    return SHAPE / (SHAPE + mean)


def digamma(x: float) -> float:
    """The logarithmic derivative of the gamma function, for x > 0 (Abramowitz and Stegun 6.3.5 and 6.3.18)."""
    shift = 0.0
    while x < 6:  # noqa: PLR2004 - from here on the series is exact to 1e-8
        shift -= 1 / x
        x += 1
    square = 1 / (x * x)
    return shift + math.log(x) - 1 / (2 * x) - square * (1 / 12 - square * (1 / 120 - square / 252))


# --- what tells of votes to come ----------------------------------------------------------------------------------


def _evidence(stories: Sequence[Story], known: Known, now: datetime) -> dict[str, list[float]]:
    return {
        "comments": _scaled(_COMMENTS, _logs(story.signals.comments for story in stories)),
        "stars": _scaled(_STARS, _logs(story.signals.stars for story in stories)),
        "code": _scaled(_CODE, [float(any(link.rel == "code" for link in story.links)) for story in stories]),
        "fresh": _scaled(-_FRESH, [_days(story.published, now, most=_STALE) for story in stories]),
        "interest": _scaled(_INTEREST, _deviations(stories, known.interest)),
        "topics": _scaled(_TOPICS, _deviations(stories, known.topics)),
        "novelty": _scaled(_NOVELTY, _deviations(stories, known.novelty)),
    }


def _logs(counts: Iterable[int | None]) -> list[float | None]:
    return [None if number is None else math.log1p(number) for number in map(count, counts)]


def _deviations(stories: Sequence[Story], values: Mapping[str, float]) -> list[float | None]:
    """The values in standard deviations, at most three."""
    told = [_number(values.get(story.key)) for story in stories]
    mean = _mean(told)
    spread = math.sqrt(_mean([None if value is None else (value - mean) ** 2 for value in told]))
    if not spread:
        return [None] * len(told)
    return [None if value is None else max(-3.0, min((value - mean) / spread, 3.0)) for value in told]


def _scaled(weight: float, values: Sequence[float | None]) -> list[float]:
    """The values about their mean, times the weight; what is not known is as good as the mean."""
    mean = _mean(values)
    return [0.0 if value is None else weight * (value - mean) for value in values]


# --- what the newsletter makes of it ------------------------------------------------------------------------------


def _editorial(stories: Sequence[Story], known: Known, now: datetime) -> dict[str, list[float]]:
    return {
        "rising": _rising(stories, known, now),
        "age": [-math.log(2) * _age(story, now) / max(known.half_life / DAY, 1e-6) for story in stories],
        "sources": [_SOURCES * math.log(_sources(story)) for story in stories],
        "weight": [_weight(story, known.weights) for story in stories],
        "readers": [_READERS * _signed_log(known.votes.get(story.key, 0)) for story in stories],
        "followed": [_FOLLOWED if known.followed.get(story.key) else 0.0 for story in stories],
    }


def _rising(stories: Sequence[Story], known: Known, now: datetime) -> list[float]:
    """The rate at which a story gains votes beside that of the pool, shrunk towards it as the counts are."""
    gains = [gained(known.snapshots.get(story.key, ()), now=now) for story in stories]
    days = sum(elapsed for _, elapsed in gains)
    usual = sum(votes for votes, _ in gains) / days if days else 0.0
    if not usual:
        return [0.0] * len(stories)
    return [_GAIN * math.log((SHAPE + votes) / (SHAPE + usual * elapsed)) for votes, elapsed in gains]


def _age(story: Story, now: datetime) -> float:
    return _days(story.first_seen, now, most=30) or 0.0


def _sources(story: Story) -> int:
    return len({mention.source for mention in story.mentions}) or 1


def _weight(story: Story, weights: Mapping[str, float]) -> float:
    """That of the weightiest of its sources."""
    told = [_number(weights.get(source, 1.0)) for source in {mention.source for mention in story.mentions}]
    return math.log(max(0.01, min(max((1.0 if weight is None else weight for weight in told), default=1.0), 100.0)))


def _signed_log(votes: float) -> float:
    count = _number(votes) or 0.0
    return math.copysign(math.log1p(min(abs(count), _HIGHEST)), count)


# --- numbers from outside -----------------------------------------------------------------------------------------


def count(told: float | None) -> float | None:
    """A count between 0 and a thousand million; None where it is not known."""
    number = _number(told)
    return None if number is None else max(0.0, min(number, _HIGHEST))


def _number(told: float | None) -> float | None:
    """The number, within bounds that every sum of many keeps; None for NaN."""
    if told is None or told != told:  # noqa: PLR0124 - only NaN differs from itself; math.isnan refuses a large int
        return None
    return float(max(-_HIGHEST, min(told, _HIGHEST)))


def _days(since: datetime | None, now: datetime, *, most: float) -> float | None:
    return None if since is None else max(0.0, min((now - since) / DAY, most))


def _mean(values: Sequence[float | None]) -> float:
    """Of those that are known; 0 where none is."""
    told = [value for value in values if value is not None]
    return math.fsum(told) / len(told) if told else 0.0
