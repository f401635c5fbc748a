"""Whether the clock on the wall can be believed.

A clock that has gone wrong by days would send what is not due for days. A machine that was off for days looks alike,
but for one thing: how long it has been running. So the clock is measured against that, from tick to tick:

    the clock went on as much as the machine ran               fine, also if no daemon did meanwhile
    it went on more than a day longer                          doubted, until it is right again or somebody confirms it
    the machine was started anew                               fine: it may have been off; `catch_up` says what is late
    the clock stands more than a day before the last tick      doubted: it is not set yet, or was wrong before
    it went back by less                                       fine: slots wait until it is where it was
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from newsletter.store.owner import this_process
from newsletter.store.ticks import Tick

LIMIT = timedelta(hours=24)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Which start of the machine this is, and how long ago that was."""

    boot: str
    uptime: timedelta


def running() -> Running:
    """This machine's, sleep included; where it does not say, this process's own."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot = this_process()
    return Running(boot=boot, uptime=timedelta(seconds=time.clock_gettime(_CLOCK)))


_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def doubt(now: datetime, here: Running, ticks: Mapping[str, Tick]) -> str:
    """What is wrong with the clock, measured against the last ticks by their boot; empty where nothing is."""
    latest = max((tick.at for tick in ticks.values()), default=now)
    last = ticks.get(here.boot)
    ahead = (now - last.at) - (here.uptime - last.uptime) if last else None
    if ahead is not None and abs(ahead) <= LIMIT:
        return ""
    shown = f"now it is {now:%Y-%m-%d %H:%M} UTC"
    if latest - now > LIMIT:
        return f"the clock stands {told(latest - now)} before the last tick; {shown}"
    if now - latest <= LIMIT:
        return ""
    if ahead is not None:
        return f"the clock jumped ahead by {told(ahead)}; {shown}"
    if any(tick.doubted for tick in ticks.values()):
        return f"the clock had jumped before this machine was started anew; {shown}"
    return ""


def horizon(now: datetime, here: Running, ticks: Mapping[str, Tick]) -> datetime:
    """By which time slots are planned: the clock's, or that of this machine's last tick where the clock went back.

    Else a slot older than the last would come up once more, and be made after it.
    """
    last = ticks.get(here.boot)
    return max(now, last.at) if last else max([now, *(tick.at for tick in ticks.values())])


def told(span: timedelta) -> str:
    """`3 days`, `26 hours`."""
    hours = round(span / timedelta(hours=1))
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"  # noqa: PLR2004 - hours tell less from there on
