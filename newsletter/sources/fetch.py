"""Bytes from the network and from the operator's files.

    files     read at once, one after another
    http(s)   `exchange`, whose library takes a fifth of a second to load: only what asks a server pays that

Nothing but the times of the last requests outlives a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from newsletter.errors import FetchError
from newsletter.networks import Guard, Network
from newsletter.sources import Fetch, Request, Response
from newsletter.sources.courtesy import Pace, pace_of
from newsletter.sources.files import read_file
from newsletter.sources.turns import Lanes, SharedTurns


def open_fetch(
    *,
    allow: Sequence[Network] = (),
    user_agent: str,
    timeout: float = 30.0,
    limit: int = 15 * 2**20,
    turns: SharedTurns | None = None,
    paces: Callable[[str], Pace | None] = pace_of,
) -> Fetch:
    """A `Fetch` for http(s) addresses on public networks, those in `allow`, and files.

    `timeout` is in seconds, from the first redirect to the last byte; `limit` is in bytes, after decompression. `turns`
    are those of all processes together, without which each knows its own only; `paces` says how fast an address may be
    asked. It holds nothing open between calls.
    """
    lanes = Lanes(paces=paces, shared=turns, hold=timedelta(seconds=timeout))
    return HttpFetch(guard=Guard(tuple(allow)), user_agent=user_agent, timeout=timeout, limit=limit, lanes=lanes)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFetch:
    """What `open_fetch` makes; each call is independent of the others."""

    guard: Guard
    user_agent: str
    timeout: float
    limit: int
    lanes: Lanes

    def __call__(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Response | FetchError]]:
        """Yield every request once, with its response or the reason why there is none; files come first."""
        for request in requests:
            if request.path is not None:
                yield request, read_file(request, request.path, limit=self.limit)
        remote = [request for request in requests if request.path is None]
        if remote:
            from newsletter.sources.exchange import answers  # noqa: PLC0415

            yield from answers(remote, self)
