from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import FetchError, SourceError
from newsletter.sources import Fetch, Request, Response
from newsletter.sources.discover import MOST, candidate, discover, linked_feeds, usual_feeds, youtube_feeds
from newsletter.sources.fetch import open_fetch
from tests.sites import Page, Site, rss

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CASES = Path(__file__).parents[1] / "data" / "sources" / "discover"
CHANNEL = "UC" + "a1-_" * 5 + "xy"
EMPTY = b'{"version": "https://jsonfeed.org/version/1.1", "title": "Empty", "items": []}'
VIDEOS = "https://www.youtube.com/feeds/videos.xml"


@pytest.fixture
def fetch() -> Fetch:
    """The real fetch, allowed to reach this machine."""
    return open_fetch(allow=[ip_network("127.0.0.0/8")], user_agent="test")


def answer(body: bytes, *, url: str = "https://example.org/blog/") -> Response:
    """What a server sent."""
    return Response(request=Request(url=url), url=url, body=body)


def html(head: str = "", body: str = "") -> Page:
    """A page of a site."""
    return Page(f"<!doctype html><head><title>Site</title>{head}</head><body>{body}".encode(), content_type="text/html")


# --- pure -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", sorted(CASES.glob("*.html")), ids=lambda path: path.stem)
def test_case(case: Path) -> None:
    """Each page names the feeds written beside it: the page's address, then one feed on a line, the best first."""
    url, *expected = case.with_suffix(".txt").read_text("utf-8").splitlines()

    assert linked_feeds(answer(case.read_bytes(), url=url)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://www.youtube.com/channel/{CHANNEL}/videos", [f"{VIDEOS}?channel_id={CHANNEL}"]),
        ("https://m.youtube.com/user/someone", [f"{VIDEOS}?user=someone"]),
        ("https://youtube.com/playlist?list=PLabcdefghij", [f"{VIDEOS}?playlist_id=PLabcdefghij"]),
        ("https://www.youtube.com/watch?v=x&list=PLabcdefghij", [f"{VIDEOS}?playlist_id=PLabcdefghij"]),
        ("https://www.youtube.com/@someone", []),
        ("https://www.youtube.com/channel/UCshort", []),
        ("https://www.youtube.com/playlist?list=a%26b%3D%0d%0ax", []),
        (f"https://youtube.com.example.org/channel/{CHANNEL}", []),
        ("https://[/channel/x", []),
    ],
)
def test_youtube_addresses_name_their_feed(url: str, expected: list[str]) -> None:
    """The feed of a channel, a playlist or a user follows from the address alone, on YouTube's own hosts."""
    assert youtube_feeds(url) == expected


def test_usual_addresses_are_beside_the_page_and_on_top() -> None:
    """A blog below a site has its own feed; everything is on the site that was asked for."""
    assert usual_feeds("https://example.org/blog?x#y")[:2] == [
        "https://example.org/blog/feed",
        "https://example.org/feed",
    ]
    assert "https://example.org/index.xml" in usual_feeds("https://example.org")
    assert len(set(usual_feeds("https://example.org/"))) == len(usual_feeds("https://example.org/")) < MOST


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (rss(("One", "https://example.org/1")).replace(b"Feed", b"<![CDATA[ R&D <b>News</b> ]]>"), "R&D News"),
        (rss(("One", "https://example.org/1")).replace(b"Feed", b"R&amp;D\x01"), "R&D"),
        (
            json.dumps(
                {
                    "version": "https://jsonfeed.org/version/1.1",
                    "title": "R&D",
                    "items": [{"id": "1", "title": "One", "url": "https://example.org/1"}],
                }
            ).encode(),
            "R&D",
        ),
    ],
)
def test_a_feed_is_a_candidate(body: bytes, title: str) -> None:
    """A feed is known by what it calls itself and by how much it has, in any format."""
    found = candidate(answer(body), now=NOW)

    assert found is not None
    assert (found.title, found.entries) == (title, 1)


@pytest.mark.parametrize("body", [b"", b"<!doctype html><title>x</title>", b"{}", b"[1]", b"not found"])
def test_other_answers_are_no_candidates(body: bytes) -> None:
    """Many sites answer 200 with a page, whatever is asked for."""
    assert candidate(answer(body), now=NOW) is None


TAGS = ("<link ", "<a ", "<base ", "rel=alternate ", 'href="', "'", ">", "type=text/xml ", "<!--")
TEXTS = ("&#0;", "https://[", "//x/feed", "/feed ", "\x00", "é")


