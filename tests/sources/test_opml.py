from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ReadError
from newsletter.sources.clean import one_line
from newsletter.sources.identity import canonical_url
from newsletter.sources.opml import LARGEST, Subscription, read_opml, write_opml

CASES = Path(__file__).parents[1] / "data" / "sources" / "opml"


@pytest.mark.parametrize("case", sorted(CASES.glob("*.opml")), ids=lambda path: path.stem)
def test_case(case: Path) -> None:
    """Each list gives the feeds written beside it, one on a line: address, tab, title."""
    expected = [tuple(line.split("\t")) for line in case.with_suffix(".txt").read_text("utf-8").splitlines()]

    assert [(feed.url, feed.title) for feed in read_opml(case.read_bytes())] == expected


@pytest.mark.shared
def test_real_lists_are_read_whole(shared_data: Path) -> None:
    """Every feed of every real list is found, though most of the lists are no XML."""
    broken = 0
    for path in (shared_data / "opml").glob("*.opml"):
        body = path.read_bytes()
        addresses = re.findall(r'xmlUrl="(https?://[^"]+)"', body.decode("utf-8"))
        assert [canonical_url(feed.url) for feed in read_opml(body)] == list(
            dict.fromkeys(canonical_url(address.replace("&amp;", "&")) for address in addresses)
        ), path.name
        broken += not is_xml(body)

    assert broken > 15


def is_xml(body: bytes) -> bool:
    """Whether a document is well-formed."""
    try:
        ET.fromstring(body)  # noqa: S314  # of the team's own collection
    except ET.ParseError:
        return False
    return True


def test_nesting_and_endless_lists_cost_little() -> None:
    """Folders may nest a hundred thousand deep, and comments, quotes or tags never end: one pass, no recursion."""
    feed = '<outline text="a" xmlUrl="https://example.org/feed"/>'
    for around in ('<outline text="x">', "<outline ", "<!--x-->", "<outline x='", '<outline a="', " " * 20):
        assert read_opml((around * 100_000 + "'>\">" + feed).encode())[-1].url == "https://example.org/feed", around

    for endless in (b"<!--" * 500_000, b"<outline " + b"a" * 5_000_000, b"<outline a='" + b"=" * 5_000_000):
        with pytest.raises(ReadError):
            read_opml(endless + b"x" + feed.encode() * endless.startswith(b"<!--"))


def test_entities_are_not_expanded() -> None:
    """A list that defines entities gets none of them: neither a billion laughs nor a file."""
    lol = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    body = (
        f'<!DOCTYPE opml [<!ENTITY l0 "lol">{lol}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        '<opml><body><outline text="&l9;&f;" xmlUrl="https://example.org/&f;"/></body></opml>'
    )

    (feed,) = read_opml(body.encode())

    assert feed.title == "&l9;&f;"
    assert feed.url == "https://example.org/&f;"


def test_a_list_too_large_is_refused() -> None:
    """Nobody reads ten megabytes of feeds."""
    with pytest.raises(ReadError, match="more than 10 MiB"):
        read_opml(b" " * (LARGEST + 1))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "found no outline with the address of a feed"),
        (b"<!doctype html><p>Sign in", "found an HTML page"),
        (b'<opml><outline text="Folder"/><outline xmlUrl="javascript:x()"/></opml>', "found no outline"),
    ],
)
def test_what_is_no_list_is_told(body: bytes, message: str) -> None:
    """A list without a single feed is a mistake, and not an empty import."""
    with pytest.raises(ReadError, match=message):
        read_opml(body)


@settings(deadline=None, max_examples=75)
@given(st.lists(st.text(max_size=30), max_size=8, min_size=1))
def test_what_is_written_is_read_again(titles: list[str]) -> None:
    """A written list is XML and holds the same titles and addresses when it is read."""
    feeds = [
        Subscription(title=one_line(title), url=f"https://example.org/feed?a=1&section={number}")
        for number, title in enumerate(titles)
    ]
    written = write_opml(feeds, title="T<\x00>")

    assert is_xml(written)
    assert read_opml(written) == feeds
