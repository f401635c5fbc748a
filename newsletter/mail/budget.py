"""How many messages may go now over a lane, whoever asks: its state in, permits and the new state out. Pure.

draw       permits for a moment, as far as rate, pauses and the day's share allow
slowed     the server spoke of limits: nothing for a while, twice as long each time, then at half the rate
well       it takes messages again: the rate comes back by a twentieth every ten seconds
failed     it cannot be used: it rests, twice as long each time
recovered  it took a message

Permits are for `HELD` seconds, or until the next could be had; then they are void. So within any stretch of time no
more messages go than the rate allows and a second saves up (two, where that is less), however many workers draw.
All instants are seconds of one clock that the workers share.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from newsletter.model import Lane

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds; what a server asks for counts up to the longest
FIRST_REST, LONGEST_REST = 30.0, 1800.0  # seconds that a lane rests after a failure, and after many
HELD = 0.5  # seconds: what is saved up at most, and how long permits are good for
DAY = 86_400.0
_APART = 0.1  # seconds between two draws of a worker: each is a transaction
_SLOWEST = 0.01  # of the rate
_STEP, _EVERY = 0.05, 10.0
_AT_ONCE = 100  # permits, where only the day has a limit
_SOON = 0.001  # seconds
_NEARLY = 1e-6  # of a message: what sums of fractions may lack


class Lanes(Protocol):
    """The states of all lanes, changed by one worker at a time; `store.lanes` is one."""

    def change(self, name: str, decide: Callable[[Lane], tuple[Lane, T]], /) -> T:
        """Let `decide` say what the lane is from now on, and give back what else it says."""
        ...


class OwnLanes:
    """The lanes of a process that shares them with nobody."""

    def __init__(self) -> None:
        """None yet."""
        self._lanes: dict[str, Lane] = {}

    def change(self, name: str, decide: Callable[[Lane], tuple[Lane, T]], /) -> T:
        """As `Lanes`."""
        self._lanes[name], answer = decide(self._lanes.get(name, Lane()))
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The messages a day of a sender nobody knows yet: `first` on the first day, `last` on the last of `days`.

    By the same factor from each day to the next. Days without mail do not count: nobody got to know us on them.
    """

    first: int
    last: int
    days: int

    def most(self, day: int) -> int | None:
        """How many messages on a day, counted from 0; None after the last: any number."""
        if day >= self.days:
            return None
        growth: float = (self.last / self.first) ** (day / max(1, self.days - 1))
        return round(self.first * growth)


_WARM_UP = re.compile(r"(\d{1,9})\.\.(\d{1,9})/(\d{1,3})d")


def parse_warm_up(text: str) -> WarmUp:
    """Read `200..20000/14d`. ValueError."""
    match = _WARM_UP.fullmatch(text)
    first, last, days = (int(number) for number in match.groups()) if match else (0, 0, 0)
    if not (0 < first <= last and days):
        raise ValueError(f"{text!r} does not say how many messages on the first and the last of how many days")
    return WarmUp(first=first, last=last, days=days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator allows: messages a second (0: any number), and the days of getting known."""

    rate: float = 0.0
    warm_up: WarmUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a draw gave: so many permits `until` an instant; where none, when to ask `again`.

    `is_spent` says that it is today's share that is used up.
    """

    permits: int = 0
    until: float = 0.0
    again: float = 0.0
    is_spent: bool = False


def draw(lane: Lane, limits: Limits, *, now: float, unused: int = 0) -> tuple[Lane, Grant]:
    """Permits for a moment. `unused` are those of the last draw, whose day they are given back to."""
    lane = _today(returned(lane, unused, now=now), now)
    if now < lane.slow_until:
        return lane, Grant(again=lane.slow_until)
    most = limits.warm_up.most(lane.days) if limits.warm_up else None
    left = sys.maxsize if most is None else most - lane.day_count
    if left <= 0:
        return lane, Grant(again=(lane.day + 1) * DAY, is_spent=True)
    if not limits.rate:
        permits = left if most is None else min(left, _AT_ONCE)
        return _drawn(lane, permits, counted=most is not None), Grant(permits=permits, until=now + HELD)
    speed = limits.rate * lane.share
    filled = _filled(lane, speed, now)
    wanted = min(max(1.0, math.floor(speed * _APART)), left)
    if filled + _NEARLY < wanted:
        return lane, Grant(again=now + max((wanted - filled) / speed, _SOON))
    permits = min(int(filled + _NEARLY), left)
    lane = replace(lane, tokens=max(0.0, filled - permits), filled_at=max(now, lane.filled_at))
    return _drawn(lane, permits, counted=most is not None), Grant(permits=permits, until=now + max(HELD, 1 / speed))


def returned(lane: Lane, unused: int, *, now: float) -> Lane:
    """Give permits back to the day they were drawn on, if that is still today.

    What could be saved up with them is lost: it would let others go faster than the rate for a moment.
    """
    if not unused or lane.day != int(now // DAY):
        return lane
    return replace(lane, day_count=max(0, lane.day_count - unused))


def slowed(lane: Lane, *, now: float, asked: float | None = None) -> Lane:
    """The server wants less of us, and perhaps said for how long (seconds). Replies of one moment count once."""
    if now < lane.slow_until:
        return lane
    pause = min(max(2 * lane.pause, FIRST_PAUSE), LONGEST_PAUSE)
    until = now + min(max(pause, asked or 0.0), LONGEST_PAUSE)
    return replace(lane, pause=pause, slow_until=until, share=max(lane.share / 2, _SLOWEST), raised_at=until)


def well(lane: Lane, *, now: float) -> Lane:
    """The server took a message."""
    if not lane.pause or now < lane.slow_until or now - lane.raised_at < _EVERY:
        return lane
    share = min(1.0, lane.share + _STEP)
    return replace(lane, raised_at=now, share=share, pause=lane.pause if share < 1.0 else 0.0)


def failed(lane: Lane, *, now: float, why: str, first: float = FIRST_REST) -> Lane:
    """It cannot be used: let it rest. Failures of one moment, seen by several workers, count once."""
    if now < lane.rests_until:
        return replace(lane, trouble=why)
    rest = min(first * 2 ** min(lane.failures, 20), max(first, LONGEST_REST))
    return replace(lane, failures=lane.failures + 1, rests_until=now + rest, trouble=why)


def recovered(lane: Lane) -> Lane:
    """It is of use again."""
    return replace(lane, failures=0, rests_until=0.0, trouble="")


def _today(lane: Lane, now: float) -> Lane:
    """Begin a new day, unless it has begun by another worker's clock."""
    today = int(now // DAY)
    if today <= lane.day:
        return lane
    return replace(lane, day=today, day_count=0, days=lane.days + (1 if lane.day_count else 0))


def _drawn(lane: Lane, permits: int, *, counted: bool) -> Lane:
    return replace(lane, day_count=lane.day_count + permits) if counted else lane


def _filled(lane: Lane, speed: float, now: float) -> float:
    """What may go at once by now. A clock that is behind another worker's adds nothing."""
    return min(max(1.0, speed * HELD), lane.tokens + max(0.0, now - lane.filled_at) * speed)
