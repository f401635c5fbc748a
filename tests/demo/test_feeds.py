"""The sample feeds answer over HTTP like the sources they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest

from newsletter.demo.feeds import serve

NOW = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
ARXIV = "/rss/cs.CL+cs.CV+cs.LG"
TARGETS = ["/api/daily_papers?date=2026-11-20", ARXIV, "/feed.xml"]


@pytest.fixture
def base_url() -> Iterator[str]:
    """Serve the feeds of a Friday morning."""
    with serve(NOW) as url:
        yield url


class Got:
    """An answer, as read from the connection."""

    def __init__(self, base_url: str, target: str, *, method: str = "GET", etag: str = "") -> None:
        connection = HTTPConnection(urlsplit(base_url).netloc, timeout=10)
        try:
            connection.request(method, target, headers={"If-None-Match": etag} if etag else {})
            response = connection.getresponse()
            self.status, self.headers, self.body = response.status, response.headers, response.read()
        finally:
            connection.close()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def papers(base_url: str) -> Any:
    """Read today's list."""
    return Got(base_url, TARGETS[0]).json


def announcements(base_url: str) -> Any:
    """Read today's announcements."""
    return feedparser.parse(Got(base_url, ARXIV).body)


def posts(base_url: str) -> Any:
    """Read the blog."""
    return feedparser.parse(Got(base_url, "/feed.xml").body)


# --- Hugging Face -------------------------------------------------------------------------------------------------


def test_daily_papers(base_url: str) -> None:
    """The day's list is an array, most upvotes first, in the shape of the real one."""
    items = papers(base_url)
    upvotes = [item["paper"]["upvotes"] for item in items]

    assert len(items) == 14
    assert upvotes == sorted(upvotes, reverse=True)
    assert all(item["title"] == item["paper"]["title"] for item in items)
    assert all(re.fullmatch(r"2611\.9\d{4}", item["paper"]["id"]) for item in items)
    assert {item["paper"]["submittedOnDailyAt"] for item in items} == {"2026-11-20T00:00:00.000Z"}
    assert any("githubStars" in item["paper"] for item in items)
    assert any("githubStars" not in item["paper"] for item in items)


def test_daily_papers_without_a_date(base_url: str) -> None:
    """Without a date the list is today's."""
    assert Got(base_url, "/api/daily_papers").json == papers(base_url)


@pytest.mark.parametrize("date", ["2026-11-19", "2026-11-14", "2024-01-01"])
def test_another_day(base_url: str, date: str) -> None:
    """Days gone by are empty, as a weekend is."""
    got = Got(base_url, f"/api/daily_papers?date={date}")

    assert (got.status, got.json) == (200, [])


@pytest.mark.parametrize("date", ["2026-11-21", "2027-01-01", "today", "2026-13-01"])
def test_a_date_that_is_refused(base_url: str, date: str) -> None:
    """A date to come, or none at all, gives an error object."""
    got = Got(base_url, f"/api/daily_papers?date={date}")

    assert got.status == 400
    assert list(got.json) == ["error"]


def test_today_is_that_of_utc() -> None:
    """The date is the one in UTC, wherever `now` was told."""
    with serve(datetime(2026, 11, 21, 2, 0, tzinfo=timezone(timedelta(hours=9)))) as url:
        assert papers(url)


def test_naive_now() -> None:
    """A time without a zone is refused."""
    with pytest.raises(ValueError, match="without a time zone"), serve(NOW.replace(tzinfo=None)):
        pass


# --- arXiv --------------------------------------------------------------------------------------------------------


def test_announcements(base_url: str) -> None:
    """The announcements are well-formed, of today, and look like arXiv's."""
    feed = announcements(base_url)

    assert not feed.bozo
    assert len(feed.entries) == 12
    for entry in feed.entries:
        assert entry.published == "Fri, 20 Nov 2026 00:00:00 +0000"
        assert re.fullmatch(r"https://arxiv\.org/abs/2611\.9\d{4}", entry.link)
        assert re.match(r"arXiv:2611\.9\d{4}v1 Announce Type: (new|cross) \nAbstract: \w", entry.summary)
        assert entry.arxiv_announce_type in {"new", "cross"}


