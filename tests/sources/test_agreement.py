"""Real feeds as plain feedparser reads them: every difference stands in a data file with its reason."""

from __future__ import annotations

import calendar
import io
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import feedparser
import pytest

from newsletter.errors import ReadError
from newsletter.sources.item import Item
from newsletter.sources.xmlfeed import read_xml_feed

pytestmark = pytest.mark.shared
KNOWN = Path(__file__).parents[1] / "data" / "sources" / "agreement" / "real_feeds.json"
FOLDERS = ("real_2026", "feedjira", "miniflux", "newsboat", "reader")
BASE = "https://example.org/"


def differences(body: bytes) -> Mapping[str, int]:
    """In how many entries each field differs, and by how much the count.

    Saved files begin with blank lines, for which feedparser turns to its lenient parser and loses detail.
    """
    plain = feedparser.parse(
        io.BytesIO(body.lstrip()),
        sanitize_html=False,
        resolve_relative_uris=False,
        response_headers={"content-location": BASE, "content-type": "application/xml"},
    )
    try:
        items = read_xml_feed(body, base=BASE).items
    except ReadError:
        return {"refused": 1} if plain.entries else {}
    found = Counter(count=abs(len(items) - len(plain.entries)))
    for item, entry in zip(items, plain.entries, strict=False):
        found.update(_differing(item, entry))
    return {name: count for name, count in found.items() if count}


def _differing(item: Item, entry: Mapping[str, Any]) -> list[str]:
    contents = [content.value for content in entry.get("content", ())]
    told = {
        "id": (item.guid, entry.get("id", "").strip()),
        "title": (item.title.value, entry.get("title", "")),
        "link": (item.link, entry.get("link", "")),
        "date": (_seconds(item), _stamp(entry)),
        "body": (item.content.value or item.summary.value, _as_html((contents or [entry.get("summary", "")])[0])),
    }
    return [name for name, (ours, theirs) in told.items() if ours != theirs]


def _as_html(value: str) -> str:
    """Without the end tags of XHTML's line breaks, which feedparser leaves."""
    return value.replace("></br>", ">")


def _seconds(item: Item) -> int | None:
    return int(item.published.timestamp()) if item.published else None


def _stamp(entry: Mapping[str, Any]) -> int | None:
    parts = entry.get("published_parsed") or entry.get("created_parsed")
    return calendar.timegm(parts) if parts else None


def test_real_feeds_are_read_as_feedparser_reads_them(shared_data: Path) -> None:
    """Count, id, title, link, date and body of every entry agree, but where the data file says why not."""
    feeds = shared_data / "feeds"
    found = {}
    for path in sorted(path for name in FOLDERS for path in (feeds / name).rglob("*")):
        if path.is_file() and path.suffix not in {".tsv", ".txt", ".upstream", ".json", ".opml"}:
            found[str(path.relative_to(feeds))] = differences(path.read_bytes())
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    assert {name: one for name, one in found.items() if one} == {name: one["differs"] for name, one in known.items()}
    assert all(one["why"] for one in known.values())


@pytest.mark.parametrize(
    ("name", "count", "title"),
    [
        ("koi8r.xml", 2, "Первая новость"),
        ("invalid-prolog.xml", 1, "Café"),
        ("utf8-incorrect-prolog.xml", 1, "Café"),
        ("encoding_WINDOWS-1251.xml", 50, "Цитата #17703"),
        ("encoding_ISO-8859-1.xml", 40, "Red Dead Redemption 2"),
        ("no_encoding_ISO-8859-1.xml", 10, "Perturbateurs endocriniens : quels effets"),
        ("rdf_UTF8.xml", 60, "OLED-TVs: Vorsichtsmaßnahmen"),
    ],
)
def test_encodings_of_real_feeds(shared_data: Path, name: str, count: int, title: str) -> None:
    """Declared, undeclared and wrongly declared encodings give the text that was meant."""
    path = next((shared_data / "feeds" / "miniflux").rglob(name))
    items = read_xml_feed(path.read_bytes()).items
    assert len(items) == count
    assert items[0].title.plain.startswith(title)
