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

from newsletter.errors import FetchError, SourceError
from newsletter.model import Collected, Entry, Source, SourceReport
from newsletter.report import counted
from newsletter.sources import Fetch, Kind, Read, Request, Response
from newsletter.sources.courtesy import rest
from newsletter.sources.identity import title_key
from newsletter.sources.news import news
from newsletter.store import Store
from newsletter.store.entries import News
from newsletter.store.sources import Health, Validators

Progress = Callable[[SourceReport], None]


@dataclass
class _Tally:
    """One source on its way through: how many answers are awaited, and what came of those that arrived."""

    source: Source
    awaited: int = 0
    unchanged: int = 0
    report: SourceReport = field(default_factory=lambda: SourceReport(source=""))
    errors: list[Exception] = field(default_factory=list)
    resting: str = ""

    def done(self) -> SourceReport:
        """The source's line in the report."""
        return dataclasses.replace(
            self.report,
            source=self.source.name,
            unchanged=self.unchanged > 0 and not self.report.entries and not self.errors,
            error=self.error,
        )

    @property
    def error(self) -> str:
        """What went wrong, or why it was not asked at all."""
        return self.resting or "; ".join(map(str, self.errors))

    def rest(self, failures: int) -> timedelta:
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

    A source that failed is left alone for a while, and longer each time, unless somebody `insist`s.
    """
    tallies = {source.name: _Tally(source=source) for source in sources}
    resting = {} if insist else store.sources.resting(now=now)
    asked: dict[Request, list[_Tally]] = {}
    for tally in tallies.values():
        if tally.source.name in resting:
            tally.resting = _resting(resting[tally.source.name])
            continue
        for request in _requests(tally, kinds, store, now):
            asked.setdefault(request, []).append(tally)
            tally.awaited += 1
    _close(tallies.values(), store, now, progress)
    for request, answer in fetch(list(asked)):
        for tally in asked[request]:
            _take(tally, answer, kind=kinds[tally.source.kind], read=read, store=store, now=now)
            tally.awaited -= 1
            _close([tally], store, now, progress)
    return Collected(sources=tuple(tally.done() for tally in tallies.values()))


def _requests(tally: _Tally, kinds: Mapping[str, Kind], store: Store, now: datetime) -> Sequence[Request]:
    try:
        requests = kinds[tally.source.kind].requests(tally.source, now=now)
    except SourceError as error:
        tally.errors.append(error)
        return ()
    return [_conditional(request, store.sources.validators(request.address)) for request in requests]


def _conditional(request: Request, said: Validators) -> Request:
    return dataclasses.replace(request, etag=said.etag, last_modified=said.last_modified)


def _take(tally: _Tally, answer: Response | FetchError, *, kind: Kind, read: Read, store: Store, now: datetime) -> None:
    """Read one answer into the store and the source's report."""
    if isinstance(answer, FetchError):
        tally.errors.append(answer)
        return
    digest = hashlib.sha256(answer.body).hexdigest()
    if answer.unchanged or digest == store.sources.validators(answer.request.address).digest:
        tally.unchanged += 1
        return
    try:
        found = read(tally.source.kind, answer, tally.source, now=now)
    except SourceError as error:
        tally.errors.append(error)
        return
    added = store.entries.add(found, now=now, news=_news(found, tally.source, kind, store, now))
    said = Validators(etag=answer.etag, last_modified=answer.last_modified, digest=digest)
    store.sources.mark_validators(answer.request.address, said)
    tally.report = dataclasses.replace(
        tally.report,
        entries=tally.report.entries + len(found),
        new=tally.report.new + added.new,
        past=tally.report.past + added.past,
        changed=tally.report.changed + added.changed,
    )


def _news(found: Sequence[Entry], source: Source, kind: Kind, store: Store, now: datetime) -> News | None:
    """What tells news from a feed's past; None where everything is news."""
    if not kind.has_history:
        return None
    known = store.entries.titles(source.name)
    titles = {title_key(title) for title in known}
    return lambda new: news(new, of=len(found), first=not known, known_titles=titles, now=now)


def _close(tallies: Iterable[_Tally], store: Store, now: datetime, progress: Progress) -> None:
    """Remember how each source did that awaits nothing any more."""
    for tally in tallies:
        if tally.awaited == 0:
            if not tally.resting:
                store.sources.mark(tally.source.name, error=tally.error, rest=tally.rest, now=now)
            progress(tally.done())


def _resting(health: Health) -> str:
    until = f"{health.rests_until:%Y-%m-%d %H:%M} UTC"
    return f"left alone until {until} after {counted(health.failures, 'failure')}, the last: {health.error}"
