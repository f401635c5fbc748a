"""Ranking: would the order of the morning have been that of the evening?

The answers of Hugging Face hold one count of votes a day. An earlier hour is made of it by hiding votes at random
(binomial thinning): each vote had been cast by then with the same chance, several chances and seeds. The order of what
is left is scored by nDCG@10 against the full counts. Comments and stars are thinned with the votes, since they would
have been fewer as well; "comments known" is the same with those of the evening.

Nothing is fitted on these days. Where content is used, each day is scored by what the days before it upvoted.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean, stdev

from benchmarks.quality import Row, needed
from benchmarks.quality._answers import answers
from newsletter.model import Signals, Story
from newsletter.topics.merge import Sighting, merge
from newsletter.topics.rank import rank
from newsletter.topics.trending import Known
from newsletter.topics.words import telling

RATES = (0.1, 0.25, 0.5, 0.75)
SEEDS = 10
TOP = 10
LEAST = 5  # stories; a shorter day has hardly an order

Order = Callable[["Morning"], Sequence[Story]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The stories of a day with all their votes, and how much each is like what earlier days upvoted."""

    stories: tuple[Story, ...]
    now: datetime
    interest: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """The same stories with a part of their signals. `luck` breaks the ties of the baselines."""

    stories: tuple[Story, ...]
    now: datetime
    interest: Mapping[str, float]
    luck: Mapping[str, float]


def rows(data: Path) -> list[Row]:
    """NDCG@10 of our order beside each signal alone, at every rate."""
    days = list(read(needed(data / "huggingface_daily")))
    found = []
    for rate in RATES:
        scores = {name: score(days, order, rate=rate) for name, order in ORDERS.items()}
        best = max((scores[name] for name in SINGLE), key=fmean)
        scores["ours, comments known"] = score(days, ours, rate=rate, only_votes=True)
        found += [
            _row(rate, "nDCG@10", name, fmean(values), fmean(best) if name.startswith("ours") else None)
            for name, values in scores.items()
        ]
        found.append(_row(rate, "gain over the best single", "ours, in standard errors", sure(scores["ours"], best), 0))
    return found


def sure(ours: Sequence[float], others: Sequence[float]) -> float:
    """By how many standard errors the mean of the first is above that of the second, day by day."""
    gains = [one - other for one, other in zip(ours, others, strict=True)]
    return fmean(gains) / (stdev(gains) / math.sqrt(len(gains)))


def _row(rate: float, measure: str, method: str, value: float, target: float | None) -> Row:
    return Row(
        data=f"Hugging Face, {rate:.0%} of votes", measure=measure, method=method, value=value, target=target, digits=4
    )


def score(
    days: Sequence[Day], order: Order, *, rate: float, seeds: int = SEEDS, only_votes: bool = False
) -> list[float]:
    """NDCG@10 for each day, the mean of its seeds."""
    found = []
    for number, day in enumerate(days):
        lots = [random.Random(f"{seed} {number} {rate}") for seed in range(seeds)]  # noqa: S311 - the same each time
        found.append(fmean(_one(day, order, lot, rate, only_votes) for lot in lots))
    return found


def _one(day: Day, order: Order, chance: random.Random, rate: float, only_votes: bool) -> float:
    votes = {story.key: story.signals.upvotes or 0 for story in day.stories}
    found = order(thinned(day, chance, rate, only_votes=only_votes))
    best = _gain(sorted(votes.values(), reverse=True))
    return _gain([votes[story.key] for story in found]) / best if best else 1.0


def _gain(votes: Sequence[int]) -> float:
    return math.fsum(count / math.log2(place + 2) for place, count in enumerate(votes[:TOP]))


def thinned(day: Day, chance: random.Random, rate: float, *, only_votes: bool = False) -> Morning:
    """The day as it stood when each vote had been cast with the chance `rate`."""

    def some(count: int | None) -> int | None:
        return None if count is None else sum(chance.random() < rate for _ in range(min(count, 10_000)))

    def earlier(signals: Signals) -> Signals:
        votes = some(signals.upvotes)
        comments, stars = some(signals.comments), some(signals.stars)
        if only_votes:
            comments, stars = signals.comments, signals.stars
        return Signals(upvotes=votes, comments=comments, stars=stars)

    stories = tuple(dataclasses.replace(story, signals=earlier(story.signals)) for story in day.stories)
    luck = {story.key: chance.random() for story in stories}
    return Morning(stories=stories, now=day.now, interest=day.interest, luck=luck)


