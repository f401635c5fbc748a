"""What one run of stage 1 notes of each source, and what is remembered of it for the next.

Tally      one source on its way through
Logbook    what is known of addresses, and the attempts that ended, kept for many sources at a time
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.errors import FetchError
from newsletter.model import Source, SourceReport
from newsletter.sources import Response
from newsletter.sources.courtesy import Hints, Move, rest, resume, sighted, together
from newsletter.store import Store
from newsletter.store.sources import Answered, Attempt, Health

Progress = Callable[[SourceReport], None]

_AT_ONCE = 200  # sources whose attempts are remembered in one transaction


@dataclass
class Tally:
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


@dataclass
class Logbook:
    """What is known of addresses, and what becomes known in this run: remembered for many sources at a time.

    An attempt that is lost in a crash costs another fetch.
    """

    store: Store
    now: datetime
    progress: Progress
    known: Mapping[str, Answered] = field(default_factory=dict)
    closed: list[Tally] = field(default_factory=list)

    def close(self, tally: Tally) -> None:
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


def moved(answer: Response, known: Answered, now: datetime) -> Move:
    """Where an address has moved, after this answer."""
    if answer.request.moved and not answer.moved_to:
        return move_of(known)  # it was asked where it has moved to, and is still there
    return sighted(move_of(known), answer.moved_to, by=answer.request.asked, now=now)


def move_of(known: Answered) -> Move:
    """Where an address had moved, as far as was known before."""
    return Move(to=known.moved_to, seen=known.moved_seen, at=known.moved_at)
