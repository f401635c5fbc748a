from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Issue, Link, Newsletter, Section, Story
from newsletter.render.sanitize import clean, sanitize, sanitize_newsletter, web_address


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00\x07b\x1b[31m\x7f\x92c", "ab[31mc"),
        ("two\r\nBcc: lines\u2028three\x85four", "two Bcc: lines three four"),
        ("\u202egpj.exe\u202c \u2067x\u2069", "gpj.exe x"),
        ("\ufeffx\ud800y\ufffe", "xy"),
        ("שלום\u200f (\u200ea\u200e)", "שלום\u200f (\u200ea\u200e)"),
        ("10\u00a0% 👩\u200d🔬 \u0915\u094d\u200d\u0937", "10\u00a0% 👩\u200d🔬 \u0915\u094d\u200d\u0937"),
        ("  <b> &amp; {{ 7*7 }} ", "<b> &amp; {{ 7*7 }}"),
    ],
)
def test_text_is_cleaned(text: str, cleaned: str) -> None:
    """Controls, lone surrogates and overrides go, line ends become spaces; marks, joiners and everything else stay."""
    assert clean(text, 300) == cleaned


@settings(deadline=None, max_examples=80)
@given(st.text(st.characters(), max_size=400))
def test_clean_text_is_one_encodable_line(text: str) -> None:
    """Whatever comes in, what comes out is one line that can be encoded, within the limit, and clean itself."""
    cleaned = clean(text, 100)
    assert len(cleaned) <= 100
    assert len(cleaned.splitlines()) <= 1
    assert not re.search("[\x00-\x1f\x7f-\x9f]", cleaned)
    cleaned.encode()
    assert clean(cleaned, 100) == cleaned


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://example.org/a?b=c&d=%20#e", "https://example.org/a?b=c&d=%20#e"),
        (" HTTP://example.org/ ", "HTTP://example.org/"),
        ('https://example.org/"><script>', "https://example.org/%22%3E%3Cscript%3E"),
        ("https://example.org/a b\nc\u202e", "https://example.org/a%20b%0Ac%E2%80%AE"),
        ("https://example.org/\ud800", "https://example.org/%3F"),
        ("https://example.org/العربية", "https://example.org/العربية"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("mailto:a@example.org", ""),
        ("//example.org/", ""),
        ("https:///path", ""),
        ("https://[::1/", ""),
        ("https://example.org/" + "a" * 2000, ""),
        ("", ""),
    ],
)
def test_only_web_addresses_remain(url: str, address: str) -> None:
    """An address is http(s) with a host, one word and of bounded length, or nothing."""
    assert web_address(url) == address


def test_an_issue_is_sanitized_whole(an_issue: Callable[..., Issue]) -> None:
    """Every text and address of an issue is cleaned; authors that are not named any more are still counted."""
    story = Story(
        key="k",
        title="\x00",
        url="ftp://example.org",
        summary="a\x01b",
        authors=("A\nB",) * 664,
        image="javascript:x",
        links=(Link(rel="code", url="x:y"), Link(rel="p\x00df", url="https://example.org/pdf")),
    )
    issue = replace(an_issue(Section(topic="t", title="T\x1b", stories=(story,)), preheader="p\u202e"), language='"x')
    cleaned = sanitize(issue)
    (after,) = cleaned.stories
    assert (cleaned.preheader, cleaned.language, cleaned.sections[0].title) == ("p", "en", "T")
    assert (after.title, after.url, after.summary, after.image) == ("Untitled", "", "ab", "")
    assert after.links == (Link(rel="pdf", url="https://example.org/pdf"),)
    assert set(after.authors) == {"A B"}
    assert len(after.authors) < 20
    assert after.author_count == 664


def test_a_link_to_the_story_itself_is_not_repeated(an_issue: Callable[..., Issue]) -> None:
    """A further address that equals the title's is no further address."""
    url = "https://example.org/a"
    story = Story(key="k", title="T", url=url, links=(Link(rel="pdf", url=url),))
    (after,) = sanitize(an_issue(Section(topic="t", title="T", stories=(story,)))).stories
    assert after.links == ()


def test_the_newsletters_own_texts_are_cleaned(newsletter: Newsletter) -> None:
    """The title and postal address come from a file and end up in headers and lines like any other text."""
    after = sanitize_newsletter(replace(newsletter, title="Papers\r\nBcc: x", address="1 Street\n2 Town"))
    assert (after.title, after.address) == ("Papers Bcc: x", "1 Street 2 Town")
