"""Bytes from the network and from the operator's files: the one module of this room that does I/O.

    files     read at once, one after another
    http(s)   a thread with an event loop: 20 at once, one per host, each answer as it comes

Nothing outlives a call: its thread, loop and connections end when its answers are taken, or no longer wanted.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from queue import SimpleQueue
from urllib.parse import urljoin, urlsplit

import aiohttp

from newsletter.errors import FetchError
from newsletter.sources import Fetch, Request, Response
from newsletter.sources.decode import brief
from newsletter.sources.files import read_file, too_large
from newsletter.sources.guard import Guard, Network, shown, url_complaint

try:  # two to three times as many answers a second, where it is installed
    import uvloop as loops
except ImportError:
    loops = asyncio  # type: ignore[misc]  # both have new_event_loop

Answer = tuple[Request, Response | FetchError]

_PARALLEL = 20
_REDIRECTS = 5
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024
_LONGEST_VALIDATOR = 1000
_LONGEST_WAIT = 31 * 24 * 3600.0  # seconds; a longer Retry-After is a mistake
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, application/json;q=0.9, text/xml;q=0.9, */*;q=0.1"
)


def open_fetch(
    *, allow: Sequence[Network] = (), user_agent: str, timeout: float = 30.0, limit: int = 15 * 2**20
) -> Fetch:
    """A `Fetch` for http(s) addresses on public networks, those in `allow`, and files.

    `timeout` is in seconds, from the first redirect to the last byte; `limit` is in bytes, after decompression. It
    holds nothing open between calls.
    """
    return HttpFetch(guard=Guard(tuple(allow)), user_agent=user_agent, timeout=timeout, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFetch:
    """What `open_fetch` makes; each call is independent of the others."""

    guard: Guard
    user_agent: str
    timeout: float
    limit: int

    def __call__(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Yield every request once, with its response or the reason why there is none; files come first."""
        for request in requests:
            if request.path is not None:
                yield request, read_file(request, request.path, limit=self.limit)
        remote = [request for request in requests if request.path is None]
        if remote:
            yield from _Batch(self).answers(remote)


# --- the bridge between the caller's thread and the loop's ---------------------------------------------------------


@dataclass(slots=True)
class _Batch:
    """One call's requests under way. A slot is held until its answer is taken, which bounds memory as well."""

    fetch: HttpFetch
    loop: asyncio.AbstractEventLoop = field(default_factory=loops.new_event_loop)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PARALLEL))
    hosts: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
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
            for request in requests:
                group.create_task(self.exchange_one(session, request))

    async def exchange_one(self, session: aiohttp.ClientSession, request: Request) -> None:
        # The host's turn first, so that waiting for a slow host takes no slot from the others.
        async with self.hosts[_host(request.url)]:
            await self.slots.acquire()
            answer = await _answer(session, request, fetch=self.fetch)
        self.ready.put((request, answer))


def _session(fetch: HttpFetch) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            socket_factory=fetch.guard.socket,  # judges the very address connected to: each hop, each retry
            resolver=aiohttp.ThreadedResolver(),
            limit=0,
        ),
        headers={"User-Agent": fetch.user_agent, "Accept": _ACCEPT},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # the deadline spans all hops, see `_answer`
        trust_env=False,
    )


def _host(url: str) -> str:
    with suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""


# --- one exchange ---------------------------------------------------------------------------------------------------


async def _answer(session: aiohttp.ClientSession, request: Request, *, fetch: HttpFetch) -> Response | FetchError:
    where = f"could not fetch {shown(request.url)}: "
    try:
        async with asyncio.timeout(fetch.timeout):
            return await _follow(session, request, limit=fetch.limit)
    except FetchError as error:
        return FetchError(where + str(error), status=error.status, retry_after=error.retry_after)
    except TimeoutError:
        return FetchError(f"{where}no whole answer within {fetch.timeout:g} s")
    except (aiohttp.ClientError, OSError, UnicodeError) as error:  # UnicodeError: a label IDNA does not allow
        return FetchError(where + _reason(error))


async def _follow(session: aiohttp.ClientSession, request: Request, *, limit: int) -> Response:
    url, path = request.url, ""
    for _ in range(_REDIRECTS + 1):
        if complaint := url_complaint(url):
            raise FetchError(path + complaint)
        try:
            async with session.get(url, headers=_conditions(request), allow_redirects=False) as reply:
                target = reply.headers.get("Location", "") if reply.status in _REDIRECTIONS else ""
                if not target:
                    return await _response(reply, request, limit=limit)
        except aiohttp.ClientError as error:
            raise FetchError(path + _reason(error)) from error
        url = _joined(str(reply.url), target)
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


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds a server asks us to wait (RFC 9110 section 10.2.3), at most 31 days; None where it does not say.

    A date there is compared with the answer's own Date, so that it does not matter whose clock is right.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,10}", value):
        return min(float(value), _LONGEST_WAIT)
    until, sent = _http_date(value), _http_date(headers.get("Date", ""))
    if until is None or sent is None:
        return None
    return min(max((until - sent).total_seconds(), 0.0), _LONGEST_WAIT)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"there is no host '{shown(error.host)}', or the name server does not answer"
        case aiohttp.ClientSSLError():
            return f"no safe connection to {shown(error.host)}: {brief(str(error.os_error)).lower()}"
        case aiohttp.ClientConnectorError():
            return _no_connection(error)
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
