"""What of a feed is news. A feed carries its past along; a listing of the day does not. Pure.

the first time we see a feed        its newest entries only: at most 10, none older than 7 days
half of a known feed is "new"       its guids have changed: the same, and nothing whose title we know
otherwise                           everything new, unless it is older than 30 days
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from newsletter.model import Entry
from newsletter.sources.identity import title_key

FIRST_ENTRIES = 10
FIRST_AGE = timedelta(days=7)
LATE_AGE = timedelta(days=30)
_UPHEAVAL = 0.5  # of a document's entries
_FEWEST = 4  # below this a share says nothing: a feed of two entries may well have two new ones


def news(
    new: Sequence[Entry], *, of: int, first: bool, known_titles: Collection[str], now: datetime
) -> Collection[str]:
    """The keys of those among the `new` entries of a document of so many that are worth telling.

    `known_titles` are the `title_key`s of what the feed gave before. An entry without a date counts as of today; one
    that has neither a title nor anything to make one of is never told.
    """
    new = [entry for entry in new if entry.title]
    if first:
        return _newest(new, now)
    if of >= _FEWEST and len(new) > of * _UPHEAVAL:
        known = set(known_titles)
        return _newest([entry for entry in new if title_key(entry.title) not in known], now)
    return [entry.key for entry in new if _age(entry, now) <= LATE_AGE]


def _newest(entries: Sequence[Entry], now: datetime) -> Collection[str]:
    young = [entry for entry in entries if _age(entry, now) <= FIRST_AGE]
    return [entry.key for entry in sorted(young, key=lambda entry: _age(entry, now))[:FIRST_ENTRIES]]


def _age(entry: Entry, now: datetime) -> timedelta:
    return now - (entry.published or now)
