"""Kind `feed`: RSS, Atom, RDF and JSON Feed, from an address or from saved files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from newsletter.errors import Problem
from newsletter.model import Entry, Source
from newsletter.registry import Option
from newsletter.sources import Request, Response
from newsletter.sources.clean import SUMMARY, moment, one_line, safe_html, safe_url, shortened
from newsletter.sources.decode import first_byte
from newsletter.sources.files import PATH, either, matching
from newsletter.sources.guard import url_complaint
from newsletter.sources.identity import canonical_url, identify
from newsletter.sources.item import Document, Item, Text
from newsletter.sources.jsonfeed import read_json_feed
from newsletter.sources.xmlfeed import read_xml_feed

MOST = 2000  # entries of one document; the largest of 200 real feeds held 1,046
_HEADLINE = 100  # characters of text that stand in for a missing title
_LONGEST_TITLE = 1000
_LONGEST_LINE = 2000  # characters of an identifier, a name, a tag
_TAGS = 30
_AUTHORS = 1000
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedKind:
    """A feed of any of the common formats."""

    options: Mapping[str, Option] = field(
        default_factory=lambda: {"url": Option(help="the feed's http(s) address"), "path": PATH}
    )
    has_history: bool = True

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """Exactly one of `url` and `path`; an address that can be fetched."""
        return [*either(options, "url", "path"), *check_url(options)]

    def requests(self, source: Source, *, now: datetime) -> Sequence[Request]:
        """The feed's address, or every file that matches."""
        del now
        path = str(source.options.get("path") or "")
        return matching(path) if path else [Request(url=str(source.options["url"]))]

    def read(self, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """At most `MOST` entries, the newest where there are more. ReadError for what is no feed."""
        document = read_document(response)
        address = safe_url(response.url) or safe_url(document.address)
        home = safe_url(document.home, base=address) or address
        linked = [(item, safe_url(item.link, base=home)) for item in newest(document.items)]
        return [_entry(*told, source, home=home, now=now) for told in _told_apart(linked)]


def check_url(options: Mapping[str, object]) -> Sequence[Problem]:
    """What is wrong with the option `url`, if it is given."""
    url = str(options.get("url") or "")
    complaint = url_complaint(url) if url else ""
    return (Problem(key="url", what=complaint, hint="https://example.org/feed.xml"),) if complaint else ()


def read_document(response: Response) -> Document:
    """What a feed of any format says. ReadError for what is no feed."""
    base = response.url if response.url.startswith(("http://", "https://")) else ""
    if first_byte(response.body) in {b"{", b"["}:
        return read_json_feed(response.body, base=base)
    return read_xml_feed(response.body, base=base, content_type=response.content_type)


def newest(items: Sequence[Item]) -> Sequence[Item]:
    """At most `MOST` items: by date, since some feeds stand oldest first; otherwise in the feed's order."""
    if len(items) <= MOST:
        return items
    return sorted(items, key=lambda item: _aware(item.published or item.updated), reverse=True)[:MOST]


def _aware(told: datetime | None) -> datetime:
    return _NEVER if told is None else told if told.tzinfo else told.replace(tzinfo=UTC)


def _told_apart(items: Iterable[tuple[Item, str]]) -> Iterable[tuple[Item, str, str, str]]:
    """Each item with its address, and the guid and address to know it by: empty where several items share one.

    There are feeds with one guid for everything (miniflux/v2#4197) and such whose items all link to one page. An item
    that stands there twice is one: both get the same key.
    """
    told = [(item, url, (item.guid, canonical_url(url), item.title.value)) for item, url in items]
    distinct = {identity for _, _, identity in told}
    guids = Counter(guid for guid, _, _ in distinct)
    pages = Counter(page for _, page, _ in distinct)
    for item, url, (guid, page, _) in told:
        yield item, url, guid if guids[guid] == 1 else "", url if pages[page] == 1 else ""


def _entry(item: Item, url: str, own_guid: str, own_url: str, source: Source, *, home: str, now: datetime) -> Entry:
    """An entry; its title is empty where the item has neither title nor text nor address."""
    summary = shortened(item.summary.beginning(SUMMARY) or item.content.beginning(SUMMARY))
    address = url or safe_url(item.guid)
    title = shortened(item.title.plain, _LONGEST_TITLE) or shortened(summary, _HEADLINE) or address.partition("://")[2]
    key, aliases = identify(source=source.name, guid=_line(own_guid), url=own_url, title=title, doi=item.doi)
    updated = moment(item.updated, now=now)
    return Entry(
        key=key,
        aliases=aliases,
        source=source.name,
        guid=_line(item.guid),
        url=address or home,
        title=title,
        summary=summary,
        content=_content(item, home),
        authors=_lines(item.authors)[:_AUTHORS],
        published=moment(item.published, now=now) or updated,
        updated=updated,
        tags=_lines(item.tags)[:_TAGS],
        image=safe_url(item.image, base=home),
    )


def _line(text: str) -> str:
    return one_line(text)[:_LONGEST_LINE]


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(_line, texts))))


def _content(item: Item, home: str) -> str:
    """The longer of the bodies in HTML, or a text without markup that a summary cannot hold."""
    bodies = (item.content, item.summary)
    markup = max((body for body in bodies if body.is_html), key=_length, default=Text())
    if "<" in markup.value:
        return safe_html(markup.value, base=markup.base or home)
    longest = max(bodies, key=_length)
    return safe_html(longest.markup) if _length(longest) > SUMMARY else ""


def _length(body: Text) -> int:
    return len(body.value)