@settings(deadline=None, max_examples=75)
@given(st.lists(st.sampled_from([*TAGS, *TEXTS]), max_size=30))
def test_any_page_is_searched(pieces: list[str]) -> None:
    """Whatever a page holds, what comes out of it are http(s) addresses."""
    found = linked_feeds(answer("".join(pieces).encode()))

    assert all(address.startswith(("http://", "https://")) for address in found)


def test_endless_pages_cost_little() -> None:
    """Half a million bytes are looked at, once, however they are broken."""
    for piece in (b"<!--", b"<a ", b"<a href='", b'<a href="/feed">', b"<base href='/x/'>", b'"channelId":"UC', b"a"):
        for page in (piece * 1_000_000, b"<a " + piece * 160_000 + b">"):
            assert len(linked_feeds(answer(page, url="https://www.youtube.com/@x"))) < 3


# --- over HTTP ------------------------------------------------------------------------------------------------------


def test_an_address_may_be_a_feed_itself(site: Site, fetch: Fetch) -> None:
    """Where the address answers with a feed nothing else is asked for."""
    site.pages["/feed.xml"] = Page(rss(("One", "https://example.org/1")))

    (found,) = discover(f"{site.url}/feed.xml", fetch=fetch, now=NOW)

    assert (found.title, found.url, found.entries) == ("Feed", f"{site.url}/feed.xml", 1)
    assert site.asked == ["/feed.xml"]


def test_declared_feeds_are_found(site: Site, fetch: Fetch) -> None:
    """What the page declares is read, what is no feed of it is dropped, and an empty feed comes last."""
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="/{name}">' for name in ("gone", "empty", "full")
    )
    site.pages |= {"/blog": html(links), "/empty": Page(EMPTY), "/full": Page(rss(("One", "https://example.org/1")))}

    found = discover(f"{site.url}/blog", fetch=fetch, now=NOW)

    assert [(one.url, one.entries) for one in found] == [(f"{site.url}/full", 1), (f"{site.url}/empty", 0)]


def test_the_usual_addresses_come_last(site: Site, fetch: Fetch) -> None:
    """A page that declares nothing is asked for feeds where most sites have one, ten requests at most."""
    page = html(body="".join(f'<a href="/dead{number}.rss">x</a>' for number in range(20)))
    site.pages |= {"/blog/": page, "/blog/feed": Page(rss(("One", "https://example.org/1")))}

    (found,) = discover(f"{site.url}/blog/", fetch=fetch, now=NOW)

    assert found.url == f"{site.url}/blog/feed"
    assert len(site.asked) <= MOST


def test_a_site_without_feeds_is_told(site: Site, fetch: Fetch) -> None:
    """Nothing found is an error that says where was looked."""
    site.pages["/"] = html()

    with pytest.raises(SourceError, match="found no feed at .*; looked at .*/feed.xml"):
        discover(site.url + "/", fetch=fetch, now=NOW)
    assert len(site.asked) <= MOST


def test_a_dead_site_is_told(site: Site, fetch: Fetch) -> None:
    """Where the address itself does not answer nothing is guessed."""
    with pytest.raises(FetchError, match="404"):
        discover(f"{site.url}/gone", fetch=fetch, now=NOW)
    assert site.asked == ["/gone"]


def test_private_networks_stay_closed(site: Site) -> None:
    """Discovery goes through the guard: an address on this machine is refused before anything is asked."""
    with pytest.raises(FetchError, match="could not fetch"):
        discover(site.url, fetch=open_fetch(user_agent="test"), now=NOW)
    assert site.asked == []


def test_a_page_cannot_lead_into_private_networks() -> None:
    """What a page links to is asked for through the same fetch as the page, one request for each address."""
    asked: list[str] = []

    def fetch(requests: object) -> object:
        assert isinstance(requests, list)
        asked.extend(request.url for request in requests)
        page = html('<link rel=alternate type=application/rss+xml href="http://169.254.169.254/x">')
        return iter([(request, answer(page.body, url=request.url)) for request in requests])

    checked: Callable[..., object] = fetch
    with pytest.raises(SourceError):
        discover("https://example.org/", fetch=checked, now=NOW)  # type: ignore[arg-type]
    assert "http://169.254.169.254/x" in asked
    assert len(asked) == len(set(asked)) <= MOST
