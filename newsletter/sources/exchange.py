"""Requests over HTTP, in a thread with an event loop: 20 at once, one per domain and seconds apart.

The thread, its loop and its connections end when the answers of a call are taken, or no longer wanted.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from queue import SimpleQueue
from urllib.parse import urljoin

import aiohttp

from newsletter.errors import FetchError, StoreError
from newsletter.sources import Request, Response
from newsletter.sources.decode import brief
from newsletter.sources.fetch import HttpFetch
from newsletter.sources.files import too_large
from newsletter.sources.guard import shown, url_complaint
from newsletter.sources.hints import header_hints, retry_after
from newsletter.sources.turns import Lane

try:  # two to three times as many answers a second, where it is installed
    import uvloop as loops
except ImportError:
    loops = asyncio  # type: ignore[misc]  # both have new_event_loop

Answer = tuple[Request, Response | FetchError]

_PARALLEL = 20
_REDIRECTS = 5
_FOR_GOOD = frozenset({301, 308})  # RFC 9110 sections 15.4.2 and 15.4.9
_REDIRECTIONS = frozenset({302, 303, 307}) | _FOR_GOOD
_CHUNK = 64 * 1024
_LONGEST_VALIDATOR = 1000
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, application/json;q=0.9, text/xml;q=0.9, */*;q=0.1"
)


def answers(requests: Sequence[Request], fetch: HttpFetch) -> Iterator[Answer]:
    """Every request once, with its response or the reason why there is none."""
    yield from _Batch(fetch).answers(requests)


# --- the bridge between the caller's thread and the loop's ---------------------------------------------------------


@dataclass(slots=True)
class _Batch:
    """One call's requests under way. A slot is held until its answer is taken, which bounds memory as well."""

    fetch: HttpFetch
    loop: asyncio.AbstractEventLoop = field(default_factory=loops.new_event_loop)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PARALLEL))
    ready: SimpleQueue[Answer | None] = field(default_factory=SimpleQueue)

    def answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        task = self.loop.create_task(self.exchange_all(requests))
        with closing(self.loop), ThreadPoolExecutor(1, thread_name_prefix="fetch") as thread:
            done = thread.submit(self.run, task)
            done.add_done_callback(lambda _: self.ready.put(None))
            try:
                for answer in iter(self.ready.get, None):
                    yield answer
                    self.loop.call_soon_threadsafe(self.slots.release)
                done.result()  # a bug in there is raised here
            finally:
                self.loop.call_soon_threadsafe(task.cancel)  # in vain once it is done

    def run(self, task: asyncio.Task[None]) -> None:
        with suppress(asyncio.CancelledError):
            self.loop.run_until_complete(task)
        self.loop.run_until_complete(self.loop.shutdown_default_executor())

    async def exchange_all(self, requests: Sequence[Request]) -> None:
        async with _session(self.fetch) as session, asyncio.TaskGroup() as group:
            for lane in self.fetch.lanes.sorted(requests):
                group.create_task(self.exchange_lane(session, lane))

    async def exchange_lane(self, session: aiohttp.ClientSession, lane: Lane) -> None:
        """Ask one domain one thing after another. Its turn comes first: waiting for it takes no slot from others."""
        refusal: FetchError | None = None
        for request in lane.requests:
            answer: Response | FetchError
            if refusal is not None:
                await self.slots.acquire()
                answer = _not_asked(request, lane, refusal)
            else:
                answer = await self.exchange_one(session, lane, request)
                refusal = answer if isinstance(answer, FetchError) and _is_for_the_domain(answer, lane) else None
            self.ready.put((request, answer))

    async def exchange_one(self, session: aiohttp.ClientSession, lane: Lane, request: Request) -> Response | FetchError:
        try:
            async with lane.turn():
                await self.slots.acquire()
                return await _answer(session, request, fetch=self.fetch)
        except StoreError as error:  # the turns of all processes are kept there
            await self.slots.acquire()
            return FetchError(f"did not ask for {shown(request.asked)}: {error}")


def _session(fetch: HttpFetch) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            socket_factory=fetch.guard.socket,  # judges the very address connected to: each hop, each retry
            resolver=aiohttp.ThreadedResolver(),
            limit=0,
            force_close=True,  # thousands of hosts, each asked once: kept open, they would use up all descriptors
        ),
        headers={"User-Agent": fetch.user_agent, "Accept": _ACCEPT},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # the deadline spans all hops, see `_answer`
        trust_env=False,
    )


def _is_for_the_domain(refusal: FetchError, lane: Lane) -> bool:
    """Whether a refusal is meant for all that is asked of a domain (RFC 6585 section 4, RFC 9110 section 15.6.4)."""
    if lane.pace is None:
        return False
    busy = refusal.status == HTTPStatus.SERVICE_UNAVAILABLE and refusal.retry_after is not None
    return busy or refusal.status == HTTPStatus.TOO_MANY_REQUESTS


def _not_asked(request: Request, lane: Lane, refusal: FetchError) -> FetchError:
    domain = lane.pace.domain if lane.pace else ""
    return FetchError(
        f"did not ask for {shown(request.asked)}, since {domain} asks for time: {refusal}",
        status=refusal.status,
        retry_after=refusal.retry_after,
    )


