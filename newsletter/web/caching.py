"""Pages that are the same for everybody, who may keep them for a while (RFC 9110, section 13; RFC 9111)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from newsletter.store.revision import Part
from newsletter.web.memory import Answer, Asked, read_answer
from newsletter.web.own_pages import cookie
from newsletter.web.site import site_of

SECONDS = 60  # a page that somebody kept may be so much older than what it tells

Handler = Callable[[Request], Response]


def public(
    handler: Handler,
    *,
    reads: Sequence[str] = (),
    knows: str = "",
    parts: Sequence[Part] = tuple(Part),
    searches: bool = False,
    seconds: int = SECONDS,
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers from memory where it can, with a tag, or 304 where the asker has it already.

    `reads` are the parameters that the page depends on, each given once, and `knows` the cookie that has it greet
    somebody, who is then answered alone. The handler sees nothing else of what was asked. What it answers with another
    status than 200, or with a Cache-Control of its own, is for the one who asked. `parts` are what the page is made of,
    everything where it is not said; one that `searches` the archive is made while no other such is.
    """

    async def endpoint(request: Request) -> Response:
        site = site_of(request)
        somebody = cookie(request, knows) if knows else ""
        canonical = _canonical(request, reads, headers=request.headers.raw if somebody else [])

        def make() -> Answer:
            return read_answer(handler(canonical), seconds=seconds)

        def stamp(newsletter: str) -> str:
            return site.app.links.stamp(newsletter, now=site.clock())

        if somebody:
            answer = await run_in_threadpool(make)
        else:
            key = (canonical.scope["path"], canonical.scope["query_string"])
            answer = await site.memory.get(key, make, of=site.app, now=site.clock(), parts=parts, searches=searches)
        tags, encodings = (request.headers.get(name, "") for name in ("if-none-match", "accept-encoding"))
        return answer.to(Asked(tags, encodings), stamp=stamp)

    return endpoint


def _canonical(request: Request, reads: Sequence[str], *, headers: Sequence[tuple[bytes, bytes]]) -> Request:
    """The same request with what it says in one spelling, so that it is one answer."""
    given = [(name, request.query_params[name]) for name in reads if request.query_params.get(name)]
    return Request({**request.scope, "query_string": urlencode(given).encode("ascii"), "headers": headers})
