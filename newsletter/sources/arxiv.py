"""Kind `arxiv`: the daily announcements of rss.arxiv.org, one request for all categories.

The format, and what is odd about it: https://info.arxiv.org/help/rss_specifications.html. On weekends and holidays the
feed is there and empty. Half of an ordinary day is replacements of papers announced before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.errors import Problem
from newsletter.model import Entry, Link, Source
from newsletter.registry import Option
from newsletter.sources import Request, Response
from newsletter.sources.clean import moment, one_line, shortened
from newsletter.sources.feed import check_url
from newsletter.sources.files import PATH, either, matching
from newsletter.sources.identity import arxiv_id, identify
from newsletter.sources.item import Item
from newsletter.sources.xmlfeed import read_xml_feed

_URL = "https://rss.arxiv.org/rss/"
_ANNOUNCE = ("new", "cross", "replace", "replace-cross")
_ANNOUNCED = _ANNOUNCE[:2]
# Papers carry ACM and MSC classes ("I.2.6; I.2.7", "68T07") among their categories.
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)?(?:\.[A-Za-z]+(?:-[a-z]+)?)?", re.ASCII)
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
            "path": PATH,
        }
    )
    has_history: bool = False

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """Exactly one of `categories` and `path`, and no unknown names."""
        return [
            *either(options, "categories", "path"),
            *(
                Problem(key="categories", what=f"'{name}' is no arXiv category", hint="such as cs.CL or hep-th")
                for name in _names(options, "categories")
                if not _CATEGORY.fullmatch(name)
            ),
            *(
                Problem(key="announce", what=f"'{name}' is no announcement", hint=", ".join(_ANNOUNCE))
                for name in _names(options, "announce")
                if name not in _ANNOUNCE
            ),
            *check_url(options),
        ]

    def requests(self, source: Source, *, now: datetime) -> Sequence[Request]:
        """One address for all categories, joined with `+`, or every file that matches."""
        del now
        if path := str(source.options.get("path") or ""):
            return matching(path)
        base = str(source.options.get("url") or _URL).rstrip("/")
        return [Request(url=f"{base}/{'+'.join(_names(source.options, 'categories'))}")]

    def read(self, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """The papers announced, in the feed's order; none on a holiday. ReadError for what is no feed."""
        wanted = set(_names(source.options, "announce") or _ANNOUNCED)
        items = read_xml_feed(response.body, content_type=response.content_type).items
        return [
            _entry(item, paper, source, now=now)
            for item in items
            if (paper := arxiv_id(item.guid) or arxiv_id(item.link)) and _announced(item) in wanted
        ]


def _names(options: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = options.get(name) or ()
    return (value,) if isinstance(value, str) else tuple(map(str, value)) if isinstance(value, tuple | list) else ()


def _announced(item: Item) -> str:
    told = _PREFIX.match(one_line(item.summary.value))
    return item.announced or (told[1].lower() if told else "new")


def _entry(item: Item, paper: str, source: Source, *, now: datetime) -> Entry:
    # Plain text with TeX in it, whatever RSS says of descriptions: in "$a<b$" nothing is a tag.
    title, abstract = _SUFFIX.sub("", one_line(item.title.value)), one_line(item.summary.value)
    url = f"https://arxiv.org/abs/{paper}"
    key, aliases = identify(source=source.name, guid=item.guid, url=url, title=title, doi=item.doi)
    announced = moment(item.published, now=now)
    return Entry(
        key=key,
        aliases=aliases,
        source=source.name,
        guid=one_line(item.guid),
        url=url,
        title=title or paper,
        summary=shortened(_PREFIX.sub("", abstract, count=1)),
        authors=_authors(item),
        published=announced,
        listed=announced.date() if announced else None,
        tags=tuple(dict.fromkeys(tag for tag in item.tags if _CATEGORY.fullmatch(tag))),
        links=(Link(rel="pdf", url=f"https://arxiv.org/pdf/{paper}"),),
    )


def _authors(item: Item) -> tuple[str, ...]:
    """All authors stand in one dc:creator, separated by commas; affiliations in brackets may hold commas too."""
    names = _AFFILIATION.sub("", ", ".join(item.authors)).split(",")
    return tuple(dict.fromkeys(filter(None, map(one_line, names))))
