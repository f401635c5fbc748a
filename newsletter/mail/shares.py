"""Whose turn it is among several mail servers: each gets messages by its weight. Pure.

None runs ahead of the others by more than a little, so the shares are right at any time. A server that cannot take its
turn (it rests, its rate is used up, it is slow to answer) holds nobody up: it is absent until it takes a message again,
and what it missed is not made up for.
"""

from __future__ import annotations

from collections.abc import Sequence

PATIENCE = 2.0  # seconds that the others wait for the one whose turn it is
LOOK = 0.01  # seconds until one that is ahead asks again
_AHEAD = 50  # of so many messages one may be ahead


class Shares:
    """Messages given so far, by server; times are seconds of any clock that only goes forward."""

    def __init__(self, weights: Sequence[int]) -> None:
        """Servers are called by their number in this order."""
        self._weights = weights
        self._given = [0.0] * len(weights)
        self._present = [True] * len(weights)
        self._seen: list[float | None] = [None] * len(weights)  # when each last took one, or could have
        self._lead = 1.0

    def wait(self, who: int, now: float) -> float:
        """How long a server waits before it may take a message: not at all if the others have had theirs."""
        if len(self._weights) == 1:
            return 0.0
        for other, seen in enumerate(self._seen):
            if seen is None:
                self._seen[other] = now
            elif other != who and self._present[other] and self._is_behind(other, who) and now - seen > PATIENCE:
                self._present[other] = False
        return LOOK if any(self._present[other] and self._is_behind(other, who) for other in self._others(who)) else 0.0

    def took(self, who: int, now: float) -> None:
        """It took a message."""
        if not self._present[who]:
            self._present[who] = True
            floor = min((self._level(other) for other in self._others(who) if self._present[other]), default=0.0)
            self._given[who] = max(self._given[who], floor * self._weights[who])
        self._given[who] += 1
        self._seen[who] = now
        self._lead += 1 / (_AHEAD * sum(self._weights))

    def gave_back(self, who: int) -> None:
        """It could not send one that it took."""
        self._given[who] = max(0.0, self._given[who] - 1)

    def absent(self, who: int) -> None:
        """It cannot take messages for a while."""
        self._present[who] = False

    def _others(self, who: int) -> Sequence[int]:
        return [other for other in range(len(self._weights)) if other != who]

    def _level(self, who: int) -> float:
        return self._given[who] / self._weights[who]

    def _is_behind(self, other: int, who: int) -> bool:
        return self._level(who) >= self._level(other) + self._lead
