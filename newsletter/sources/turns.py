"""Turns: one request at a time for each domain, and the next one only after its pace.

    requests --Lanes.sorted--> one Lane a domain --turn--> the request, then a pause

What has no domain (an address of the operator's own network) is asked one thing at a time as well, without pauses.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from newsletter.sources import Request
from newsletter.sources.courtesy import Pace

_GRACE = timedelta(seconds=5)  # beyond the deadline of a request, before its holder counts as dead
_LOOK_AGAIN = 0.5  # seconds: a holder that is done early passes its turn on before its time is over


class SharedTurns(Protocol):
    """Turns that all processes share; `store.turns` is one."""

    def take(self, name: str, /, *, until: datetime, now: datetime) -> datetime | None:
        """Take the turn if it is free now, and hold it `until`; else, from when on it may be."""
        ...

    def pass_on(self, name: str, /, *, free_at: datetime) -> None:
        """Give the turn back, to be taken from an instant on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The lanes of every domain; `free_at` is when each may be asked again, by the monotonic clock."""

    paces: Callable[[str], Pace | None]
    shared: SharedTurns | None
    hold: timedelta
    free_at: dict[str, float] = field(default_factory=dict)

    def sorted(self, requests: Iterable[Request]) -> list[Lane]:
        """The requests by domain, in the order given."""
        lanes: dict[str, tuple[Pace | None, list[Request]]] = {}
        for request in requests:
            pace = self.paces(request.asked)
            lanes.setdefault(pace.domain if pace else _host(request.asked), (pace, []))[1].append(request)
        return [Lane(pace=pace, requests=tuple(asked), lanes=self) for pace, asked in lanes.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One domain's requests, to be made one after another."""

    pace: Pace | None
    requests: Sequence[Request]
    lanes: Lanes

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The domain's turn, as soon as it is there; what follows waits for the pause after it."""
        pace, free_at = self.pace, self.lanes.free_at
        if pace is None:
            yield
            return
        await asyncio.sleep(free_at.get(pace.domain, 0.0) - time.monotonic())
        shared = self.lanes.shared if pace.shared else None
        if shared is not None:
            await _taken(shared, pace.domain, hold=self.lanes.hold + _GRACE)
        try:
            yield
        finally:
            pause = random.uniform(pace.least, pace.most)  # noqa: S311 - so that pauses of many do not fall together
            free_at[pace.domain] = time.monotonic() + pause
            if shared is not None:
                free = datetime.now(UTC) + timedelta(seconds=pause)
                await asyncio.to_thread(shared.pass_on, pace.domain, free_at=free)


async def _taken(shared: SharedTurns, domain: str, *, hold: timedelta) -> None:
    """Come back when the turn is ours. The wire's own clock counts here, whatever time a run is made for."""
    while True:
        now = datetime.now(UTC)
        free_at = await asyncio.to_thread(shared.take, domain, until=now + hold, now=now)
        if free_at is None:
            return
        await asyncio.sleep(min((free_at - now).total_seconds(), _LOOK_AGAIN))


def _host(url: str) -> str:
    with suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""
