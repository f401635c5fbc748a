from __future__ import annotations

import dataclasses
import math
import random
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import ranking
from newsletter.codec import decode, encode
from newsletter.model import Link, Mention, Signals, Story
from newsletter.topics.rank import rank
from newsletter.topics.trending import Known, digamma, gained, worths
from tests.builders import HOUR, NOON, a_story

DAY = timedelta(days=1)
COUNTS = st.none() | st.integers(-5, 10**6) | st.sampled_from([10**400, math.nan, math.inf, -math.inf, 0.5])
NUMBERS = st.floats() | st.integers(-(10**400), 10**400)


def order(stories: list[Story], known: Known | None = None, *, now: datetime = NOON) -> list[int]:
    """The numbers of the stories, best first."""
    return [int(story.key[-5:]) for story in rank(stories, known or Known(), now=now)]


def parts(story: Story, *others: Story, known: Known | None = None) -> dict[str, int]:
    """The points of a story's parts, in a pool with others."""
    ranked = rank([story, *others], known or Known(), now=NOON)
    return {part.name: part.points for found in ranked if found.key == story.key for part in found.parts}


def quiet(number: int, **changes: object) -> Story:
    """A story nothing is known of."""
    return a_story(number, **{"signals": Signals(), **changes})


# --- votes --------------------------------------------------------------------------------------------------------


def test_votes_come_first() -> None:
    """With the same of everything else, more votes stand higher."""
    assert order([a_story(n, signals=Signals(upvotes=n)) for n in (3, 40, 0, 12)]) == [40, 12, 3, 0]


def test_a_few_votes_are_no_proof() -> None:
    """While votes are few, comments decide; once they are many, votes do, by whatever they differ."""
    few = [a_story(1, signals=Signals(upvotes=2, comments=0)), a_story(2, signals=Signals(upvotes=1, comments=30))]
    many = [a_story(1, signals=Signals(upvotes=80, comments=0)), a_story(2, signals=Signals(upvotes=60, comments=30))]

    assert order([*few, *(a_story(n, signals=Signals(upvotes=0, comments=1)) for n in range(3, 20))])[0] == 2
    assert order(many) == [1, 2]


def test_what_is_not_known_is_not_zero() -> None:
    """A story whose source counts no votes stands below those with many and above those that nobody voted for."""
    stories = [
        a_story(1, signals=Signals(upvotes=0)),
        a_story(2, signals=Signals()),
        a_story(3, signals=Signals(upvotes=20)),
        a_story(4, signals=Signals(upvotes=10)),
    ]

    assert order(stories) == [3, 4, 2, 1]


def test_a_quiet_day_is_measured_by_itself() -> None:
    """Three votes are much on a day when others have none, and little on a day when others have thirty."""
    quiet_day = [a_story(n, signals=Signals(upvotes=0)) for n in range(2, 9)]
    busy_day = [a_story(n, signals=Signals(upvotes=30)) for n in range(2, 9)]
    three = a_story(1, signals=Signals(upvotes=3))

    assert parts(three, *quiet_day)["votes"] > 0 > parts(three, *busy_day)["votes"]
    assert rank([three, *quiet_day], now=NOON)[0].standing == 100
    assert rank([three, *busy_day], now=NOON)[-1].standing == 0


@pytest.mark.parametrize("x", [0.5, 1.0, 2.5, 6.0, 100.0, 1e9])
def test_digamma_is_the_slope_of_lgamma(x: float) -> None:
    """The series agrees with the difference quotient of the standard library's function."""
    step = x * 1e-4

    assert digamma(x) == pytest.approx((math.lgamma(x + step) - math.lgamma(x - step)) / (2 * step), rel=1e-5, abs=1e-5)


# --- the other parts ----------------------------------------------------------------------------------------------


def test_each_part_counts_where_votes_are_not_known() -> None:
    """Without votes a story stands by what else is known of it, each in the direction it should."""
    plain = quiet(9)
    better = {
        "comments": quiet(1, signals=Signals(comments=20)),
        "stars": quiet(1, signals=Signals(stars=2000)),
        "code": quiet(1, links=(Link(rel="code", url="https://example.org/code"),)),
        "fresh": quiet(1, published=NOON - HOUR),
        "sources": quiet(1, mentions=(Mention(source="a", url=""), Mention(source="b", url=""))),
    }
    others = (
        dataclasses.replace(plain, signals=Signals(comments=1, stars=1)),
        quiet(8, signals=Signals(comments=1, stars=1), published=NOON - 9 * DAY),
    )

    for name, story in better.items():
        assert parts(story, *others)[name] > 0, name
        assert order([story, *others])[0] == 1, name


