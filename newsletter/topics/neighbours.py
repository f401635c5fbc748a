"""What the stories most like a story say of it: one round of spreading scores from story to story.

After X. Zhu, Z. Ghahramani, "Learning from labeled and unlabeled data with label propagation" (2002); one round, since
scores come from the topics' texts and not from labels that could be trusted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from newsletter.topics.embed import Matrix

_NEIGHBOURS = 10
_WEIGHT = 0.15  # ten neighbours with a cosine of two thirds count as much as the story itself
_OF_THE_DAY = 2_000  # stories of the day that can be neighbours; more would not change what a story is about
_TOGETHER = 1_000  # rows of cosines in memory


def with_neighbours(scores: NDArray[np.float64], vectors: Matrix, count: int) -> NDArray[np.float64]:
    """The scores of the first `count` stories, each drawn to those of the stories most like it.

    `scores` and `vectors` have a row for each story of the day, the first `count`, and of the archive.
    """
    others = np.r_[: min(count, _OF_THE_DAY), count : len(vectors)]
    drawn = [
        _drawn(scores, vectors, np.arange(start, min(start + _TOGETHER, count)), others)
        for start in range(0, count, _TOGETHER)
    ]
    return np.vstack(drawn) if drawn else scores[:0]


def _drawn(
    scores: NDArray[np.float64], vectors: Matrix, rows: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.float64]:
    cosines = vectors[rows] @ vectors[others].T
    cosines[rows[:, None] == others] = 0  # a story is no neighbour of its own
    nearest = np.argpartition(-cosines, min(_NEIGHBOURS, len(others) - 1), axis=1)[:, :_NEIGHBOURS]
    weights = _WEIGHT * np.maximum(np.take_along_axis(cosines, nearest, axis=1), 0).astype(np.float64)
    around = np.einsum("sn,snt->st", weights, scores[others[nearest]])
    drawn: NDArray[np.float64] = (scores[rows] + around) / (1 + weights.sum(axis=1, keepdims=True))
    return drawn
