"""The `filters` of a newsletter: which words, whose work, how many votes."""

from __future__ import annotations

from newsletter.model import Filters, Follow, Minimum
from newsletter.schedule.nodes import Cursor, Field, record, several, single
from newsletter.schedule.values import between, prose

FOLLOW = {
    "authors": Field(read=several(prose)),
    "organisations": Field(read=several(prose)),
}

_NUMBER = Field(read=single(between(0, 1_000_000)))

MINIMUM = {"upvotes": _NUMBER, "comments": _NUMBER, "stars": _NUMBER}

FILTERS = {
    "include": Field(read=several(prose)),
    "exclude": Field(read=several(prose)),
    "follow": Field(read=lambda cursor: Follow(**record(cursor, cursor.entries(), FOLLOW))),
    "minimum": Field(read=lambda cursor: Minimum(**record(cursor, cursor.entries(), MINIMUM))),
}


def filters(cursor: Cursor) -> Filters:
    """Read the mapping under `filters`."""
    return Filters(**record(cursor, cursor.entries(), FILTERS))
