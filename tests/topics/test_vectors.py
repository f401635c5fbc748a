from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from newsletter.topics.embed import unit_rows
from newsletter.topics.vectors import Vectors, largest, packed, restored, unpacked

DIMENSIONS = 96  # more than one word of 64 bits, and not whole ones


def rows(count: int, *, seed: int = 1, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """Vectors of length one, each a mixture of a few of fifty directions, as those of texts are."""
    directions = np.random.default_rng(0).normal(size=(50, dimensions))
    rng = np.random.default_rng(seed)
    found = rng.exponential(size=(count, 50)) ** 2 @ directions + 0.5 * rng.normal(size=(count, dimensions))
    return unit_rows(found)


def held(matrix: NDArray[np.float32], *, exact: bool = True) -> Vectors:
    """The rows as an archive has them."""
    return Vectors(unpacked(packed(matrix), matrix.shape[1]), exact=exact)


@given(
    st.lists(st.lists(st.integers(-100, 100), min_size=4, max_size=4), min_size=1, max_size=5),
    st.sampled_from([1e-20, 0.001, 1.0, 1e20]),
)
def test_a_byte_for_each_number_is_enough(numbers: list[list[int]], scale: float) -> None:
    """A vector comes back in its direction and with length one, whatever its scale; zeros come back as zeros."""
    matrix = np.array(numbers, np.float32) * np.float32(scale)

    for before, after in zip(np.array(numbers, float), restored(packed(matrix), 4), strict=True):
        length = float(np.linalg.norm(before))
        assert float(before @ after) > 0.99 * length if length else not after.any()
        assert float(np.linalg.norm(after)) == pytest.approx(1.0 if length else 0.0, abs=1e-5)


def test_a_missing_vector_is_like_nothing() -> None:
    """A story without a vector has cosine zero with every question."""
    vectors = Vectors(unpacked([None, *packed(rows(1))], DIMENSIONS))

    assert vectors.likeness(rows(1)[0], np.array([0, 1])).round(2).tolist() == [0.0, 1.0]


def test_nearest_are_the_nearest() -> None:
    """What is found is what comparing everything finds, the likest first."""
    matrix = rows(500)
    question = rows(1, seed=2)[0]

    assert (
        held(matrix).nearest(question, 10).tolist()
        == np.argsort(-(restored(packed(matrix), DIMENSIONS) @ question))[:10].tolist()
    )


def test_codes_find_nearly_all() -> None:
    """The signs lead to at least nine of ten nearest among thousands."""
    matrix = rows(20_000, dimensions=256)
    exact, coded = held(matrix), held(matrix, exact=False)
    shared = [
        len(set(exact.nearest(question, 10).tolist()) & set(coded.nearest(question, 10).tolist()))
        for question in rows(20, seed=3, dimensions=256)
    ]

    assert sum(shared) / len(shared) > 9


@pytest.mark.parametrize("exact", [True, False])
def test_only_marked_rows_are_found(exact: bool) -> None:
    """A filter is kept to, also one that leaves fewer rows than asked for, or none."""
    matrix = rows(3_000)
    vectors = held(matrix, exact=exact)
    few = np.zeros(len(matrix), bool)
    few[[7, 2_999]] = True

    assert set(vectors.nearest(matrix[0], 10, among=few).tolist()) == {7, 2_999}
    assert vectors.nearest(matrix[0], 10, among=np.zeros(len(matrix), bool)).tolist() == []


@pytest.mark.parametrize("exact", [True, False])
def test_standard_scores(exact: bool) -> None:
    """Over the whole archive they have mean zero and deviation one."""
    vectors = held(rows(4_000), exact=exact)
    scores = vectors.standard(rows(1, seed=2)[0], np.arange(4_000))

    assert abs(float(scores.mean())) < 0.01
    assert abs(float(scores.std()) - 1) < 0.01


@pytest.mark.parametrize("exact", [True, False])
def test_an_empty_archive(exact: bool) -> None:
    """There is nothing near to anything in it."""
    vectors = Vectors(np.empty((0, DIMENSIONS), np.int8), exact=exact)

    assert vectors.nearest(rows(1)[0], 10).tolist() == []
    assert vectors.standard(rows(1)[0], np.empty(0, np.intp)).tolist() == []


def test_representations_by_size() -> None:
    """Few rows are compared exactly, many by their codes."""
    assert Vectors.of(np.zeros((300_000, 1), np.int8)).exact
    assert not Vectors.of(np.zeros((300_001, 1), np.int8)).exact


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), max_size=20), st.integers(0, 25))
def test_largest(values: list[float], most: int) -> None:
    """The largest values, the largest first; of those returned that are equal the earlier first."""
    found = largest(np.array(values), most).tolist()

    assert sorted((values[at] for at in found), reverse=True) == sorted(values, reverse=True)[:most]
    assert found == sorted(found, key=lambda at: (-values[at], at))
