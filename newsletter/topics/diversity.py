"""Diversity: an order in which neighbours differ, and the best still comes first.

Maximal marginal relevance (Carbonell and Goldstein, 1998): the next one is the best of what is left, less what it
shares with those that are in already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from newsletter.topics.embed import Matrix

Vector = NDArray[np.float32]
Similar = Callable[[int], Vector]  # how similar each is to the one of that number, at most 1

BALANCE = 0.7  # of relevance; what is left is for being different
_SAME = 1e-6  # gains that differ by less are equal: sums of float32 may


def spread(
    relevance: Sequence[float], similar: Similar, *, count: int, balance: float = BALANCE, fixed: int = 0
) -> list[int]:
    """The numbers of `count` things (all, where there are fewer) in an order that spreads them.

    `relevance` is 0 to 1 for each, such as `Story.standing / 100`. The first `fixed` keep their places; of equals the
    earlier goes first. What is not a number counts as 0.
    """
    worth = np.nan_to_num(np.asarray(relevance, dtype=np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    total = len(worth)
    closest = np.zeros(total, dtype=np.float32)
    left = np.ones(total, dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(count, total):
        gain = np.where(left, balance * worth - (1 - balance) * closest, -np.inf)
        best = len(chosen) if len(chosen) < fixed else int(np.flatnonzero(gain >= gain.max() - _SAME)[0])
        chosen.append(best)
        left[best] = False
        closest = np.maximum(closest, np.nan_to_num(similar(best), nan=0.0))
    return chosen


def by_vectors(vectors: Matrix) -> Similar:
    """Similarity as the cosine of vectors of length one, a row for each thing."""
    return lambda number: vectors @ vectors[number]
