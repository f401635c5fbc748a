"""Kind `readers`: what readers of a newsletter suggested, and its editor approved.

Nothing is fetched for it: an approval puts the entry into the database (see `newsletter.suggestions`), and it goes the
way of every other from there. What is suggested of arXiv is looked up in arXiv's API, as `enrich` does for other kinds,
so that an editor sees what it is; no other address that a reader gives is ever asked for anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.errors import Problem, ReadError
from newsletter.model import Entry, Source
from newsletter.registry import Option
from newsletter.sources import Request, Response
from newsletter.sources.arxiv_api import API, SCHEME, asked_about, check_api, lookups, read_answer

READERS = "readers"  # the kind's name


@dataclass(frozen=True, slots=True)
class ReadersKind:
    """What came in by suggestion."""

    options: Mapping[str, Option] = field(
        default_factory=lambda: {
            "api": Option(help=f"where arXiv's API is, which suggested papers are asked of ({API})")
        }
    )
    has_history: bool = False
    is_for_all: bool = False

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """An address that can be fetched."""
        return check_api(options)

    def requests(self, source: Source, *, now: datetime) -> Sequence[Request]:
        """Nothing: what there is, is in the database."""
        del source, now
        return ()

    def read(self, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """The papers of an answer to one of `lookups`. ReadError for anything else."""
        if not asked_about(response.request):
            raise ReadError("a source of kind readers has no documents: its entries are what readers suggest")
        return read_answer(response, source, now=now)

    def scheme(self, source: Source) -> str:
        """Papers of arXiv."""
        del source
        return SCHEME

    def lookups(self, source: Source, keys: Sequence[str]) -> Sequence[Request]:
        """Requests to arXiv's API, a hundred papers each."""
        return lookups(keys, api=str(source.options.get("api") or API))
