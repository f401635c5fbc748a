"""How fast one worker hands messages to a mail server: by permits of the budget that all workers share.

The rules are in `budget`. Permits are drawn for a moment at once, so that a message costs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable

from newsletter.mail.budget import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Grant,
    Lanes,
    Limits,
    OwnLanes,
    draw,
    returned,
    slowed,
    well,
)
from newsletter.model import Lane

__all__ = ["FIRST_PAUSE", "LONGEST_PAUSE", "Pace"]


class Pace:
    """When the next message may be taken; times are seconds of any clock that only goes forward.

    Without `lanes` it is this worker's own, and goes by that clock. With them it is the lane `name` there, and `clock`
    is the one that all workers go by.
    """

    def __init__(
        self,
        limits: Limits | float = 0.0,
        *,
        lanes: Lanes | None = None,
        name: str = "",
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`limits` may be a rate alone, in messages a second, 0 for no limit."""
        self._limits = limits if isinstance(limits, Limits) else Limits(rate=limits)
        self._lanes = lanes if lanes is not None else OwnLanes()
        self._name = name
        self._clock = clock
        self._permits = 0
        self._until = 0.0  # by the worker's clock, as `_again`
        self._again = 0.0
        self._complained = False
        self.is_spent = False  # today's share of the lane is used up

    def seconds(self, now: float) -> float:
        """How long to wait before the next message."""
        if self._permits > 0 and now < self._until:
            return 0.0
        if now < self._again:
            return self._again - now
        return self._draw(now)

    def took(self, now: float) -> None:
        """A message was taken."""
        if self._permits <= 0:
            self._draw(now)
        self._permits -= 1

    def slow(self, now: float, *, asked: float | None = None) -> None:
        """The server wants less of us, and perhaps said for how long. Replies of one moment count once."""
        there = self._there(now)
        self._change(lambda lane: slowed(lane, now=there, asked=asked))
        self._again = 0.0
        self._until = 0.0
        self._complained = True

    def well(self, now: float) -> None:
        """The server took a message."""
        if self._complained:
            there = self._there(now)
            self._complained = bool(self._change(lambda lane: well(lane, now=there)).pause)

    def leave(self, now: float) -> None:
        """Nothing more will be taken: what was drawn of a day is given back to it."""
        unused, self._permits = self._unused, 0
        if unused:
            there = self._there(now)
            self._change(lambda lane: returned(lane, unused, now=there))

    def _draw(self, now: float) -> float:
        there, unused = self._there(now), self._unused

        def decide(lane: Lane) -> tuple[Lane, tuple[Grant, bool]]:
            lane, grant = draw(lane, self._limits, now=there, unused=unused)
            return lane, (grant, bool(lane.pause))

        grant, self._complained = self._lanes.change(self._name, decide)
        self._permits = grant.permits
        self._until = now + (grant.until - there)
        self._again = now + (grant.again - there) if grant.again else 0.0
        self.is_spent = grant.is_spent
        return max(0.0, self._again - now)

    @property
    def _unused(self) -> int:
        return max(0, self._permits) if self._limits.warm_up else 0

    def _change(self, change: Callable[[Lane], Lane]) -> Lane:
        def decide(lane: Lane) -> tuple[Lane, Lane]:
            lane = change(lane)
            return lane, lane

        return self._lanes.change(self._name, decide)

    def _there(self, now: float) -> float:
        """The same moment by the clock that all workers go by."""
        return self._clock() if self._clock else now