def test_what_the_newsletter_knows_decides_a_cold_start() -> None:
    """Of a feed without signals come first what readers would like, what fits the topics and what was not told yet."""
    stories = [quiet(n) for n in range(1, 6)]
    for name in ("interest", "topics", "novelty"):
        given_values = {story.key: float(number) for number, story in enumerate(stories)}

        assert order(stories, Known(**{name: given_values})) == [5, 4, 3, 2, 1], name  # type: ignore[arg-type]


def test_the_weight_of_a_source_is_a_factor() -> None:
    """A source of weight 2 is worth ln 2 more, and of several sources the weightiest counts."""
    heavy = quiet(1, mentions=(Mention(source="a", url=""),))
    light = quiet(2, mentions=(Mention(source="b", url=""),))
    known = Known(weights={"a": 2.0, "b": 0.5})

    assert parts(heavy, light, known=known)["weight"] == 69
    assert parts(light, heavy, known=known)["weight"] == -69


def test_a_story_ages() -> None:
    """After two days a story needs twice the votes; a newsletter that comes once a week may set more."""
    new, old = quiet(1, first_seen=NOON), quiet(2, first_seen=NOON - 2 * DAY)

    assert parts(old, new)["age"] == -69
    assert parts(old, new, known=Known(half_life=7 * DAY))["age"] == -20
    assert order([old, new]) == [1, 2]


def test_what_gathers_votes_now_rises() -> None:
    """Of two stories with the same votes, the one that gained them within the day stands higher, and says so."""
    then, rising, still = (
        NOON - 12 * HOUR,
        a_story(2, signals=Signals(upvotes=20)),
        a_story(1, signals=Signals(upvotes=20)),
    )
    known = Known(
        snapshots={
            rising.key: [(then, Signals(upvotes=2)), (NOON, Signals(upvotes=20))],
            still.key: [(then, Signals(upvotes=19)), (NOON, Signals(upvotes=20))],
        }
    )

    best, other = rank([still, rising], known, now=NOON)

    assert best.key == rising.key
    assert "18 upvotes within 12 hours" in best.why
    assert not any("within" in words for words in other.why)


def test_gains_are_those_of_the_last_day() -> None:
    """Gains count from the last snapshot a day old, or from the first; one snapshot, or votes taken back, gain none."""
    at = [(NOON - hours * HOUR, Signals(upvotes=votes)) for hours, votes in ((72, 1), (36, 5), (12, 9), (0, 30))]

    assert gained(at, now=NOON) == (25, 1.5)
    assert gained(at[2:], now=NOON) == (21, 0.5)
    assert gained(at[:1], now=NOON) == (0, 0.0)
    assert gained([(NOON - HOUR, Signals(upvotes=9)), (NOON, Signals(upvotes=3))], now=NOON)[0] == 0
    assert gained([(NOON, Signals(stars=3))], now=NOON) == (0, 0.0)


def test_pins_stand_on_top_in_their_order() -> None:
    """What the editor chose comes first whatever its votes, and says that it was chosen."""
    stories = [a_story(n, signals=Signals(upvotes=n)) for n in range(1, 6)]

    ranked = rank(stories, Known(pins=(stories[1].key, "gone", stories[0].key, stories[1].key)), now=NOON)

    assert [story.title[-1] for story in ranked] == ["2", "1", "5", "4", "3"]
    assert ranked[0].why[0] == "chosen by the editor"


def test_readers_and_whom_they_follow_count() -> None:
    """Likes lift a story and dislikes lower it; a followed author lifts it, by name."""
    stories = [quiet(n) for n in (1, 2, 3)]
    known = Known(votes={stories[0].key: -4, stories[2].key: 4}, followed={stories[1].key: "Ada Noether"})

    ranked = rank(stories, known, now=NOON)

    assert [story.why for story in ranked] == [("by Ada Noether",), ("liked by 4 readers",), ()]
    assert ranked[-1].key == stories[0].key


# --- the whole ----------------------------------------------------------------------------------------------------


