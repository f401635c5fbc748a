from __future__ import annotations

import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.xmlmend import mended

PIECES = (
    *("<rss>", "</rss>", "<item>", "</item>", "<a:b c:d='e'/>", "<![CDATA[", "]]>", "<!--", "-->", "<?xml ?>"),
    *("&amp;", "&nbsp;", "&#1;", "&x;", "&", "<", ">", "é"),
)


def read(document: str, **entities: str) -> str:
    """The text of the root, once the document has been mended."""
    data = mended(document.encode(), entities=entities, namespaces={"dc": "http://purl.org/dc/elements/1.1/"})
    return "".join(ET.fromstring(data).itertext())  # noqa: S314 - our own document


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("<rss>R&D & more</rss>", "R&D & more"),
        ("<rss>?a=1&b=2&copy=3</rss>", "?a=1&b=2&copy=3"),
        ("<rss>a < b <3 << c</rss>", "a < b <3 << c"),
        ("<rss>&nbsp;&hellip;&eacute;</rss>", "\xa0…é"),
        ("<rss>&lt;&amp;&gt;&AMP;</rss>", "<&>&"),
        ("<rss>&nobody;</rss>", "&nobody;"),
        ("<rss>&#233;&#xE9;&#1;&#xD800;&#x110000;</rss>", "éé"),
        ("<rss><![CDATA[a & b < c &nbsp;]]></rss>", "a & b < c &nbsp;"),
        ("<rss>a<!-- & -- < -->b</rss>", "ab"),
        ("Warning: <b>x</b>\n<?xml version='1.0'?>\n<rss>a</rss>\n<script>x</script>", "a"),
        ("<html><body><feed>a</feed></body></html>", "a"),
        ("<rss>a</rss", "a"),
        ("<rss><dc:title>a</dc:title><x:y z:w='1'>b</x:y></rss>", "ab"),
        ("<rss xmlns:dc='urn:own'><dc:title>a</dc:title></rss>", "a"),
    ],
)
def test_what_can_only_mean_one_thing_is_mended(document: str, text: str) -> None:
    """Characters that should have been escaped, names of HTML, what stands around the root, undeclared prefixes."""
    assert read(document) == text


def test_what_a_document_declares_is_kept() -> None:
    """Its own entities stay references, and a well-known prefix gets its well-known address."""
    assert mended(b"<rss>&own;&other;</rss>", entities={"own"}, namespaces={}) == b"<rss>&own;&amp;other;</rss>"
    bound = mended(b"<rss><dc:title/></rss>", namespaces={"dc": "http://purl.org/dc/elements/1.1/"})
    assert bound == b'<rss xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title/></rss>'


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=100))
def test_what_is_well_formed_means_the_same_afterwards(text: str) -> None:
    """Any text, escaped or in a section."""
    assert read(f"<rss>{escape(text)}</rss>") == text
    section = text.replace("]]>", "")
    assert read(f"<rss><![CDATA[{section}]]></rss>") == section


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join) | st.text(max_size=50))
def test_no_document_is_too_odd(document: str) -> None:
    """Whatever it is given, mending gives bytes."""
    assert isinstance(mended(document.encode("utf-8", "replace"), namespaces={}), bytes)
