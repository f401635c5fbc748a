"""How fast a mail server gets messages: as fast as its operator allows, and slower while it says so. Pure.

rate     so many a second at most, evenly; a second of them at once is the most that can be saved up
slow     the server spoke of limits: nothing for a while, twice as long each time, then at half the rate
well     it takes messages again: the rate comes back by a twentieth every ten seconds
"""

from __future__ import annotations

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds; what a server asks for counts up to the longest
_SLOWEST = 0.01  # of the rate
_STEP, _EVERY = 0.05, 10.0


class Pace:
    """When the next message may be taken; times are seconds of any clock that only goes forward."""

    def __init__(self, rate: float = 0.0) -> None:
        """`rate` is in messages a second, 0 for no limit."""
        self._rate = rate
        self._share = 1.0  # of the rate, while the server is being spared
        self._saved = max(1.0, rate)
        self._at = 0.0
        self._pause = 0.0  # the last one
        self._until = 0.0
        self._raised = 0.0

    def seconds(self, now: float) -> float:
        """How long to wait before the next message."""
        if now < self._until:
            return self._until - now
        if not self._rate:
            return 0.0
        missing = 1.0 - self._filled(now)
        return max(0.0, missing / (self._rate * self._share))

    def took(self, now: float) -> None:
        """A message was taken."""
        if self._rate:
            self._saved = self._filled(now) - 1.0
            self._at = now

    def slow(self, now: float, *, asked: float | None = None) -> None:
        """The server wants less of us, and perhaps said for how long. Replies of one moment count once."""
        if now < self._until:
            return
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        self._until = now + min(max(self._pause, asked or 0.0), LONGEST_PAUSE)
        self._share = max(self._share / 2, _SLOWEST)
        self._raised = self._until

    def well(self, now: float) -> None:
        """The server took a message."""
        if self._pause and now >= self._until and now - self._raised >= _EVERY:
            self._raised = now
            self._share = min(1.0, self._share + _STEP)
            self._pause = self._pause if self._share < 1.0 else 0.0

    def _filled(self, now: float) -> float:
        speed = self._rate * self._share
        return min(max(1.0, speed), self._saved + (now - self._at) * speed)
