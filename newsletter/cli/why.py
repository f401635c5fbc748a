"""What collecting one source does now, told step by step; nothing is kept."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from newsletter.cli.workspace import local
from newsletter.errors import FetchError, SourceError
from newsletter.model import Entry, Source
from newsletter.sources import Fetch, Kind, Request, Response
from newsletter.sources.decode import brief
from newsletter.sources.guard import shown
from newsletter.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """One source, and everything that collecting it needs."""

    source: Source
    kind: Kind
    fetch: Fetch
    store: Store
    now: datetime

    def lines(self) -> Iterator[str]:
        """The whole story: how it did so far, then each request, its answer, and the entries in it."""
        yield f"{self.source.name}, a source of kind {self.source.kind}"
        yield from self._so_far()
        try:
            requests = self.kind.requests(self.source, now=self.now)
        except SourceError as error:
            yield f"  nothing to ask for: {error}"
            return
        if not requests:
            yield "  nothing to ask for now"
        known = self._known()
        for request in requests:
            yield from self._asked(request, known)

    def _so_far(self) -> Iterator[str]:
        health = next((one for one in self.store.sources.list() if one.name == self.source.name), None)
        if health is None:
            yield "  never collected so far"
            return
        yield f"  last tried {local(health.tried_at)}, last read {_when(health.succeeded_at)}"
        if health.error:
            yield f"  failing, {health.failures} times in a row: {health.error}"
        if health.rests_until and health.rests_until > self.now:
            until = local(health.rests_until)
            yield f"  left alone until {until}; `newsletter collect {self.source.name}` asks at once"

    def _known(self) -> frozenset[str]:
        return frozenset(self.store.entries.keys(self.source.name))

    def _asked(self, request: Request, known: frozenset[str]) -> Iterator[str]:
        said = self.store.sources.validators(request.address)
        conditional = dataclasses.replace(request, etag=said.etag, last_modified=said.last_modified)
        conditions = " and ".join(_conditions(conditional))
        yield f"asks for {_shown(request)}" + (f" if changed since the last time ({conditions})" if conditions else "")
        answer = self._answer(conditional)
        if isinstance(answer, Response) and answer.unchanged:
            yield f"  {_status(answer)}: unchanged, so collecting it stops here; asked again without conditions:"
            answer = self._answer(request)
        if isinstance(answer, FetchError):
            yield f"  {answer}"
            return
        yield f"  {_status(answer)}{_described(answer)}"
        if said.digest == hashlib.sha256(answer.body).hexdigest():
            yield "  the same bytes as when it was last read, so collecting it stops here; what they say:"
        yield from self._read(answer, known)

    def _answer(self, request: Request) -> Response | FetchError:
        return dict(self.fetch([request]))[request]

    def _read(self, answer: Response, known: frozenset[str]) -> Iterator[str]:
        try:
            entries = self.kind.read(answer, self.source, now=self.now)
        except SourceError as error:
            yield f"  cannot be read as {self.source.kind}: {error}"
            return
        new = sum(entry.key not in known for entry in entries)
        yield f"  {len(entries)} entries, {new} of them new"
        for entry in entries:
            yield _line(entry, is_new=entry.key not in known)


def _line(entry: Entry, *, is_new: bool) -> str:
    day = f"{entry.published:%Y-%m-%d}" if entry.published else "undated   "
    return f"    {'new  ' if is_new else 'known'} {day} {entry.title} [{entry.key}]"


def _conditions(request: Request) -> Iterator[str]:
    if request.etag:
        yield f"ETag {brief(request.etag)}" if request.url else "its time and size"
    if request.last_modified:
        yield f"Last-Modified {brief(request.last_modified)}"


def _shown(request: Request) -> str:
    return shown(request.url) if request.url else str(request.path)


def _status(answer: Response) -> str:
    return str(answer.status) if answer.request.url else "the file"


def _described(answer: Response) -> str:
    kind = f" {brief(answer.content_type)}" if answer.content_type else ""
    moved = f", from {shown(answer.url)}" if answer.request.url not in {"", answer.url} else ""
    return f"{kind}, {len(answer.body):,} bytes{moved}"


def _when(moment: datetime | None) -> str:
    return local(moment) if moment else "never"