# --- one exchange ---------------------------------------------------------------------------------------------------


async def _answer(session: aiohttp.ClientSession, request: Request, *, fetch: HttpFetch) -> Response | FetchError:
    where = f"could not fetch {shown(request.asked)}: "
    began = time.monotonic()
    try:
        async with asyncio.timeout(fetch.timeout):
            answer = await _follow(session, request, limit=fetch.limit)
            return replace(answer, seconds=time.monotonic() - began)
    except FetchError as error:
        return FetchError(where + str(error), status=error.status, retry_after=error.retry_after)
    except TimeoutError:
        return FetchError(f"{where}no whole answer within {fetch.timeout:g} s")
    except (aiohttp.ClientError, OSError, UnicodeError) as error:  # UnicodeError: a label IDNA does not allow
        return FetchError(where + _reason(error))


async def _follow(session: aiohttp.ClientSession, request: Request, *, limit: int) -> Response:
    url, path, moved_to, for_good = request.asked, "", "", True
    for _ in range(_REDIRECTS + 1):
        if complaint := url_complaint(url):
            raise FetchError(path + complaint)
        try:
            async with session.get(url, headers=_conditions(request), allow_redirects=False) as reply:
                target = reply.headers.get("Location", "") if reply.status in _REDIRECTIONS else ""
                if not target:
                    return replace(await _response(reply, request, limit=limit), moved_to=moved_to)
        except aiohttp.ClientError as error:
            raise FetchError(path + _reason(error)) from error
        url = _joined(str(reply.url), target)
        for_good = for_good and reply.status in _FOR_GOOD
        moved_to = url if for_good else moved_to
        path = f"redirected to {shown(url)}: "
    raise FetchError(f"more than {_REDIRECTS} redirects, the last one to {shown(url)}")


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target.strip())
    except ValueError:
        return target


async def _response(reply: aiohttp.ClientResponse, request: Request, *, limit: int) -> Response:
    unchanged = reply.status == HTTPStatus.NOT_MODIFIED and bool(_conditions(request))
    if not unchanged and not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        raise _refused(reply)
    etag, last_modified = (_validator(reply.headers.get(name, "")) for name in ("ETag", "Last-Modified"))
    return Response(
        request=request,
        url=str(reply.url),
        body=b"" if unchanged else await _body(reply, limit=limit),
        status=reply.status,
        content_type=reply.headers.get("Content-Type", ""),
        etag=etag or (request.etag if unchanged else ""),
        last_modified=last_modified or (request.last_modified if unchanged else ""),
        unchanged=unchanged,
        holds=header_hints(reply.headers).holds,
    )


async def _body(reply: aiohttp.ClientResponse, *, limit: int) -> bytes:
    body = bytearray()
    async for chunk in reply.content.iter_chunked(_CHUNK):  # decompressed, so a bomb ends at the limit too
        body += chunk
        if len(body) > limit:
            raise FetchError(too_large(limit))
    return bytes(body)


def _conditions(request: Request) -> dict[str, str]:
    """Headers of a conditional GET (RFC 9110 section 13.1), without validators that are no header values."""
    conditions = {"If-None-Match": request.etag, "If-Modified-Since": request.last_modified}
    return {name: value for name, value in conditions.items() if _validator(value)}


def _validator(value: str) -> str:
    return value if value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALIDATOR else ""


# --- what went wrong, in words --------------------------------------------------------------------------------------


def _refused(reply: aiohttp.ClientResponse) -> FetchError:
    wait = retry_after(reply.headers)
    later = "" if wait is None else f", retry after {wait:.0f} s"
    reason = "".join(character for character in reply.reason or "" if character.isprintable())[:80]
    return FetchError(f"{reply.status} {reason}".rstrip() + later, status=reply.status, retry_after=wait)


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"there is no host '{shown(error.host)}', or the name server does not answer"
        case aiohttp.ClientSSLError():
            return f"no safe connection to {shown(error.host)}: {brief(str(error.os_error)).lower()}"
        case aiohttp.ClientConnectorError():
            return _no_connection(error)
        case aiohttp.ClientResponseError() if "content-encoding" in error.message.lower():
            return "the answer is packed in a way that was not asked for"
    return next((words for kind, words in _REASONS if isinstance(error, kind)), type(error).__name__)


_REASONS: Sequence[tuple[type[Exception], str]] = (
    (aiohttp.InvalidURL, "not a valid address"),
    (UnicodeError, "not a valid address"),
    (aiohttp.ServerDisconnectedError, "the server closed the connection without an answer"),
    (aiohttp.ClientPayloadError, "the answer is cut off or damaged"),
    (aiohttp.ClientResponseError, "the answer is not valid HTTP"),
    (OSError, "the connection was cut"),
)


def _no_connection(error: aiohttp.ClientConnectorError) -> str:
    cause = error.os_error
    if isinstance(cause, PermissionError):  # the guard's, or several of them where the host has several addresses
        told = (cause.strerror or str(cause)).removeprefix("Multiple exceptions: ")
        return told.replace(f"[Errno {errno.EACCES}] ", "")
    why = os.strerror(cause.errno).lower() if cause.errno else str(cause).lower()
    return f"no connection to {shown(error.host)} port {error.port}: {why}"
