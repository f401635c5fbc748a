from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.sources.clean import DEEPEST, LONGEST, moment, one_line, plain_text, safe_html, safe_url, shortened

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANY = st.text(st.characters(), max_size=80) | st.text(
    st.sampled_from("<>/&;:#019\"'= \\adivpscrt\x00\x01\x85\ud800"), max_size=80
)


def test_a_line_has_no_controls_and_single_spaces() -> None:
    """Controls, surrogates and direction overrides go; white space of any kind becomes one space; markup stays."""
    assert one_line(" a\x00b\r\n\tc\u2028d\x9b\u202e\ud800\ufeff <T>\xa0e ") == "ab c d <T> e"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>two</p>three<br>four<li>five", "One two three four five"),
        ("a<b>b</b>c", "abc"),
        ("R&amp;D &lt;b&gt; &nbsp;x", "R&D <b> x"),
        ("1 < 2 & 3", "1 < 2 & 3"),
        ("<script>alert(1)</script><style>p{}</style>text<!-- no -->", "text"),
        ("&#0;&#x1;&#xD800;x&#x80;", "\ufffd\ufffdx€"),
        ("<div " + "x" * 9000 + ">text", "text"),
        ("", ""),
    ],
)
def test_plain_text_is_what_a_reader_sees(markup: str, text: str) -> None:
    """Tags, scripts and comments go, entities are resolved, blocks are set apart."""
    assert plain_text(markup) == text


@pytest.mark.parametrize(
    ("markup", "html"),
    [
        ('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer nofollow">x</a>'),
        ('<a href="&#1;java&#10;script:alert(1)">x</a>', '<a rel="noopener noreferrer nofollow">x</a>'),
        ('<img src="data:image/png;base64,AA" onerror="x()">', "<img>"),
        ('<img src="https://example.org/a.png">', '<img src="https://example.org/a.png">'),
        ("<iframe src=https://example.org></iframe><form><input></form>x", "x"),
        ("<p style='position:fixed' class=x id=y>x</p>", "<p>x</p>"),
        ("<svg><script>1</script></svg><math><mi//xlink:href='data:x'></mi></math>x", "x"),
        ('<a href="java&#1;script:alert(1)">x&#1;&#x9b;</a>', '<a rel="noopener noreferrer nofollow">x›</a>'),
    ],
)
def test_nothing_active_stays_in_html(markup: str, html: str) -> None:
    """Scripts, handlers, styles, frames, forms and other schemes are gone."""
    assert safe_html(markup) == html


def test_relative_addresses_need_a_base() -> None:
    """With a base they become absolute; without one, or with a bad one, they are dropped."""
    link = '<a href="/x">x</a>'
    assert 'href="https://example.org/x"' in safe_html(link, base="https://example.org/feed/")
    assert "href" not in safe_html(link)
    assert "href" not in safe_html(link, base="javascript:alert(1)")


def test_deep_nesting_loses_its_tags_not_its_text() -> None:
    """Markup nested deeper than the cap, also behind end tags that close nothing, is taken as text."""
    deep = "<div></x>" * (DEEPEST + 1) + "core"
    assert safe_html(deep) == "core"
    assert plain_text(deep) == "core"
    shallow = "<div>" * DEEPEST + "core" + "</div>" * DEEPEST
    assert safe_html(shallow) == shallow


def test_many_siblings_are_not_deep() -> None:
    """Elements that are closed, or that never hold anything, do not nest."""
    markup = "<p>a</p><br><ul><li>b</ul><b>c</b>" * 200
    assert "<b>c</b>" in safe_html(markup)


def test_long_markup_is_cut() -> None:
    """No more than the cap is looked at."""
    assert len(plain_text("<p>" + "a " * LONGEST)) <= LONGEST


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        (" \n\x01https://exa\nmple.org/ ", "https://example.org/"),
        ("https://exämple.org/ü?q=ü", "https://xn--exmple-cua.org/%C3%BC?q=%C3%BC"),
        ('https://example.org/"><script>', "https://example.org/%22%3E%3Cscript%3E"),
        ("HTTP://example.org", "http://example.org"),
        ("javascript:alert(1)", ""),
        ("\x01javascript:alert(1)", ""),
        ("java\tscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("mailto:a@example.org", ""),
        ("//example.org/x", ""),
        ("/relative", ""),
        ("https:///x", ""),
        ("https://user:pass@example.org/", ""),
        ("https://example.org\\@example.net/", ""),
        ("https://example.org:99999/", ""),
        ("https://[::1", ""),
        ("https://example.org/\x00x", ""),
        ('https://a"b.example.org/', ""),
        ("https://example.org/" + "a" * 3000, ""),
        ("", ""),
    ],
)
def test_only_web_addresses_are_addresses(url: str, safe: str) -> None:
    """Absolute http(s) addresses in ASCII pass, with unsafe characters escaped; everything else is empty."""
    assert safe_url(url) == safe


def test_an_address_is_made_absolute() -> None:
    """Relative addresses are resolved against the base, whose scheme counts too."""
    assert safe_url("../x", base="https://example.org/a/b/") == "https://example.org/a/x"
    assert safe_url("//example.net/x", base="https://example.org/") == "https://example.net/x"
    assert safe_url("x", base="file:///etc/") == ""


def test_dates_are_sensible() -> None:
    """Nothing before 1990, nothing after now, everything in UTC."""
    east = timezone(timedelta(hours=5))
    assert moment(None, now=NOW) is None
    assert moment(datetime(1, 1, 1, tzinfo=UTC), now=NOW) is None
    assert moment(datetime(1989, 12, 31, tzinfo=UTC), now=NOW) is None
    assert moment(datetime(2026, 1, 1, tzinfo=east), now=NOW) == datetime(2025, 12, 31, 19, tzinfo=UTC)
    assert moment(datetime(2026, 1, 1), now=NOW) == datetime(2026, 1, 1, tzinfo=UTC)  # noqa: DTZ001 - the case
    assert moment(datetime(2100, 1, 1, tzinfo=UTC), now=NOW) == NOW
    assert moment(datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))), now=NOW) == NOW


def test_a_long_line_ends_at_a_word() -> None:
    """Shortening keeps whole words where there are any."""
    assert shortened("one two three", 9) == "one two…"
    assert shortened("onetwothree", 5) == "onetw…"
    assert shortened("one two", 7) == "one two"


@given(ANY)
@settings(deadline=None, max_examples=80)
def test_cleaning_never_raises_and_is_final(text: str) -> None:
    """Any text becomes one clean line, encodable as UTF-8; cleaning it again changes nothing."""
    line = one_line(text)
    assert one_line(line) == line
    for cleaned in (line, plain_text(text), safe_html(text, base="https://example.org/")):
        cleaned.encode()
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", cleaned)


@given(ANY | st.builds("https://{}".format, ANY), ANY)
@settings(deadline=None, max_examples=80)
def test_addresses_never_raise_and_are_final(url: str, base: str) -> None:
    """Whatever comes is an address that stays the same, or none."""
    safe = safe_url(url, base=base)
    assert safe_url(safe) == safe
    assert not set(safe) & set(" \"'<>\\\r\n") - {"'"}
    assert safe == "" or safe.startswith(("http://", "https://"))
