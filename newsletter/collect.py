"""Stage 1: read every source, keep what is new, remember every signal.

    sources | requests | fetch | read | store.entries.add | look up what is missing | report

A source that fails is a line in the report; the others are collected all the same. Nothing is remembered about an
answer (its validators, its digest) before its entries are stored, so a crash in between costs a second fetch only.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from newsletter.codec import decode, encode
from newsletter.errors import FetchError, SourceError
from newsletter.logbook import Logbook, Progress, Tally, move_of, moved
from newsletter.model import Collected, Entry, Source
from newsletter.report import counted
from newsletter.sources import Fetch, Kind, Lookup, Read, Request, Response
from newsletter.sources.courtesy import FOREVER, Hints
from newsletter.sources.guard import shown
from newsletter.sources.hints import document_hints
from newsletter.sources.identity import title_key
from newsletter.sources.news import news
from newsletter.store import Store
from newsletter.store.entries import News
from newsletter.store.sources import Answered, Health

_LOOKED_UP = timedelta(days=7)  # what lacks something is asked about for so long
_AT_MOST = 300  # papers in one run


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
    tallies = {source.name: Tally(source=source) for source in sources}
    log = Logbook(store=store, now=now, progress=progress)
    asked = _plan(tallies.values(), log, kinds, insist=insist)
    for request, answer in fetch(list(asked)):
        for tally in asked[request]:
            if isinstance(answer, FetchError):
                _fail(tally, request, answer, log)
            else:
                _take(tally, answer, kind=kinds[tally.source.kind], read=read, log=log)
            tally.awaited -= 1
            log.close(tally)
    log.flush()
    _look_up(tallies, kinds=kinds, fetch=fetch, read=read, log=log)
    return Collected(sources=tuple(tally.done() for tally in tallies.values()))


def _plan(
    tallies: Iterable[Tally], log: Logbook, kinds: Mapping[str, Kind], *, insist: bool
) -> dict[Request, list[Tally]]:
    """What to ask now, once each, and for whom."""
    resting = {} if insist else log.store.sources.resting(now=log.now)
    wanted: list[tuple[Tally, Request]] = []
    for tally in tallies:
        if health := resting.get(tally.source.name):
            _leave_alone(tally, health, log.now)
        else:
            requests = _requests(tally, kinds, log.now)
            tally.awaited = len(requests)
            wanted += [(tally, request) for request in requests]
        log.close(tally)
    log.known = log.store.sources.answered({request.address for _, request in wanted})
    asked: dict[Request, list[Tally]] = {}
    for tally, request in wanted:
        asked.setdefault(_conditional(request, log.known.get(request.address, Answered())), []).append(tally)
    return asked


def _requests(tally: Tally, kinds: Mapping[str, Kind], now: datetime) -> Sequence[Request]:
    try:
        # A source may name one file or address twice: what is asked once is answered once.
        return list(dict.fromkeys(kinds[tally.source.kind].requests(tally.source, now=now)))
    except SourceError as error:
        tally.errors.append(error)
        return ()


def _conditional(request: Request, said: Answered) -> Request:
    moved = move_of(said).address if request.url else ""
    return dataclasses.replace(request, moved=moved, etag=said.etag, last_modified=said.last_modified)


def _fail(tally: Tally, request: Request, error: FetchError, log: Logbook) -> None:
    """Note an answer that did not come. Where the address had moved to, it is no more: back to where it was."""
    tally.errors.append(error)
    if request.moved and error.retry_after is None:
        known = log.known[request.address]
        tally.said[request.address] = dataclasses.replace(known, moved_to="", moved_seen=0, moved_at=None)


def _take(tally: Tally, answer: Response, *, kind: Kind, read: Read, log: Logbook) -> None:
    """Read one answer into the store and the source's report."""
    address = answer.request.address
    known = log.known.get(address, Answered())
    digest = known.digest if answer.unchanged else hashlib.sha256(answer.body).hexdigest()
    if digest == known.digest:
        tally.unchanged += 1
        hints = decode(Hints, known.hints) if known.hints else Hints()
    else:
        try:
            found = read(tally.source.kind, answer, tally.source, now=log.now)
        except SourceError as error:
            tally.errors.append(error)
            return
        _add(tally, found, kind=kind, log=log)
        hints = document_hints(answer.body) if answer.request.url else Hints()
    _heed(tally, answer, known, hints, digest=digest, now=log.now)


