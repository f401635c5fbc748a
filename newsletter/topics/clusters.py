"""Stories that lie close together, found without being told how many groups there are.

Average linkage: the two groups whose members are most alike on average become one, until none are alike enough
(R. Sokal, C. Michener, 1958). The same stories in the same order give the same groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from newsletter.topics.embed import Matrix

_ROUNDING = 1e-9  # among copies every likeness is the same, but for this

Floats = NDArray[np.float64]


def clusters(vectors: Matrix, *, least: float) -> list[list[int]]:
    """Groups of rows whose cosines are at least `least` on average, the largest first; lone rows are groups of one.

    Takes the square of the number of rows in memory (eight bytes each) and a little more than that in time.
    """
    linkage = _Linkage((vectors @ vectors.T).astype(np.float64))
    while linkage.join(least):
        pass
    return sorted(linkage.groups(), key=lambda group: (-len(group), group))


class _Linkage:
    """Groups of rows, each known by its first row, and how alike they are: -inf where a row is no group any more."""

    def __init__(self, likeness: Floats) -> None:
        np.fill_diagonal(likeness, -np.inf)
        self._likeness = likeness
        self._members = [[row] for row in range(len(likeness))]
        self._nearest = likeness.argmax(axis=1) if len(likeness) else np.zeros(0, np.intp)
        self._nearness = likeness.max(axis=1, initial=-np.inf)

    def join(self, least: float) -> bool:
        """Make one group of the two that are most alike; False where none are alike enough."""
        if not len(self._likeness) or self._nearness.max() < least:
            return False
        near = int(self._nearness.argmax())
        one, two = sorted((near, int(self._nearest[near])))
        self._update(one, two)
        self._members[one] += self._members[two]
        self._members[two] = []
        return True

    def groups(self) -> list[list[int]]:
        """The rows of each group, in order."""
        return [sorted(rows) for rows in self._members if rows]

    def _update(self, one: int, two: int) -> None:
        """The likeness to the new group is the mean over its members (Lance and Williams, 1967)."""
        first, second = len(self._members[one]), len(self._members[two])
        together = (first * self._likeness[one] + second * self._likeness[two]) / (first + second)
        together[[one, two]] = -np.inf
        self._likeness[one] = self._likeness[:, one] = together
        self._likeness[two] = self._likeness[:, two] = -np.inf
        self._nearness[two] = -np.inf
        theirs = np.isin(self._nearest, (one, two))
        lost = theirs & (together < self._nearness - _ROUNDING) & (self._nearness > -np.inf)
        for row in {one, *np.flatnonzero(lost).tolist()}:
            self._nearest[row] = self._likeness[row].argmax()
            self._nearness[row] = self._likeness[row].max()
        nearer = (together > self._nearness) | (theirs & ~lost & (together > -np.inf))
        self._nearest[nearer], self._nearness[nearer] = one, together[nearer]
