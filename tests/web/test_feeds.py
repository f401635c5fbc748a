"""Feeds out: of issues, topics, searches."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import feedparser
import pytest

from newsletter.web.feeds import ENTRIES, LARGEST
from tests.builders import a_story
from tests.web.issues import an_entry_about, collect, publish
from tests.web.websites import Website, open_website

DAY = date(2026, 11, 18)
FEEDS = ("feed", "topics/models/feed", "search/feed")


def test_issues_come_as_atom(website: Website) -> None:
    """Which a strict reader of feeds takes without complaint, the newest first."""
    publish(website, a_story(1, title="Cats & <dogs>"), day=DAY)
    publish(website, a_story(2), day=DAY + timedelta(days=1))

    answer = website.get("/daily-papers/feed.atom")
    feed = feedparser.parse(answer.body)

    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    assert not feed.bozo
    assert [entry.link for entry in feed.entries] == [
        f"{website.url}/daily-papers/morning/2026-11-19",
        f"{website.url}/daily-papers/morning/2026-11-18",
    ]
    assert "Cats &amp; &lt;dogs&gt;" in feed.entries[1].content[0].value
    assert feed.feed.id == f"{website.url}/daily-papers"


def test_issues_come_as_json(website: Website) -> None:
    """With what JSON Feed 1.1 requires."""
    publish(website, a_story(1), day=DAY)

    told = json.loads(website.get("/daily-papers/feed.json").text)

    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert told["feed_url"] == f"{website.url}/daily-papers/feed.json"
    (item,) = told["items"]
    assert item["id"] == item["url"] == f"{website.url}/daily-papers/morning/2026-11-18"
    assert "Paper number 1" in item["content_html"]


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("kind", ["atom", "json"])
def test_a_feed_that_one_has_is_not_sent_again(website: Website, feed: str, kind: str) -> None:
    """Every kind of each."""
    publish(website, a_story(1), day=DAY)
    path = f"/daily-papers/{feed}.{kind}?q=paper"
    first = website.get(path)

    assert first.status == 200
    assert website.get(path, If_None_Match=first.headers["ETag"]).status == 304


def test_a_topic_and_a_search_can_be_followed(website: Website) -> None:
    """By their stories, which the page of each shows."""
    collect(website, an_entry_about(1, "birds", title="An LLM for birds", summary="A large language model, an LLM."))

    for path in ("topics/models/feed.atom", "search/feed.atom?q=birds"):
        feed = feedparser.parse(website.get(f"/daily-papers/{path}").body)
        assert [entry.title for entry in feed.entries] == ["An LLM for birds"]
        assert feed.entries[0].link == f"{website.url}/daily-papers/stories/arxiv:2611.00001"


def test_a_feed_is_short(website: Website) -> None:
    """In entries and in bytes, however much there is."""
    for number in range(ENTRIES + 5):
        stories = [a_story(100 * number + story, title="x" * 290, tldr="y" * 3900) for story in range(12)]
        publish(website, *stories, day=DAY + timedelta(days=number))

    answer = website.get("/daily-papers/feed.atom")

    assert len(answer.body) <= LARGEST
    assert 1 < len(feedparser.parse(answer.body).entries) <= ENTRIES


def test_what_is_no_xml_does_not_break_a_feed(website: Website) -> None:
    """Control characters that a source let through."""
    collect(website, an_entry_about(1, "birds", title="Birds\x0b\x01 and \ufffe nests", tags=("a\x02b",)))

    feed = feedparser.parse(website.get("/daily-papers/search/feed.atom?q=birds").body)

    assert not feed.bozo
    assert len(feed.entries) == 1


def test_a_hub_is_named_where_there_is_one(tmp_path: Path) -> None:
    """In the feed and in the header, as WebSub wants it."""
    with open_website(tmp_path, WEBSUB_HUB="https://hub.example.org/") as website:
        answer = website.get("/daily-papers/feed.atom")

        assert 'rel="hub" href="https://hub.example.org"' in answer.text
        assert 'rel="hub"' in answer.headers["Link"]


def test_oembed_describes_an_issue(website: Website) -> None:
    """By its picture, no larger than asked; an address elsewhere is not looked at."""
    slot = publish(website, a_story(1), day=DAY)
    url = f"{website.url}/daily-papers/{slot.key}"

    told = json.loads(website.get(f"/oembed?url={url}&maxwidth=600").text)

    assert told["type"] == "photo"
    assert (told["width"], told["height"]) == (600, 315)
    assert website.get(told["url"]).status == 200
    for other in (
        "https://evil.example/daily-papers/morning/2026-11-18",
        f"{website.url}/x/y",
        "",
        f"{website.url}@evil",
    ):
        assert website.get(f"/oembed?url={other}").status == 404
    assert website.get(f"/oembed?format=xml&url={url}").status == 501
