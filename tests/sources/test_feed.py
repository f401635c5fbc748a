from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ReadError
from newsletter.model import Entry, Source
from newsletter.sources import Request, Response
from newsletter.sources.feed import MOST, FeedKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "https://example.org/feed.xml"
PIECES = (
    b"<rss> <channel> <item> </item> <title> </title> <link> ]]> <![CDATA[ &# &x; <!-- x /> < > { [ \x00 \xff".split()
)


def read(body: bytes, *, content_type: str = "") -> Sequence[Entry]:
    """The entries of a feed that came from `URL`."""
    response = Response(request=Request(url=URL), url=URL, body=body, content_type=content_type)
    return FeedKind().read(response, Source(name="s", kind="feed"), now=NOW)


def rss(*items: str) -> bytes:
    """An RSS feed."""
    return f'<rss version="2.0"><channel>{"".join(f"<item>{item}</item>" for item in items)}</channel></rss>'.encode()


def test_a_body_is_never_taken_for_a_path(tmp_path: Path) -> None:
    """A server whose answer is the name of a local file does not make us read that file."""
    secret = tmp_path / "secret.xml"
    secret.write_bytes(rss("<title>secret</title><link>https://example.org/1</link>"))
    with pytest.raises(ReadError):
        read(str(secret).encode())


def test_the_newest_are_kept_of_a_long_feed() -> None:
    """Of more entries than fit the newest stay, wherever they stand in the feed; those without a date go first."""
    dated = [
        f"<title>{number}</title><link>https://example.org/{number}</link>"
        f"<pubDate>{datetime.fromtimestamp(1_700_000_000 + number * 60, UTC):%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        for number in range(MOST + 5)
    ]
    entries = read(rss("<title>undated</title><link>https://example.org/x</link>", *dated))
    assert len(entries) == MOST
    assert {entry.title for entry in entries} == {str(number) for number in range(5, MOST + 5)}


def test_the_servers_word_on_the_encoding_counts() -> None:
    """A charset in the content type is used where the document does not declare one."""
    body = rss("<title>чашка</title><link>https://example.org/1</link>").decode().encode("koi8-r")
    assert read(body, content_type="text/xml; charset=koi8-r")[0].title == "чашка"


def test_text_xml_is_not_taken_for_ascii() -> None:
    """text/xml without a charset says nothing about the encoding."""
    assert read(rss("<title>чашка</title><link>/1</link>"), content_type="text/xml")[0].title == "чашка"


@given(st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map(b" ".join))
@settings(deadline=None, max_examples=75)
def test_any_bytes_are_a_feed_or_a_read_error(body: bytes) -> None:
    """Whatever a server sends, reading gives entries or a ReadError."""
    try:
        entries = read(body)
    except ReadError:
        return
    assert all(entry.key and entry.url for entry in entries)
