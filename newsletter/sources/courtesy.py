"""When an address may be asked again. What servers say and failures only ever slow us down. Pure.

a failure           `rest`      five minutes, doubled each time, to seven days
an answer's hints   `resume`    max-age, ttl, skipHours, skipDays
a permanent move    `sighted`   believed when it was seen on three days
a domain's turn     `pace_of`   one request at a time, seconds apart
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from newsletter.domains import registrable

FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(days=7)
GONE = 410  # RFC 9110 section 15.5.11: away for good, and meant so
FOREVER = timedelta(days=3650)

# A daily issue must find every source willing: a feed that calls itself fresh for a day would miss every other one.
LONGEST_HINT = timedelta(hours=6)
_WEEK_OF_HOURS = 7 * 24

_OFTEN = timedelta(hours=1)
_SELDOM = timedelta(hours=12)

SIGHTINGS = 3
_APART = timedelta(hours=20)  # sightings of one day are one: a site that is being moved says much in an hour


def interval(a_week: int) -> timedelta:
    """How long after one look the next at a source that gave so many new entries in the last week: 1 to 12 hours."""
    return min(max(timedelta(days=7) / max(a_week, 1), _OFTEN), _SELDOM)


def rest(failures: int, *, retry_after: float | None = None, status: int | None = None) -> timedelta:
    """How long to leave a source alone after so many failures in a row, the last of them just now.

    It doubles from five minutes to seven days, is never shorter than the server asked for (`retry_after`, in seconds),
    and does not end for one that says it is gone: then only an operator asks again.
    """
    if status == GONE:
        return FOREVER
    doubled = FIRST_REST * (1 << min(failures - 1, 20))
    return max(min(doubled, LONGEST_REST), timedelta(seconds=retry_after or 0))


# --- hints ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What an answer says about asking again: how long it holds, and the hours and weekdays (0: Monday) without news.

    Hours and days are those of UTC, as the RSS specification has it.
    """

    holds: timedelta = timedelta(0)
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


def together(hints: Iterable[Hints]) -> Hints:
    """What all of them ask for."""
    said = tuple(hints)
    return Hints(
        holds=max((one.holds for one in said), default=timedelta(0)),
        skip_hours=tuple(sorted({hour for one in said for hour in one.skip_hours})),
        skip_days=tuple(sorted({day for one in said for day in one.skip_days})),
    )


def resume(hints: Hints, *, now: datetime) -> datetime | None:
    """When what was read now may be asked again; None where it may be at any time.

    Hints that leave no hour of the week are no hints.
    """
    again = now + min(hints.holds, LONGEST_HINT)
    for _ in range(_WEEK_OF_HOURS + 1):
        if again.weekday() not in hints.skip_days and again.hour not in hints.skip_hours:
            return again if again > now else None
        again = again.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return None


# --- moves ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where an address said it had moved for good, on how many days in a row, and when last."""

    to: str = ""
    seen: int = 0
    at: datetime | None = None

    @property
    def address(self) -> str:
        """Where to ask from now on; empty while it has not been said often enough."""
        return self.to if self.seen >= SIGHTINGS else ""


def sighted(known: Move, to: str, *, by: str, now: datetime) -> Move:
    """What is known after the address `by` was read and had moved `to` (empty: it had not).

    Sites lie, mend their mistakes and are taken over, so a move is believed at its third sighting, at most one a day.
    One from https to http never is.
    """
    if not to or (by.startswith("https:") and not to.startswith("https:")):
        return Move()
    if to != known.to or known.at is None:
        return Move(to=to, seen=1, at=now)
    return known if now - known.at < _APART else Move(to=to, seen=known.seen + 1, at=now)


# --- turns ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a domain may be asked: one request at a time, and `least` to `most` seconds before the next.

    `shared` by all processes on one database, where the domain's owner counts the requests of all of them as one.
    """

    domain: str
    least: float = 1.0
    most: float = 2.0
    shared: bool = False


# https://info.arxiv.org/help/api/tou.html: one request every three seconds, one connection at a time, over all
# machines under one control.
_OWN_RULES = {"arxiv.org": Pace(domain="arxiv.org", least=3.0, most=3.0, shared=True)}


def pace_of(url: str) -> Pace | None:
    """The pace of the registrable domain an address belongs to; None for what has no domain (an address of the LAN)."""
    try:
        domain = registrable(urlsplit(url).hostname or "")
    except ValueError:
        return None
    return (_OWN_RULES.get(domain) or Pace(domain=domain)) if domain else None
