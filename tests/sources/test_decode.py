from __future__ import annotations

import pytest

from newsletter.sources.decode import brief, described, first_byte, is_html, json_value, text


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><p>",
        b"\xef\xbb\xbf \r\n<HTML lang=en>",
        b'<?xml version="1.0"?>\n<!-- a --> <!-- b --><!DOCTYPE html PUBLIC "x">',
    ],
)
def test_a_page_is_recognised(body: bytes) -> None:
    """Marks, prologs and comments before it do not hide an HTML page."""
    assert is_html(body)


@pytest.mark.parametrize(
    "body", [b"", b"<rss><html>", b"<htmlx>", b"<?xml?><feed/>", b"<!-- <html> --><rss/>", b"text <html>"]
)
def test_what_is_no_page_is_not(body: bytes) -> None:
    """HTML further down, or inside a comment, makes no page of a feed."""
    assert not is_html(body)


def test_comments_without_end_take_no_time() -> None:
    """Thousands of comments are looked at once each: trying every combination of them would never end."""
    assert not is_html(b"<!---->" * 5000 + b"x")
    assert not is_html(b"<!--" * 5000)


def test_text_is_read_as_what_it_is() -> None:
    """UTF-8, UTF-16 by its mark, or windows-1252; every line ends in a line feed."""
    assert text("š\r\n".encode("utf-8-sig")) == "š\n"
    assert text("š\r".encode("utf-16")) == "š\n"
    assert text("š€".encode("cp1252")) == "š€"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_json_is_read_in_any_unicode(encoding: str) -> None:
    """With a mark or without one; the first character is found behind it."""
    body = ' {"a": "é"}'.encode(encoding)
    assert json_value(body, expected="an object") == {"a": "é"}
    assert first_byte(body) == b"{"


def test_json_with_a_broken_byte_is_read_but_for_it() -> None:
    """One bad byte in one text is no reason to refuse the rest."""
    assert json_value('{"a": "één @ é"}'.encode().replace(b"@", b"\x93"), expected="an object") == {"a": "één “ é"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (3, "the value 3"),
        ("a\nb", 'the text "a b"'),
        ([1, 2], "a list of 2"),
        ({}, "an empty object"),
        ({"a": 1, "b\x1b": 2}, "an object with the keys a, b"),
    ],
)
def test_values_are_put_in_words(value: object, words: str) -> None:
    """A message says what came, on one line and without control characters."""
    assert described(value) == words


def test_foreign_text_is_kept_brief() -> None:
    """No more than 120 characters of somebody else's text stand in a message."""
    assert len(brief("x" * 500)) == 120
