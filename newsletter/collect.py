"""Stage 1: read every source, keep what is new, remember every signal.

    sources | requests | fetch | read | store.entries.add | report

A source that fails is a line in the report; the others are collected all the same. Nothing is remembered about an
answer (its validators, its digest) before its entries are stored, so a crash in between costs a second fetch only.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.codec import decode, encode
from newsletter.errors import FetchError, SourceError
from newsletter.model import Collected, Entry, Source, SourceReport
from newsletter.report import counted
from newsletter.sources import Fetch, Kind, Read, Request, Response
from newsletter.sources.courtesy import FOREVER, Hints, Move, rest, resume, sighted, together
from newsletter.sources.guard import shown
from newsletter.sources.hints import document_hints
from newsletter.sources.identity import title_key
from newsletter.sources.news import news
from newsletter.store import Store
from newsletter.store.entries import News
from newsletter.store.sources import Answered, Attempt, Health

Progress = Callable[[SourceReport], None]

_AT_ONCE = 200  # sources whose attempts are remembered in one transaction


@dataclass
class _Tally:
    """One source on its way through: how many answers are awaited, and what came of those that arrived."""

    source: Source
    awaited: int = 0
    unchanged: int = 0
    report: SourceReport = field(default_factory=lambda: SourceReport(source=""))
    errors: list[Exception] = field(default_factory=list)
    hints: list[Hints] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    said: dict[str, Answered] = field(default_factory=dict)
    size: int = 0
    seconds: float = 0.0
    resting: Health | None = None

    def done(self) -> SourceReport:
        """The source's line in the report."""
        left_alone = self.resting is not None and not self.resting.error
        return dataclasses.replace(
            self.report,
            source=self.source.name,
            unchanged=left_alone or (self.unchanged > 0 and not self.report.entries and not self.errors),
            note="; ".join(self.notes),
            error="; ".join(map(str, self.errors)),
        )

    def attempt(self, now: datetime) -> Attempt:
        """How it went, to be remembered."""
        return Attempt(
            name=self.source.name,
            error="; ".join(map(str, self.errors)),
            rest=lambda failures: now + self._rest(failures) if failures else resume(together(self.hints), now=now),
            size=self.size or None,
            milliseconds=round(self.seconds * 1000) if self.size else None,
        )

    def _rest(self, failures: int) -> timedelta:
        """How long to leave it alone now: the longest that any of its errors calls for."""
        refusals = [error for error in self.errors if isinstance(error, FetchError)]
        asked = [rest(failures, retry_after=error.retry_after, status=error.status) for error in refusals]
        return max(asked, default=rest(failures))


def collect(
    sources: Iterable[Source],
    *,
    kinds: Mapping[str, Kind],
    fetch: Fetch,
    read: Read,
    store: Store,
    now: datetime,
    insist: bool = False,
    progress: Progress = lambda _: None,
) -> Collected:
    """Read the sources now and report on each, in the order given. `progress` hears of each as it is done.

    A source that failed is left alone for a while, and longer each time, and one that said until when there is nothing
    new until then; unless somebody `insist`s.
    """
    tallies = {source.name: _Tally(source=source) for source in sources}
    memory = _Memory(store=store, now=now, progress=progress)
    asked = _plan(tallies.values(), memory, kinds, insist=insist)
    for request, answer in fetch(list(asked)):
        for tally in asked[request]:
            if isinstance(answer, FetchError):
                _fail(tally, request, answer, memory)
            else:
                _take(tally, answer, kind=kinds[tally.source.kind], read=read, memory=memory)
            tally.awaited -= 1
            memory.close(tally)
    memory.flush()
    return Collected(sources=tuple(tally.done() for tally in tallies.values()))


@dataclass
class _Memory:
    """What is known of addresses, and what becomes known in this run: remembered for many sources at a time.

    An attempt that is lost in a crash costs another fetch.
    """

    store: Store
    now: datetime
    progress: Progress
    known: Mapping[str, Answered] = field(default_factory=dict)
    closed: list[_Tally] = field(default_factory=list)

    def close(self, tally: _Tally) -> None:
        """Note that a source awaits nothing any more, if so it is."""
        if tally.awaited:
            return
        self.progress(tally.done())
        if tally.resting is None:
            self.closed.append(tally)
        if len(self.closed) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Keep what the closed sources' addresses answered, and how the sources did."""
        self.store.sources.remember({address: said for tally in self.closed for address, said in tally.said.items()})
        self.store.sources.mark((tally.attempt(self.now) for tally in self.closed), now=self.now)
        self.closed.clear()


