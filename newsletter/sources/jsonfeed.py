"""JSON Feed 1.0 and 1.1 to items: https://www.jsonfeed.org/version/1.1/. Ill-typed members count as absent."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.errors import ReadError
from newsletter.sources.dates import read_date
from newsletter.sources.decode import described, json_value
from newsletter.sources.item import Document, Item, Text

_VERSION = "jsonfeed.org/version/1"
_OF_A_FEED = {"title", "home_page_url", "feed_url"}


def read_json_feed(body: bytes, *, base: str) -> Document:
    """The items of a JSON Feed. ReadError says what was found instead."""
    feed = json_value(body, expected="a JSON Feed")
    if not isinstance(feed, dict) or not _is_feed(feed):
        raise ReadError(f"expected a JSON Feed, found JSON that is none: {described(feed)}")
    items = feed.get("items")
    if not isinstance(items, list):
        raise ReadError(f"expected a JSON Feed with a list of items, found {described(items)} in place of the list")
    found = tuple(_item(item, feed, base=base) for item in items if item and isinstance(item, dict))
    title = Text(_text(feed, "title"), is_html=False)
    return Document(title=title, home=_text(feed, "home_page_url"), items=found)


def _is_feed(feed: Mapping[str, object]) -> bool:
    """By its version; one that has none by what else stands in a feed only."""
    return _VERSION in _text(feed, "version") or ("version" not in feed and bool(_OF_A_FEED & feed.keys()))


def _item(item: Mapping[str, object], feed: Mapping[str, object], *, base: str) -> Item:
    markup = _text(item, "content_html")
    return Item(
        guid=_identifier(item.get("id")),
        link=_text(item, "url") or _text(item, "external_url") or _attached(item),
        title=Text(_text(item, "title"), is_html=False),
        summary=Text(_text(item, "summary"), is_html=False),
        content=Text(markup or _text(item, "content_text"), is_html=bool(markup), base=base),
        authors=_authors(item) or _authors(feed),
        tags=tuple(tag for tag in _list(item, "tags") if isinstance(tag, str)),
        image=_text(item, "image") or _text(item, "banner_image"),
        published=read_date(_text(item, "date_published")),
        updated=read_date(_text(item, "date_modified")),
    )


def _authors(holder: Mapping[str, object]) -> tuple[str, ...]:
    named = [*_list(holder, "authors"), holder.get("author")]  # `author` is version 1.0
    names = [_text(author, "name") for author in named if isinstance(author, dict)]
    return tuple(dict.fromkeys(filter(None, names)))


def _identifier(value: object) -> str:
    """An id as text; the specification has readers accept numbers."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def _attached(item: Mapping[str, object]) -> str:
    """Where the first attachment is."""
    return next((_text(one, "url") for one in _list(item, "attachments") if isinstance(one, dict)), "")


def _text(holder: Mapping[str, object], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _list(holder: Mapping[str, object], name: str) -> list[object]:
    value = holder.get(name)
    return value if isinstance(value, list) else []
