"""Kind `arxiv`: the daily announcements of rss.arxiv.org, one request for all categories.

The format, and what is odd about it: https://info.arxiv.org/help/rss_specifications.html. On weekends and holidays the
feed is there and empty. Half of an ordinary day is replacements of papers announced before. Where `enrich` says so,
arXiv's API is asked about papers that other sources name (see `arxiv_api`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from newsletter.errors import Problem
from newsletter.model import Entry, Source
from newsletter.registry import Option
from newsletter.sources import Request, Response
from newsletter.sources.arxiv_api import (
    API,
    CATEGORY,
    SCHEME,
    asked_about,
    check_api,
    lookups,
    paper_entry,
    read_answer,
)
from newsletter.sources.clean import one_line
from newsletter.sources.feed import check_url
from newsletter.sources.files import PATH, either, matching
from newsletter.sources.identity import arxiv_id
from newsletter.sources.item import Item, Text
from newsletter.sources.xmlfeed import read_xml_feed

_URL = "https://rss.arxiv.org/rss/"
_ANNOUNCE = ("new", "cross", "replace", "replace-cross")
_ANNOUNCED = _ANNOUNCE[:2]
_PREFIX = re.compile(r"arXiv:\S+\s+Announce Type:\s*([\w-]+)\s+(?:Abstract:)?\s*", re.IGNORECASE)
_SUFFIX = re.compile(r"\s*\(arXiv:[^()]*\)\s*$")  # on titles, in the older form of the feed
_AFFILIATION = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class ArxivKind:
    """What arXiv announces in the given categories."""

    options: Mapping[str, Option] = field(
        default_factory=lambda: {
            "categories": Option(type=tuple, help="arXiv categories such as cs.CL"),
            "announce": Option(type=tuple, help="which announcements: new, cross, replace, replace-cross (new, cross)"),
            "url": Option(help=f"where the feeds are ({_URL})"),
            "enrich": Option(
                type=bool,
                help="ask arXiv's API for abstract and authors of papers that other sources name without them (false)",
            ),
            "api": Option(help=f"where that API is ({API})"),
            "path": PATH,
        }
    )
    has_history: bool = False
    is_for_all: bool = True

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """Exactly one of `categories` and `path`, and no unknown names."""
        return [
            *either(options, "categories", "path"),
            *(
                Problem(key="categories", what=f"'{name}' is no arXiv category", hint="such as cs.CL or hep-th")
                for name in _names(options, "categories")
                if not CATEGORY.fullmatch(name)
            ),
            *(
                Problem(key="announce", what=f"'{name}' is no announcement", hint=", ".join(_ANNOUNCE))
                for name in _names(options, "announce")
                if name not in _ANNOUNCE
            ),
            *check_url(options),
            *check_api(options),
        ]

    def requests(self, source: Source, *, now: datetime) -> Sequence[Request]:
        """One address for all categories, joined with `+`, or every file that matches."""
        del now
        if path := str(source.options.get("path") or ""):
            return matching(path)
        base = str(source.options.get("url") or _URL).rstrip("/")
        return [Request(url=f"{base}/{'+'.join(_names(source.options, 'categories'))}")]

    def read(self, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """The papers announced, in the feed's order; none on a holiday. ReadError for what is no feed.

        Of an answer to one of `lookups`, the papers asked about.
        """
        if asked_about(response.request):
            return read_answer(response, source, now=now)
        wanted = set(_names(source.options, "announce") or _ANNOUNCED)
        items = read_xml_feed(response.body, content_type=response.content_type).items
        return [
            _entry(item, paper, source, now=now)
            for item in items
            if (paper := arxiv_id(item.guid) or arxiv_id(item.link)) and _announced(item) in wanted
        ]

    def scheme(self, source: Source) -> str:
        """The API is asked about papers if the source is to `enrich` others."""
        return SCHEME if source.options.get("enrich") else ""

    def lookups(self, source: Source, keys: Sequence[str]) -> Sequence[Request]:
        """Requests to the API, a hundred papers each."""
        return lookups(keys, api=str(source.options.get("api") or API))


def _names(options: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = options.get(name) or ()
    return (value,) if isinstance(value, str) else tuple(map(str, value)) if isinstance(value, tuple | list) else ()


def _announced(item: Item) -> str:
    told = _PREFIX.match(one_line(item.summary.value))
    return item.announced or (told[1].lower() if told else "new")


def _entry(item: Item, paper: str, source: Source, *, now: datetime) -> Entry:
    bare = replace(
        item,
        title=Text(_SUFFIX.sub("", one_line(item.title.value))),
        summary=Text(_PREFIX.sub("", one_line(item.summary.value), count=1)),
        authors=_authors(item),
        updated=None,
    )
    entry = paper_entry(bare, paper, source, now=now)
    return replace(entry, listed=entry.published.date() if entry.published else None)


def _authors(item: Item) -> tuple[str, ...]:
    """All authors stand in one dc:creator, separated by commas; affiliations in brackets may hold commas too."""
    return tuple(_AFFILIATION.sub("", ", ".join(item.authors)).split(","))