# --- orders -------------------------------------------------------------------------------------------------------


def ours(morning: Morning) -> Sequence[Story]:
    """By `rank`, without knowing what was read before."""
    return rank(morning.stories, now=morning.now)


def ours_with_content(morning: Morning) -> Sequence[Story]:
    """By `rank`, with what earlier days upvoted in the place of what readers liked."""
    return rank(morning.stories, Known(interest=morning.interest), now=morning.now)


def one_after_the_other(morning: Morning) -> Sequence[Story]:
    """By votes; the other signals, in turn, for equal ones only."""

    def key(story: Story) -> tuple[float, ...]:
        signals = story.signals
        when = story.published.timestamp() if story.published else 0
        return (-(signals.upvotes or 0), -(signals.comments or 0), -(signals.stars or 0), -when)

    return sorted(morning.stories, key=key)


def _by(value: Callable[[Morning, Story], float | None]) -> Order:
    def order(morning: Morning) -> Sequence[Story]:
        def key(story: Story) -> tuple[float, float]:
            return (-(value(morning, story) or 0), morning.luck[story.key])

        return sorted(morning.stories, key=key)

    return order


SINGLE: Mapping[str, Order] = {
    "votes so far (baseline)": _by(lambda _, story: story.signals.upvotes),
    "comments so far (baseline)": _by(lambda _, story: story.signals.comments),
    "stars so far (baseline)": _by(lambda _, story: story.signals.stars),
    "by date (baseline)": _by(lambda _, story: story.published.timestamp() if story.published else 0),
    "content only (baseline)": _by(lambda morning, story: morning.interest[story.key]),
}
ORDERS: Mapping[str, Order] = {
    **SINGLE,
    "votes, then comments, stars, date": one_after_the_other,
    "ours": ours,
    "ours, with content": ours_with_content,
}


# --- days ---------------------------------------------------------------------------------------------------------


def read(folder: Path) -> Iterator[Day]:
    """The days in their order."""
    liked = Liked()
    for now, entries in answers(folder):
        stories = tuple(merge(Sighting(entry=entry, first_seen=now) for entry in entries))
        if len(stories) >= LEAST:
            yield Day(stories=stories, now=now, interest={story.key: liked.likeness(story) for story in stories})
            liked.learn(stories)


class Liked:
    """Words of what the upper half of each earlier day had and the lower half had not: a lexical content score."""

    def __init__(self) -> None:
        """Knows nothing yet."""
        self._documents: Counter[str] = Counter()
        self._weights: defaultdict[str, float] = defaultdict(float)
        self._seen = 0

    def likeness(self, story: Story) -> float:
        """Higher for a story that is like what was upvoted."""
        return math.fsum(weight * self._weights[word] for word, weight in self._vector(story).items())

    def learn(self, stories: Sequence[Story]) -> None:
        """Take in a day that is over."""
        ordered = sorted(stories, key=lambda story: story.signals.upvotes or 0)
        half = len(ordered) // 2
        for side, part in ((-1, ordered[:half]), (1, ordered[-half:])):
            for story in part:
                for word, weight in self._vector(story).items():
                    self._weights[word] += side * weight
        for story in stories:
            self._seen += 1
            self._documents.update(set(telling(f"{story.title} {story.summary}")))

    def _vector(self, story: Story) -> dict[str, float]:
        counts = Counter(telling(f"{story.title} {story.title} {story.summary}"))
        raw = {
            word: (1 + math.log(count)) * math.log((self._seen + 1) / (self._documents[word] + 0.5))
            for word, count in counts.items()
            if self._documents[word] > 1
        }
        length = math.sqrt(math.fsum(value * value for value in raw.values()))
        return {word: value / length for word, value in raw.items()} if length else {}
