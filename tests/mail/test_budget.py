"""Who may send how much over a lane, whoever asks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.budget import (
    DAY,
    FIRST_REST,
    LONGEST_REST,
    Limits,
    OwnLanes,
    WarmUp,
    draw,
    failed,
    parse_warm_up,
    recovered,
)
from newsletter.mail.pace import Pace
from newsletter.model import Lane
from newsletter.store import Store

NOON = 20_000 * DAY + DAY / 2

# Who acts after how many seconds: takes a message if they may, however long after they asked.
STEPS = st.lists(st.tuples(st.integers(0, 4), st.floats(0, 0.4)), max_size=300)


def most_within(taken: Sequence[float], seconds: float) -> int:
    """The most that were taken in any stretch of so many seconds."""
    return max((sum(start <= at <= start + seconds for at in taken) for start in taken), default=0)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.floats(0.2, 200), st.floats(0, 10))
def test_however_many_workers_the_rate_is_kept(steps: Sequence[tuple[int, float]], rate: float, window: float) -> None:
    """In any stretch of time no more than the rate allows and a second (or two messages) saves up."""
    lanes = OwnLanes()
    paces = [Pace(rate, lanes=lanes) for _ in range(5)]
    now, taken = NOON, []
    for worker, after in steps:
        now += after
        while not paces[worker].seconds(now):
            paces[worker].took(now)
            taken.append(now)

    assert most_within(taken, window) <= rate * window + max(2.0, rate) + 1e-3


@settings(deadline=None, max_examples=40)
@given(STEPS, st.lists(st.floats(-3, 3), min_size=5, max_size=5))
def test_clocks_that_differ_add_nothing(steps: Sequence[tuple[int, float]], wrong: Sequence[float]) -> None:
    """Workers whose clocks are seconds apart together get no more than the time that passed by all of them."""
    lanes, rate = OwnLanes(), 20.0
    now, taken = NOON, 0
    paces = [Pace(rate, lanes=lanes, clock=lambda by=by: now + by) for by in wrong]  # type: ignore[misc]
    for worker, after in steps:
        now += after
        while not paces[worker].seconds(now):
            paces[worker].took(now)
            taken += 1

    apart = max(wrong) - min(wrong)
    assert taken <= rate * (now - NOON + apart) + rate + 1


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(1, 50), st.integers(0, 100), st.integers(1, 5))
def test_no_day_has_more_than_its_share(steps: Sequence[tuple[int, float]], first: int, more: int, days: int) -> None:
    """However many workers draw and give back, the first day has its share and no more."""
    lanes = OwnLanes()
    limits = Limits(warm_up=WarmUp(first=first, last=first + more, days=days))
    paces = [Pace(limits, lanes=lanes) for _ in range(5)]
    now, taken = NOON, 0
    for worker, after in steps:
        now += after
        if paces[worker].seconds(now):
            assert paces[worker].is_spent
            continue
        paces[worker].took(now)
        taken += 1
    for pace in paces:
        pace.leave(now)
    (lane, _) = draw(lanes.change("", lambda lane: (lane, lane)), limits, now=now)

    assert taken <= (limits.warm_up.most(0) if limits.warm_up else 0)  # type: ignore[operator]
    assert lane.day_count >= taken


def test_a_day_is_used_to_its_last_message() -> None:
    """What one worker drew and did not use, another may; the next share comes with the next day."""
    lanes = OwnLanes()
    limits = Limits(warm_up=WarmUp(first=10, last=1000, days=3))
    idle, early, busy = (Pace(limits, lanes=lanes) for _ in range(3))
    assert not idle.seconds(NOON)
    assert early.seconds(NOON) == DAY / 2
    idle.leave(NOON)
    counts = []
    for day in range(4):
        now, count = NOON + day * DAY, 0
        while not busy.seconds(now) and count < 5000:
            busy.took(now)
            count += 1
        counts.append(count)

    assert counts == [10, 100, 1000, 5000]


def test_days_without_mail_warm_nothing_up() -> None:
    """The curve goes by days on which something went: a weekly letter climbs by a step a week."""
    lane, limits = Lane(), Limits(warm_up=parse_warm_up("200..20000/14d"))
    shares = []
    for week in range(14):
        now = NOON + 7 * week * DAY
        lane, grant = draw(lane, limits, now=now)
        assert limits.warm_up is not None
        shares.append(limits.warm_up.most(lane.days))
        assert grant.permits == 100
    lane, grant = draw(lane, limits, now=NOON + 14 * 7 * DAY)

    assert (shares[0], shares[1], shares[-1]) == (200, 285, 20_000)
    assert grant.permits > 20_000


@pytest.mark.parametrize("text", ["", "200", "200..20000", "0..10/3d", "20..10/3d", "1..2/0d", "1..2/3w", "-1..2/3d"])
def test_a_warm_up_that_is_none(text: str) -> None:
    """What is no curve is refused."""
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        parse_warm_up(text)


def test_a_failing_lane_rests_longer_each_time() -> None:
    """Twice as long, up to half an hour; what several workers see of one failure counts once; success ends it."""
    lane, now, rests = Lane(), NOON, []
    for _ in range(9):
        lane = failed(lane, now=now, why="away")
        lane = failed(lane, now=now, why="away")
        rests.append(lane.rests_until - now)
        now = lane.rests_until

    assert rests[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert rests[-1] == LONGEST_REST
    assert recovered(lane) == Lane()


def test_a_pause_holds_for_all_workers() -> None:
    """Where the server complains to one, the others hold back too, as soon as they ask again."""
    lanes = OwnLanes()
    told, other = Pace(100.0, lanes=lanes), Pace(100.0, lanes=lanes)
    told.slow(NOON, asked=60)

    assert told.seconds(NOON) == other.seconds(NOON) == 60


# --- with the store -------------------------------------------------------------------------------------------------


def test_a_lane_is_kept(store: Store) -> None:
    """Whatever is decided is there for the next who asks; nothing is written where nothing changes."""
    lane = Lane(tokens=1.5, filled_at=NOON + 0.001, day=20_000, day_count=7, trouble="away", share=0.5)
    before = store.lanes.change("a", lambda known: (lane, known))

    assert before == Lane()
    assert store.lanes.change("a", lambda known: (known, known)) == lane
    assert store.lanes.change("b", lambda known: (known, known)) == Lane()
    assert store.lanes.list() == {"a": lane, "b": Lane()}


def test_two_processes_share_one_budget(store: Store, database_url: str) -> None:
    """Two processes on one database together keep the rate, and use it."""
    rate, seconds = 40.0, 10.0
    command = [sys.executable, "-m", "tests.drawing", database_url, str(NOON), str(rate), str(seconds)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    taken = sorted(float(line) for worker in workers for line in worker.communicate()[0].split())

    assert [worker.returncode for worker in workers] == [0, 0]
    assert most_within(taken, 1.0) <= 2 * rate
    assert rate * seconds * 0.9 <= len(taken) <= rate * seconds + rate