def _plan(
    tallies: Iterable[_Tally], memory: _Memory, kinds: Mapping[str, Kind], *, insist: bool
) -> dict[Request, list[_Tally]]:
    """What to ask now, once each, and for whom."""
    resting = {} if insist else memory.store.sources.resting(now=memory.now)
    wanted: list[tuple[_Tally, Request]] = []
    for tally in tallies:
        if health := resting.get(tally.source.name):
            _leave_alone(tally, health, memory.now)
        else:
            requests = _requests(tally, kinds, memory.now)
            tally.awaited = len(requests)
            wanted += [(tally, request) for request in requests]
        memory.close(tally)
    memory.known = memory.store.sources.answered({request.address for _, request in wanted})
    asked: dict[Request, list[_Tally]] = {}
    for tally, request in wanted:
        asked.setdefault(_conditional(request, memory.known.get(request.address, Answered())), []).append(tally)
    return asked


def _requests(tally: _Tally, kinds: Mapping[str, Kind], now: datetime) -> Sequence[Request]:
    try:
        # A source may name one file or address twice: what is asked once is answered once.
        return list(dict.fromkeys(kinds[tally.source.kind].requests(tally.source, now=now)))
    except SourceError as error:
        tally.errors.append(error)
        return ()


def _conditional(request: Request, said: Answered) -> Request:
    moved = _move(said).address if request.url else ""
    return dataclasses.replace(request, moved=moved, etag=said.etag, last_modified=said.last_modified)


def _fail(tally: _Tally, request: Request, error: FetchError, memory: _Memory) -> None:
    """Note an answer that did not come. Where the address had moved to, it is no more: back to where it was."""
    tally.errors.append(error)
    if request.moved and error.retry_after is None:
        known = memory.known[request.address]
        tally.said[request.address] = dataclasses.replace(known, moved_to="", moved_seen=0, moved_at=None)


def _take(tally: _Tally, answer: Response, *, kind: Kind, read: Read, memory: _Memory) -> None:
    """Read one answer into the store and the source's report."""
    address = answer.request.address
    known = memory.known.get(address, Answered())
    digest = known.digest if answer.unchanged else hashlib.sha256(answer.body).hexdigest()
    if digest == known.digest:
        tally.unchanged += 1
        hints = decode(Hints, known.hints) if known.hints else Hints()
    else:
        try:
            found = read(tally.source.kind, answer, tally.source, now=memory.now)
        except SourceError as error:
            tally.errors.append(error)
            return
        _add(tally, found, kind=kind, memory=memory)
        hints = document_hints(answer.body) if answer.request.url else Hints()
    _heed(tally, answer, known, hints, digest=digest, now=memory.now)


def _add(tally: _Tally, found: Sequence[Entry], *, kind: Kind, memory: _Memory) -> None:
    news = _news(found, tally.source, kind, memory.store, memory.now)
    added = memory.store.entries.add(found, now=memory.now, news=news)
    tally.report = dataclasses.replace(
        tally.report,
        entries=tally.report.entries + len(found),
        new=tally.report.new + added.new,
        past=tally.report.past + added.past,
        changed=tally.report.changed + added.changed,
    )


def _heed(tally: _Tally, answer: Response, known: Answered, hints: Hints, *, digest: str, now: datetime) -> None:
    """What an answer that was read said beside its entries: its cost, when to ask again, where it has moved."""
    tally.size += len(answer.body)
    tally.seconds += answer.seconds
    tally.hints += [hints, Hints(holds=answer.holds)]
    move = _moved(answer, known, now)
    if move.address:
        tally.notes.append(f"{shown(answer.request.url)} has moved for good: write {shown(move.to)} in its place")
    tally.said[answer.request.address] = Answered(
        etag=answer.etag,
        last_modified=answer.last_modified,
        digest=digest,
        hints=encode(hints) if hints != Hints() else "",
        moved_to=move.to,
        moved_seen=move.seen,
        moved_at=move.at,
    )


def _moved(answer: Response, known: Answered, now: datetime) -> Move:
    if answer.request.moved and not answer.moved_to:
        return _move(known)  # it was asked where it has moved to, and is still there
    return sighted(_move(known), answer.moved_to, by=answer.request.asked, now=now)


def _move(known: Answered) -> Move:
    return Move(to=known.moved_to, seen=known.moved_seen, at=known.moved_at)


def _news(found: Sequence[Entry], source: Source, kind: Kind, store: Store, now: datetime) -> News | None:
    """What tells news from a feed's past; None where everything is news."""
    if not kind.has_history:
        return None
    known = store.entries.titles(source.name)
    titles = {title_key(title) for title in known}
    return lambda new: news(new, of=len(found), first=not known, known_titles=titles, now=now)


def _leave_alone(tally: _Tally, health: Health, now: datetime) -> None:
    tally.resting = health
    until = f"{health.rests_until:%Y-%m-%d %H:%M} UTC"
    if not health.error:
        tally.notes.append(f"not asked: by its own word nothing new comes before {until}")
        return
    if health.rests_until and health.rests_until - now > FOREVER / 2:
        gone = f"gone for good, by its own word: remove it, or give its new address ({health.error})"
        tally.errors.append(SourceError(gone))
        return
    failures = counted(health.failures, "failure")
    tally.errors.append(SourceError(f"left alone until {until} after {failures}, the last: {health.error}"))