def _add(tally: Tally, found: Sequence[Entry], *, kind: Kind, log: Logbook) -> None:
    news = _news(found, tally.source, kind, log.store, log.now)
    added = log.store.entries.add(found, now=log.now, news=news)
    tally.report = dataclasses.replace(
        tally.report,
        entries=tally.report.entries + len(found),
        new=tally.report.new + added.new,
        past=tally.report.past + added.past,
        changed=tally.report.changed + added.changed,
    )


def _heed(tally: Tally, answer: Response, known: Answered, hints: Hints, *, digest: str, now: datetime) -> None:
    """What an answer that was read said beside its entries: its cost, when to ask again, where it has moved."""
    tally.size += len(answer.body)
    tally.seconds += answer.seconds
    tally.hints += [hints, Hints(holds=answer.holds)]
    move = moved(answer, known, now)
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


def _news(found: Sequence[Entry], source: Source, kind: Kind, store: Store, now: datetime) -> News | None:
    """What tells news from a feed's past; None where everything is news."""
    if not kind.has_history:
        return None
    known = store.entries.titles(source.name)
    titles = {title_key(title) for title in known}
    return lambda new: news(new, of=len(found), first=not known, known_titles=titles, now=now)


def _leave_alone(tally: Tally, health: Health, now: datetime) -> None:
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


def _look_up(
    tallies: Mapping[str, Tally], *, kinds: Mapping[str, Kind], fetch: Fetch, read: Read, log: Logbook
) -> None:
    """Ask those sources that can tell more about what all of these name without a summary or authors.

    And about what readers suggest, so that the editor sees what it is. A question is asked until it is answered: what
    such an answer leaves out is not known there. That it cannot be asked now is a note, since the source itself was
    read.
    """
    for tally in tallies.values():
        kind = kinds[tally.source.kind]
        if not isinstance(kind, Lookup) or tally.errors or not (scheme := kind.scheme(tally.source)):
            continue
        since = log.now - _LOOKED_UP
        named_by = list(tallies) if kind.is_for_all else [tally.source.name]
        keys = log.store.entries.incomplete(named_by, prefix=scheme, since=since, limit=_AT_MOST)
        suggested = log.store.suggestions.unknown(prefix=scheme, since=since, limit=_AT_MOST)
        requests = kind.lookups(tally.source, list(dict.fromkeys((*keys, *suggested))))
        answered = log.store.sources.answered({request.address for request in requests})
        for request, answer in fetch([request for request in requests if request.address not in answered]):
            try:
                if isinstance(answer, FetchError):
                    raise answer
                found = read(tally.source.kind, answer, tally.source, now=log.now)
                log.store.entries.fill(found)
                log.store.suggestions.fill(found)
            except SourceError as error:
                tally.notes.append(f"could not look up what others leave out: {error}")
            else:
                log.store.sources.remember({request.address: Answered()})


def look_up(
    source: Source, keys: Sequence[str], *, kind: Kind, fetch: Fetch, read: Read, now: datetime
) -> Sequence[Entry]:
    """What a source says of these keys now; nothing where its kind cannot be asked. SourceError."""
    found: list[Entry] = []
    requests = kind.lookups(source, keys) if isinstance(kind, Lookup) else ()
    for _, answer in fetch(requests):
        if isinstance(answer, FetchError):
            raise answer
        found += read(source.kind, answer, source, now=now)
    return found
