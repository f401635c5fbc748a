"""Documents in every encoding that feeds have been in; their texts are data/sources/charset/<language>.txt."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.charset import read_text

TEXTS = Path(__file__).parents[1] / "data" / "sources" / "charset"
ENCODINGS = {
    "chinese": ("gb18030", "gbk", "gb2312"),
    "taiwanese": ("big5",),
    "japanese": ("shift_jis", "euc_jp", "iso2022_jp"),
    "korean": ("euc_kr",),
    "russian": ("koi8-r", "cp1251", "iso8859-5"),
    "ukrainian": ("koi8-u", "cp1251"),
    "bulgarian": ("cp1251",),
    "polish": ("cp1250", "iso8859-2"),
    "czech": ("cp1250", "iso8859-2"),
    "hungarian": ("cp1250", "iso8859-2"),
    "french": ("iso8859-1", "iso8859-15"),
    "french-typeset": ("cp1252",),
    "german": ("iso8859-1", "iso8859-15"),
    "spanish": ("iso8859-1",),
    "swedish": ("iso8859-1",),
    "greek": ("cp1253", "iso8859-7"),
    "turkish": ("cp1254",),
    "hebrew": ("cp1255",),
    "arabic": ("cp1256",),
    "thai": ("cp874",),
}
PAIRS = [(language, encoding) for language, encodings in ENCODINGS.items() for encoding in encodings]


def sentences(language: str) -> list[str]:
    """What there is of a language."""
    return (TEXTS / f"{language}.txt").read_text(encoding="utf-8").splitlines()


def feed(title: str, text: str) -> str:
    """A feed that does not say what it is encoded in."""
    return (
        '<?xml version="1.0"?>\n<rss version="2.0"><channel><title>Example</title><link>https://example.org/</link>'
        f"<item><title>{title}</title><link>https://example.org/news/1</link><guid>https://example.org/news/1</guid>"
        f"<pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate><description>{text}</description></item></channel></rss>"
    )


@pytest.mark.parametrize(("language", "encoding"), PAIRS)
@pytest.mark.parametrize("length", [100, 1_000, 20_000, 100_000])
def test_an_encoding_that_nobody_names_is_recognised(language: str, encoding: str, length: int) -> None:
    """A title and a text of some length suffice, up to the longest."""
    known = sentences(language)
    text = " ".join(islice(cycle(known[1:]), 1 + length // 40))[:length]
    document = feed(known[0][:60], text)
    assert read_text(document.encode(encoding)) == document


def titles() -> Iterator[tuple[str, str]]:
    """Every piece of ten characters that is not all ASCII, at every tenth place of every sentence, by its encodings."""
    for language, encoding in PAIRS:
        for sentence in sentences(language):
            pieces = (sentence[start : start + 10] for start in range(0, len(sentence) - 9, 10))
            yield from ((piece, encoding) for piece in pieces if not piece.isascii())


def test_most_titles_of_ten_characters_are_enough() -> None:
    """Where nothing else than such a title is beyond ASCII, more than nine in ten are read as what they are."""
    told = [read_text(feed(title, "").encode(encoding)) == feed(title, "") for title, encoding in titles()]
    assert len(told) > 700
    assert sum(told) / len(told) > 0.9


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("told", ["", "utf-8", "utf-16", "iso-8859-1", "windows-1251"])
def test_unicode_needs_no_name_and_no_mark(encoding: str, told: str) -> None:
    """UTF-8, UTF-16 and UTF-32 are what they are, whatever is said of them."""
    document = feed("Café 新闻", "Text")
    body = document.encode(encoding)
    assert read_text(body, sent=told) == document
    assert read_text(body, declared=told) == document


@pytest.mark.parametrize(
    ("sent", "declared"),
    [
        ("windows-1251", ""),
        ("", "windows-1251"),
        ("cp1251", "utf-8"),
        ("windows-1251", "koi8-r"),  # RFC 7303: the server's word counts for more
        ("utf-8", "windows-1251"),
        ("iso-8859-1", "windows-1251"),  # unless it is what servers say when nobody told them
        ("us-ascii", "windows-1251"),
        ("utf-16", "windows-1251"),
        ("x-none", "windows-1251"),
        ("", "iso-8859-1"),  # Cyrillic is not Latin, whoever says so
        ("windows-1252", "iso-8859-15"),
        ("zlib", "unicode_escape"),
    ],
)
def test_the_word_of_server_and_document_is_weighed(sent: str, declared: str) -> None:
    """Either may be wrong about a document in windows-1251."""
    document = feed("Городской совет", "Министр пообещал построить три новые школы.")
    assert read_text(document.encode("cp1251"), sent=sent, declared=declared) == document


@pytest.mark.parametrize("encoding", ["gb2312", "gbk", "big5", "shift_jis", "euc-jp", "euc-kr", "koi8-r", "iso-8859-7"])
def test_what_is_declared_is_believed_where_it_can_be_true(encoding: str) -> None:
    """Two characters would not be enough to recognise any of these."""
    short = {"koi8-r": "да", "iso-8859-7": "ναι", "euc-kr": "가나"}.get(encoding, "日本")
    assert read_text(f"<a>{short}</a>".encode(encoding), declared=encoding) == f"<a>{short}</a>"


def test_chinese_is_not_utf_8_by_chance() -> None:
    """These two characters are, in GBK, valid UTF-8 for two that no Chinese text has; what is UTF-8 stays it."""
    assert read_text("<a>联通</a>".encode("gbk"), declared="gbk") == "<a>联通</a>"
    assert read_text("<a>联通</a>".encode(), declared="gbk") == "<a>联通</a>"


def test_extensions_of_vendors_are_known() -> None:
    """Names mean what the web means by them: Latin-1 has the quotes of Windows, GBK the euro, Shift_JIS its digits."""
    assert read_text("“So” for 5 €".encode("cp1252"), declared="iso-8859-1") == "“So” for 5 €"
    assert read_text("新闻".encode("gbk") + b"\x80", declared="gb2312") == "新闻€"
    assert read_text("日本①".encode("cp932"), declared="shift_jis") == "日本①"


def test_a_few_broken_bytes_spoil_only_themselves() -> None:
    """One alone is of windows-1252, a character that was cut is U+FFFD, and the rest stays UTF-8."""
    body = "Городской совет утвердил бюджет @ и @".encode()
    assert read_text(body.replace(b"@", b"\x93")) == "Городской совет утвердил бюджет “ и “"
    assert read_text(body.replace(b"@", b"\xe2\x80")) == "Городской совет утвердил бюджет \ufffd и \ufffd"
    japanese = "日本の新しい記事です、そして終わり。" * 3
    assert read_text(japanese.encode("euc_jp") + b"\xff", declared="euc-jp") == japanese + "\ufffd"


def test_markup_cannot_hide_in_an_encoding() -> None:
    """UTF-7 spells brackets with letters; what is ASCII is read as ASCII, whatever it is said to be."""
    assert read_text(b"+ADw-script+AD4-", declared="utf-7", sent="utf-7") == "+ADw-script+AD4-"
    assert read_text(rb"\u003cscript\u003e", declared="unicode_escape") == r"\u003cscript\u003e"
    assert read_text(b"xn--n3h", declared="idna") == "xn--n3h"


def test_long_documents_are_recognised_by_a_part_of_them() -> None:
    """Also where the first that is not ASCII comes late."""
    document = "<a/>" * 500_000 + "Городской совет утвердил новый бюджет. " * 50_000
    assert read_text(document.encode("koi8-r")) == document


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "gbk", "koi8-r", "utf-16", "idna", "\0", "x" * 50]))
def test_any_bytes_are_text(body: bytes, told: str) -> None:
    """Nothing raises, and nothing but surrogates could not be written again."""
    read_text(body, sent=told, declared=told).encode("utf-8")


@given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1)))
def test_utf_8_is_read_as_it_is(text: str) -> None:
    """Every text in UTF-8, with a mark."""
    assert read_text(text.encode("utf-8-sig")) == text
