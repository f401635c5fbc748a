from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.web.inbox.markup import Link, Tag, frame, links, pieces, plain, remote_images

markup = st.lists(
    st.sampled_from(
        ["<", ">", "<a href=", "'", '"', "<!--", "-->", "</", "<script", "<style>", "=", " ", "x", "&lt;", "/"]
    )
).map("".join)


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("a<b c=d>e", ["a", Tag("b", {"c": "d"}), "e"]),
        ("<A HREF='x&amp;y' href=z/>", [Tag("a", {"href": "x&y"})]),
        ('<a title="a > b">', [Tag("a", {"title": "a > b"})]),
        ("x<!-- <b> -->y", ["x", "y"]),
        ("x<!-- <b>", ["x"]),
        ("<script>if (a<b) {}</script>x", [Tag("script"), Tag("script", is_end=True), "x"]),
        ("1 < 2 &amp; 3", ["1 ", "<", " 2 & 3"]),
        ('<a href="x', [Tag("a", {"href": '"x'})]),
        ("<!doctype html><p", [Tag("p")]),
    ],
)
def test_pages_are_read_as_browsers_do(page: str, found: list[str | Tag]) -> None:
    """Near enough to know what is in them."""
    assert list(pieces(page)) == found


@given(markup | st.text())
def test_any_text_is_a_page(page: str) -> None:
    """Reading comes to an end and nothing in a page stops it."""
    list(pieces(page))
    list(links(page))
    plain(page)
    remote_images(page)
    frame(page, lambda _: "")


def test_pages_become_text() -> None:
    """A line for each block, without styles and scripts."""
    page = "<style>p{}</style><h1>Papers</h1><p>one <b>two</b><br>three</p><script>four</script>"

    assert plain(page) == "Papers\none two\nthree"


def test_links_are_listed_with_their_text() -> None:
    """An image's text stands for it; a link that is not closed ends at the next."""
    page = '<a href="https://a.example/">one <b>two</b></a><a name=x>no</a><a href=b><img alt="three"><a href=c>four'

    assert list(links(page)) == [
        Link(url="https://a.example/", text="one two"),
        Link(url="b", text="three"),
        Link(url="c", text="four"),
    ]


def test_images_from_elsewhere_are_counted() -> None:
    """In attributes and in styles; those of the mail itself are not from elsewhere."""
    page = (
        '<img src="https://a.example/1.png"><img src="//b.example/2.png"><img src="cid:logo">'
        '<img src="data:image/png,">'
        '<td background="http://c.example/3.png"><div style="background:url(\'https://d.example/4.png\')">'
        '<a href="https://e.example/">'
    )

    assert remote_images(page) == {
        "https://a.example/1.png",
        "//b.example/2.png",
        "http://c.example/3.png",
        "https://d.example/4.png",
    }


def test_a_frame_finds_the_mails_own_images() -> None:
    """By Content-ID; one that is not there stays as it is."""
    page = frame('<img src="cid:a@b"><img src=cid:other>', {"a@b": "/mail/1/part/2"}.get)  # type: ignore[arg-type]

    assert '<img src="/mail/1/part/2">' in page
    assert "<img src=cid:other>" in page


@pytest.mark.parametrize("head", ["<!doctype html><html><head lang=x>", "<!doctype html>", ""])
def test_links_in_a_frame_open_outside(head: str) -> None:
    """The rule stands at the beginning of the head and does not put a page into quirks mode."""
    page = frame(f"{head}<header>x</header>", lambda _: "")

    assert page.startswith(f'{head}<base target="_blank">')


def test_a_frame_is_light_or_dark() -> None:
    """Whatever the system's colours are."""
    page = "<style>@media (prefers-color-scheme: dark) {a{}} @media (Prefers-Color-Scheme:light){b{}}</style>"

    light, dark = (re.findall(r"m[ai][nx]-width", frame(page, lambda _: "", dark=dark)) for dark in (False, True))
    assert light == ["max-width", "min-width"]
    assert dark == ["min-width", "max-width"]


def test_what_connects_by_itself_is_taken_out() -> None:
    """A browser would connect to other servers for frames and preconnecting links, though it loads nothing."""
    page = frame("<IFRAME src=x><frame><object data=x><embed><linked>", lambda _: "")

    assert page.endswith("<x-IFRAME src=x><x-frame><x-object data=x><x-embed><linked>")
    assert (
        "<link"
        not in frame('<LINK rel=preconnect href="https://a.example"><link rel=stylesheet>', lambda _: "").lower()
    )