def test_the_rank_is_explained() -> None:
    """A story carries the parts of its rank, the weightiest first, and in words those that speak for it."""
    mentions = (Mention(source="b", url=""), Mention(source="a", url=""))
    story = a_story(1, signals=Signals(upvotes=5, comments=0, stars=1200), mentions=mentions)
    others = [a_story(n, signals=Signals(upvotes=1, comments=4, stars=10)) for n in range(2, 9)]

    ranked = rank([story, *others], now=NOON)

    assert ranked[0].why == ("5 upvotes", "found in a and b", "1,200 stars")
    assert ranked[0].standing == 100
    assert [abs(part.points) for part in ranked[0].parts] == sorted(
        (abs(p.points) for p in ranked[0].parts), reverse=True
    )
    assert "comments" in {part.name for part in ranked[0].parts if part.points < 0}
    assert decode(Story, encode(ranked[0])) == ranked[0]


def test_parts_add_up() -> None:
    """What a story is worth is the sum of its parts and nothing else."""
    stories = [a_story(n, signals=Signals(upvotes=n * n, comments=n), published=NOON - n * DAY) for n in range(1, 9)]
    worth = {story.key: found.total for story, found in zip(stories, worths(stories, Known(), now=NOON), strict=True)}

    ranked = rank(stories, now=NOON)

    assert [story.key for story in ranked] == sorted(worth, key=lambda key: -worth[key])
    for story in ranked:
        assert sum(part.points for part in story.parts) == pytest.approx(100 * worth[story.key], abs=20)


def test_equal_stories_have_one_order() -> None:
    """The same stories stand in the same order, however they came: that of their keys."""
    stories = [quiet(number, title="The same") for number in range(5000)]
    shuffled = random.Random(1).sample(stories, len(stories))  # noqa: S311 - the same each time

    assert [story.key for story in rank(shuffled, now=NOON)] == [story.key for story in stories]


@given(
    st.lists(st.tuples(COUNTS, COUNTS, COUNTS), max_size=12),
    st.lists(NUMBERS, min_size=12, max_size=12),
    st.integers(-(10**30), 10**30),
)
def test_no_number_is_too_strange(counts: list[tuple[int, int, int]], values: list[float], votes: int) -> None:
    """Whatever a source counts and whatever is known, there is one order, and reasons that can be kept."""
    stories = [
        quiet(n, signals=Signals(upvotes=a, comments=b, stars=c), first_seen=None if n % 3 else NOON + DAY)
        for n, (a, b, c) in enumerate(counts)
    ]
    given_values = {story.key: value for story, value in zip(stories, values, strict=False)}
    known = Known(
        interest=given_values,
        topics=given_values,
        novelty=given_values,
        weights={"": values[0]},
        votes={story.key: votes for story in stories},
        snapshots={story.key: [(NOON - DAY, Signals(upvotes=1)), (NOON, story.signals)] for story in stories},
        half_life=timedelta(0),
    )

    ranked = rank(stories, known, now=NOON)

    assert [story.parts for story in ranked] == [story.parts for story in rank(reversed(stories), known, now=NOON)]
    assert {story.key for story in ranked} == {story.key for story in stories}
    assert all(isinstance(part.points, int) for story in ranked for part in story.parts)


def test_no_stories_are_no_mistake() -> None:
    """An empty pool gives an empty order, and a pool of one is at its top."""
    assert rank([], now=NOON) == []
    assert rank([quiet(1)], now=NOON)[0].standing == 100


def test_only_what_an_issue_may_hold_is_explained() -> None:
    """Of a huge pool the best thousand carry their reasons; the order is that of all."""
    ranked = rank([a_story(n, signals=Signals(upvotes=n)) for n in range(1200)], now=NOON)

    assert [story.signals.upvotes for story in ranked] == list(reversed(range(1200)))
    assert [bool(story.parts) for story in ranked[998:1002]] == [True, True, False, False]


# --- figures ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def days(shared_data: Path) -> list[ranking.Day]:
    """The days of Hugging Face."""
    return list(ranking.read(shared_data / "huggingface_daily"))


@pytest.mark.shared
@pytest.mark.parametrize(("rate", "floor"), [(0.1, 0.88), (0.25, 0.947), (0.5, 0.98), (0.75, 0.992)])
def test_the_morning_foretells_the_evening(days: list[ranking.Day], rate: float, floor: float) -> None:
    """With a part of the votes hidden our order is nearer to that of all votes than the votes left alone."""

    def score(order: ranking.Order) -> float:
        return fmean(ranking.score(days, order, rate=rate, seeds=2))

    ours = score(ranking.ours)

    assert ours > floor
    assert ours > score(ranking.SINGLE["votes so far (baseline)"])
