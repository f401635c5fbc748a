from __future__ import annotations

import numpy as np
import pytest

from newsletter.topics.embed import unit_rows
from newsletter.topics.likeness import standing
from newsletter.topics.neighbours import with_neighbours


def a_crowd(count: int) -> np.ndarray:
    """Random directions, the same every time."""
    return unit_rows(np.random.default_rng(1).normal(size=(count, 16)))


def test_a_topic_that_is_like_everything_gains_nothing() -> None:
    """Its cosines are all high, and only what stands out of them counts."""
    stories = unit_rows(a_crowd(500) + np.eye(16)[0])
    hub, other = np.eye(16, dtype=np.float32)[[0, 1]]

    standings = standing(stories, np.array([hub, other]))

    assert (stories @ hub).mean() > (stories @ other).mean() + 0.2
    assert standings.mean(axis=0) == pytest.approx([0, 0], abs=0.4)


def test_a_few_stories_are_measured_with_a_common_scale() -> None:
    """Two stories alone say nothing of what is usual for one topic."""
    near, far = standing(np.eye(2, 4, dtype=np.float32), np.eye(2, 4, dtype=np.float32))

    assert near[0] > near[1]
    assert far[1] > far[0]


def test_what_has_no_direction_stands_at_zero() -> None:
    """A story without a known word, and a topic without one."""
    vectors = np.array([[0, 0], [1, 0], [0, 1]], np.float32)

    assert standing(vectors, np.eye(2, dtype=np.float32))[0].tolist() == [0, 0]
    assert not standing(vectors, np.zeros((1, 2), np.float32)).any()
    assert standing(vectors[:0], vectors).shape == (0, 3)


def test_scores_are_drawn_to_those_of_like_stories() -> None:
    """By as much as they are alike; nothing comes from stories that are not."""
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    scores = np.array([[0.0], [3.0], [9.0]])

    assert with_neighbours(scores, vectors, 1)[0] == pytest.approx([3 * 0.15 / 1.15])


def test_a_story_is_no_neighbour_of_its_own() -> None:
    """Alone it keeps its score, in the day as in the archive."""
    scores = np.array([[2.0, -1.0]])

    assert with_neighbours(scores, np.ones((1, 2), np.float32), 1).tolist() == scores.tolist()
    assert with_neighbours(scores, np.ones((1, 2), np.float32), 0).shape == (0, 2)


def test_many_stories_are_drawn_as_few() -> None:
    """How they are cut into blocks does not matter."""
    vectors = a_crowd(2_500)
    scores = np.random.default_rng(2).normal(size=(2_500, 3))

    whole = with_neighbours(scores, vectors, 1_200)

    order = np.r_[700:1_200, :700, 1_200:2_500]
    assert np.allclose(with_neighbours(scores[order], vectors[order], 1_200)[:500], whole[700:], atol=1e-6)
    assert np.abs(whole).mean() < np.abs(scores[:1_200]).mean()