def test_shared_papers(base_url: str) -> None:
    """Three papers are in the list as well, under the same id, title and authors, so that merging can be seen."""
    listed = {item["paper"]["id"]: item["paper"] for item in papers(base_url)}
    both = {
        entry.link.rpartition("/")[2]: entry
        for entry in announcements(base_url).entries
        if entry.link.rpartition("/")[2] in listed
    }

    assert len(both) == 3
    for bare_id, entry in both.items():
        assert entry.title == listed[bare_id]["title"]
        assert entry.author == ", ".join(author["name"] for author in listed[bare_id]["authors"])
        assert listed[bare_id]["summary"] in entry.summary


# --- the blog -----------------------------------------------------------------------------------------------------


def test_posts(base_url: str) -> None:
    """The blog is well-formed Atom, its posts a few days old at most and none of them from the future."""
    feed = posts(base_url)

    assert not feed.bozo
    assert len(feed.entries) == 6
    assert len({entry.id for entry in feed.entries}) == 6
    for entry in feed.entries:
        published = datetime.fromisoformat(entry.published)
        assert timedelta(0) < NOW - published < timedelta(days=6)
        assert entry.content[0].value.startswith("<p>")


# --- all three ----------------------------------------------------------------------------------------------------


def test_texts_read_like_abstracts(base_url: str) -> None:
    """Every text has the length of an abstract and no text comes twice, but for the shared papers."""
    texts = [item["summary"] for item in papers(base_url)]
    texts += [entry.summary.partition("Abstract: ")[2] for entry in announcements(base_url).entries]
    texts += [entry.content[0].value for entry in posts(base_url).entries]

    assert all(500 <= len(text) <= 1_000 for text in texts)
    assert len(set(texts)) == 14 + 12 - 3 + 6


@pytest.mark.parametrize("target", TARGETS)
def test_always_fresh(base_url: str, target: str) -> None:
    """No placeholder is left in what is served, and another day's feeds say another day."""
    today = Got(base_url, target).body
    with serve(NOW + timedelta(days=40)) as url:
        later = Got(url, target.replace("2026-11-20", "2026-12-30")).body

    assert b"day-" not in today
    assert b"2026-11" in today or b"Nov 2026" in today
    assert b"2026-12" in later or b"Dec 2026" in later


@pytest.mark.parametrize("target", TARGETS)
def test_unchanged(base_url: str, target: str) -> None:
    """Who has the feed already is told so without a body; who has another gets it whole."""
    first = Got(base_url, target)
    second = Got(base_url, target, etag=first.headers["ETag"])
    other = Got(base_url, target, etag='"another"')

    assert (first.status, second.status, other.status) == (200, 304, 200)
    assert second.body == b""
    assert second.headers["ETag"] == first.headers["ETag"]
    assert other.body == first.body


def test_head(base_url: str) -> None:
    """HEAD tells the length and sends nothing."""
    got = Got(base_url, "/feed.xml", method="HEAD")

    assert got.body == b""
    assert int(got.headers["Content-Length"]) == len(Got(base_url, "/feed.xml").body)


@pytest.mark.parametrize("target", ["/", "/rss", "/feed.xml/", "/../feeds.py", "/data/feed.xml"])
def test_nothing_else(base_url: str, target: str) -> None:
    """Any other address is not found."""
    assert Got(base_url, target).status == 404


def test_only_on_loopback(base_url: str) -> None:
    """The server listens on the loopback interface alone, and no longer than it is asked to."""
    with serve(NOW) as url:
        assert urlsplit(url).hostname == "127.0.0.1"
        assert urlsplit(url).port != urlsplit(base_url).port

    with pytest.raises(ConnectionRefusedError):
        Got(url, "/feed.xml")
