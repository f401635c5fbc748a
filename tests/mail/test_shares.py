"""Whose turn it is among several servers."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.shares import PATIENCE, Shares

WEIGHTS = st.lists(st.integers(1, 9), min_size=1, max_size=4)


@settings(deadline=None, max_examples=30)
@given(WEIGHTS, st.randoms(use_true_random=False))
def test_shares_are_by_weight(weights: list[int], random: object) -> None:
    """Whoever asks most, each has had what its weight says, at any time and but for a little."""
    shares = Shares(weights)
    given_to: Counter[int] = Counter()
    for _ in range(200):
        ready = [who for who in range(len(weights)) if not shares.wait(who, 0.0)]
        assert ready, "somebody always has a turn"
        who = max(ready) if random.random() < 0.7 else random.choice(ready)  # type: ignore[attr-defined]
        shares.took(who, 0.0)
        given_to[who] += 1

    levels = [given_to[who] / weight for who, weight in enumerate(weights)]
    assert max(levels) - min(levels) <= 1 + 200 / (50 * sum(weights)) + 1


@settings(deadline=None, max_examples=50)
@given(WEIGHTS, st.lists(st.tuples(st.sampled_from(["took", "absent", "back"]), st.integers(0, 3)), max_size=60))
def test_somebody_always_has_a_turn(weights: list[int], steps: list[tuple[str, int]]) -> None:
    """Whoever went away or gave back: nobody waits for ever, and who alone is left waits not at all."""
    shares = Shares(weights)
    now = 0.0
    for step, number in steps:
        who = number % len(weights)
        now += 0.1
        if step == "took" and not shares.wait(who, now):
            shares.took(who, now)
        elif step == "back":
            shares.gave_back(who)
        elif step == "absent":
            shares.absent(who)
    for who in range(len(weights)):
        shares.wait(who, now)
    now += PATIENCE + 1

    assert all(not shares.wait(who, now) for who in range(len(weights)))


@pytest.mark.parametrize("how", ["slow", "absent"])
def test_who_cannot_take_its_turn_holds_nobody_up(how: str) -> None:
    """One that is slow is waited for a moment; when it comes back it has its share, and no more."""
    shares = Shares([1, 1])
    while not shares.wait(0, 0.0):
        shares.took(0, 0.0)
    if how == "absent":
        shares.absent(1)
    now = PATIENCE + 1
    for _ in range(100):
        assert not shares.wait(0, now)
        shares.took(0, now)
    taken: Counter[int] = Counter()
    for _ in range(50):
        for who in (1, 0):
            if not shares.wait(who, now):
                shares.took(who, now)
                taken[who] += 1

    assert abs(taken[0] - taken[1]) <= 5
