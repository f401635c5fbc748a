from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.topics.diversity import by_vectors, spread
from newsletter.topics.embed import Matrix


def directions(*degrees: float) -> Matrix:
    """Vectors of length one in these directions."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_second_is_something_else() -> None:
    """Of three that are nearly as good, the one unlike the first comes next."""
    similar = by_vectors(directions(0, 1, 90))

    assert spread([1.0, 0.95, 0.9], similar, count=3) == [0, 2, 1]
    assert spread([1.0, 0.95, 0.9], similar, count=3, balance=1.0) == [0, 1, 2]
    assert spread([1.0, 0.95, 0.2], similar, count=3) == [0, 1, 2]


def test_what_is_fixed_keeps_its_place() -> None:
    """The first few stay where they are, whatever they share."""
    assert spread([0.1, 0.9, 0.9, 1.0], by_vectors(directions(0, 0, 90, 0)), count=4, fixed=2) == [0, 1, 2, 3]


def test_five_thousand_of_the_same_stand_as_they_stood() -> None:
    """Equal ones go in the order they came in, and no more are given than were asked for."""
    assert spread([0.5] * 5000, by_vectors(directions(*[45.0] * 5000)), count=20) == list(range(20))


@given(st.lists(st.floats(width=32), max_size=20), st.floats(0, 1), st.integers(0, 25))
def test_each_comes_once(relevance: list[float], balance: float, fixed: int) -> None:
    """Whatever the numbers are, every one is given exactly once."""
    vectors = np.full((len(relevance), 2), np.nan, dtype=np.float32)
    vectors[::2] = directions(*range(len(vectors[::2])))

    found = spread(relevance, by_vectors(vectors), count=len(relevance), balance=balance, fixed=fixed)

    assert sorted(found) == list(range(len(relevance)))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_as_many_as_asked_for(count: int) -> None:
    """At most `count`, at most as many as there are."""
    assert len(spread([0.2, 0.1], by_vectors(directions(0, 90)), count=count)) == min(count, 2)
