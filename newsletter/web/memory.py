"""Public answers in memory: each is made once for all who ask, and stands until something public changes.

    get -> what is the revision now? -> the answer that was kept of it, else make one: once, however many wait for it

Asking the database for its revision is what an answer costs that is kept; one look serves all who came before it began.
Everything here happens in the loop of the server, but what `make` and `revision` do.

A form tells when its page was made, and that is the moment at which somebody got it: such stamps are put in last. What
is packed is packed in parts, so that they fit in there too.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from newsletter.store.revision import Part

Revision: TypeAlias = tuple[int, ...]  # the numbers of the parts that an answer is made of

_SEARCHES = 2  # at once: each keeps a core busy, and a crowd of them would take the threads of all other pages
_MOST = 32_000_000  # bytes in memory
_HEADERS = 1_000  # bytes that an answer takes beside its body, about
_SHORT = 600  # bytes that are not worth packing: they fit into one packet anyway
_LEVEL = 6  # of packing: 9 takes twice as long for a hundredth less
_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952, section 2.3: no name, no time, no system
_TAG = re.compile(r'(?:W/)?("[^"]*")|(\*)')
_NO_GZIP = re.compile(r"q=0(\.0*)?", re.ASCII)
_PACKED = re.compile(r"text/|application/(.+\+)?(json|xml)|image/svg")
_STAMP = re.compile(rb'(?<=name="page" value=")[^"]*')


class Page(HTMLResponse):
    """A page; `form` names the newsletter whose form may stand on it, empty for none."""

    form = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of the form that its answer may have."""

    tags: str  # If-None-Match
    encodings: str  # Accept-Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What may be kept for so many seconds, in parts between which stamps belong; `packed` is the same, deflated.

    Where `seconds` is 0 it is not for all: then it is `as_is`.
    """

    as_is: Response
    seconds: int = 0
    headers: Mapping[str, str]
    form: str = ""
    parts: Sequence[bytes] = ()
    packed: Sequence[bytes] = ()

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return sum(map(len, self.parts)) + sum(map(len, self.packed)) + _HEADERS

    def to(self, asked: Asked, *, stamp: Callable[[str], str]) -> Response:
        """The answer to one request, 304 to who has it already; `stamp` makes one for the form of a newsletter."""
        if not self.seconds:
            return self.as_is
        if self.headers["ETag"].removeprefix("W/") in known(asked.tags):
            unchanged = {name: value for name, value in self.headers.items() if name != "content-type"}
            return Response(status_code=304, headers=unchanged)
        made = stamp(self.form).encode("ascii") if len(self.parts) > 1 else b""
        body = made.join(self.parts)
        if not self.packed or not takes_gzip(asked.encodings):
            return Response(body, headers=self.headers)
        ending = struct.pack("<II", zlib.crc32(body), len(body))
        filled = _deflated(made, level=0) if made else b""
        content = b"".join((_GZIP, filled.join(self.packed), ending))
        return Response(content, headers={**self.headers, "Content-Encoding": "gzip"})


def read_answer(response: Response, *, seconds: int) -> Answer:
    """The answer to be kept for so many seconds, of what a page gave. What is no page or not for all stays as it is."""
    if response.status_code != 200 or "cache-control" in response.headers:  # noqa: PLR2004
        return Answer(as_is=response, headers={})
    form = response.form if isinstance(response, Page) else ""
    body = bytes(response.body)
    parts = _STAMP.split(body) if form else [body]
    own = {name: value for name, value in response.headers.items() if name != "content-length"}
    # Weak: of what is packed, and of what was made at another moment, the bytes differ and the page does not.
    tag = f'W/"{hashlib.sha256(b"".join(parts)).hexdigest()[:24]}"'
    headers = {**own, "ETag": tag, "Cache-Control": f"public, max-age={seconds}"}
    headers["Vary"] = ", ".join(filter(None, (headers.pop("vary", ""), "Accept-Encoding")))
    packed: list[bytes] = []
    if len(body) > _SHORT and _PACKED.match(own.get("content-type", "")):
        packed = [*(_deflated(part) for part in parts[:-1]), _deflated(parts[-1], last=True)]
    return Answer(as_is=response, seconds=seconds, headers=headers, form=form, parts=parts, packed=packed)


def _deflated(part: bytes, *, level: int = _LEVEL, last: bool = False) -> bytes:
    """A part that can be unpacked whatever stands before it (RFC 1951)."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(part) + deflate.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    revision: Revision
    of: object
    until: datetime


class Memory:
    """The answers of one site, those asked for last, up to so many bytes."""

    def __init__(self, revision: Callable[[], Mapping[Part, int]], *, most: int = _MOST) -> None:
        """`revision` gives a number for each part that answers are made of, which changes when that does."""
        self._read = revision
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._size = 0
        self._making: dict[Hashable, asyncio.Task[Answer]] = {}
        self._searches = asyncio.Semaphore(_SEARCHES)
        self._looking = asyncio.Lock()
        self._next: asyncio.Task[Mapping[Part, int]] | None = None

    async def get(
        self,
        key: Hashable,
        make: Callable[[], Answer],
        *,
        of: object,
        now: datetime,
        parts: Sequence[Part] = tuple(Part),
        searches: bool = False,
    ) -> Answer:
        """The answer that was kept, else the one that `make` gives, in a thread; `parts` are what it is made of.

        Of another `of` none is kept. What `searches` waits for its turn, so that other pages need not.
        """
        numbers = await self._revision()
        revision = tuple(numbers[part] for part in parts)
        kept = self._kept.get(key)
        if kept is not None and kept.revision == revision and kept.of is of and now < kept.until:
            self._kept.move_to_end(key)
            return kept.answer
        making = (key, revision, id(of))
        if making not in self._making:
            task = asyncio.create_task(self._in_turn(make) if searches else run_in_threadpool(make))
            self._making[making] = task
            task.add_done_callback(lambda _: self._made(making, task, of=of, now=now))
        return await asyncio.shield(self._making[making])

    async def _in_turn(self, make: Callable[[], Answer]) -> Answer:
        async with self._searches:
            return await run_in_threadpool(make)

    def _made(
        self, making: tuple[Hashable, Revision, int], task: asyncio.Task[Answer], *, of: object, now: datetime
    ) -> None:
        del self._making[making]
        if task.cancelled() or task.exception() or not task.result().seconds:
            return
        key, revision, _ = making
        answer = task.result()
        before = self._kept.pop(key, None)
        self._size += answer.size - (before.answer.size if before else 0)
        self._kept[key] = _Kept(answer, revision, of, now + timedelta(seconds=answer.seconds))
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= oldest.answer.size

    async def _revision(self) -> Mapping[Part, int]:
        """The numbers as of now, or of a moment later."""
        if self._next is None:
            self._next = asyncio.create_task(self._look())
        return await asyncio.shield(self._next)

    async def _look(self) -> Mapping[Part, int]:
        async with self._looking:
            self._next = None  # who asks from here on may know of something later
            return await asyncio.to_thread(self._read)


def known(header: str) -> set[str]:
    """The tags of an If-None-Match header; weak ones count as strong, as this header compares them."""
    return {strong for strong, _ in _TAG.findall(header) if strong}


def takes_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and does not refuse it."""
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return not _NO_GZIP.fullmatch(weight.strip())
    return False
