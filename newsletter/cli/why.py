"""What collecting one source does now, told step by step; nothing is kept."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import click

from newsletter.cli.enlist import feed_sources
from newsletter.cli.workspace import local, now, open_workspace
from newsletter.errors import FetchError, NotFound, SourceError
from newsletter.model import Entry, Plan, Source
from newsletter.report import counted
from newsletter.sources import Fetch, Kind, Request, Response
from newsletter.sources.courtesy import Hints, Move, resume, together
from newsletter.sources.decode import brief
from newsletter.sources.guard import shown
from newsletter.sources.hints import document_hints
from newsletter.sources.identity import canonical_url
from newsletter.store import Store
from newsletter.store.sources import Answered


def explain(ctx: click.Context, place: str) -> None:
    """Print what collecting a source does now; an address that is no source's is read as a feed. NotFound."""
    with open_workspace(ctx) as app:
        source = _source_at(app.plan, place)
        inquiry = Inquiry(source=source, kind=app.kinds[source.kind], fetch=app.fetch, store=app.store, now=now())
        for line in inquiry.lines():
            click.echo(line)


def _source_at(plan: Plan, place: str) -> Source:
    if place in plan.sources:
        return plan.sources[place]
    if "://" not in place:
        raise NotFound(f"there is no source {place!r} in the schedules; there are: {', '.join(plan.sources)}")
    known = (one for one in feed_sources(plan) if canonical_url(str(one.options["url"])) == canonical_url(place))
    return next(known, Source(name="not-configured", kind="feed", options={"url": place}))


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
            why = "left alone" if health.error else "nothing new by its own word"
            until = local(health.rests_until)
            yield f"  {why} until {until}; `newsletter collect {self.source.name}` asks at once"

    def _known(self) -> frozenset[str]:
        return frozenset(self.store.entries.keys(self.source.name))

    def _asked(self, request: Request, known: frozenset[str]) -> Iterator[str]:
        said = self.store.sources.answered([request.address]).get(request.address, Answered())
        move = Move(to=said.moved_to, seen=said.moved_seen, at=said.moved_at)
        conditional = dataclasses.replace(
            request, etag=said.etag, last_modified=said.last_modified, moved=move.address if request.url else ""
        )
        if move.to:
            yield f"{shown(request.url)} moved for good, seen on {counted(move.seen, 'day')}: {shown(move.to)}"
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
        yield from self._hints(answer)
        if said.digest == hashlib.sha256(answer.body).hexdigest():
            yield "  the same bytes as when it was last read, so collecting it stops here; what they say:"
        yield from self._read(answer, known)

    def _hints(self, answer: Response) -> Iterator[str]:
        hints = together([document_hints(answer.body), Hints(holds=answer.holds)]) if answer.request.url else Hints()
        if again := resume(hints, now=self.now):
            yield f"  says that nothing new comes before {local(again)}"
        if answer.moved_to:
            yield f"  says that it has moved for good, to {shown(answer.moved_to)}"

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
    return shown(request.asked) if request.url else str(request.path)


def _status(answer: Response) -> str:
    return str(answer.status) if answer.request.url else "the file"


def _described(answer: Response) -> str:
    kind = f" {brief(answer.content_type)}" if answer.content_type else ""
    moved = f", from {shown(answer.url)}" if answer.request.asked not in {"", answer.url} else ""
    return f"{kind}, {len(answer.body):,} bytes{moved}"


def _when(moment: datetime | None) -> str:
    return local(moment) if moment else "never"
