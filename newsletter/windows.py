"""Send windows: the hours of the wall clock in which mail may go.

A window begins at its first wall time and ends before its last; 22:00-06:00 runs over midnight. Where the clocks leave
the first out it opens as much later as they jump; what they show twice is inside both times.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from newsletter.model import Window

# The library keeps eight of them, and reads the files of all others again each time.
_clocks = lru_cache(maxsize=1024)(ZoneInfo)

_DAYS = 9  # a window of minutes can lie in hours that the clocks leave out, on one day


def spelled(window: Window) -> str:
    """`08:00-18:00`."""
    return f"{window.start:%H:%M}-{window.end:%H:%M}"


def read(text: str) -> Window:
    """What `spelled` wrote. ValueError for any other text."""
    start, _, end = text.partition("-")
    return Window(start=time.fromisoformat(start), end=time.fromisoformat(end))


def is_open(window: Window, moment: datetime, zone: str) -> bool:
    """Whether the clocks of a zone stand inside the window."""
    shown = moment.astimezone(_clocks(zone)).time()
    if window.start < window.end:
        return window.start <= shown < window.end
    return shown >= window.start or shown < window.end


def opening(window: Window, moment: datetime, zone: str) -> datetime:
    """The first moment (UTC), this one or later, at which mail may go to that zone."""
    moment = moment.astimezone(UTC)
    if is_open(window, moment, zone):
        return moment
    clock = _clocks(zone)
    today = moment.astimezone(clock).date()
    days = (today + timedelta(days=number) for number in range(-1, _DAYS))
    starts = (datetime.combine(day, window.start, clock).astimezone(UTC) for day in days)
    return next(start for start in starts if start > moment and is_open(window, start, zone))
