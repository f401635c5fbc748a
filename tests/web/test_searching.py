"""The search page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.archive import Archive
from newsletter.model import Newsletter
from newsletter.topics.embedders import Learning
from newsletter.web.searching import read_asked
from tests.archives import own_words
from tests.builders import a_story
from tests.web.issues import an_entry_about, collect, publish
from tests.web.websites import Website

NEWSLETTER = Newsletter(name="n", title="N", sender="n@example.org", topics=("models",), sources=("saved",))


def test_it_finds_by_words_author_and_day(website: Website) -> None:
    """Each alone, and together."""
    collect(website, an_entry_about(1, "birds", authors=("Ada Wren",)), an_entry_about(2, "bread", authors=("Bo Rye",)))

    for query in ("q=ornithologists", "author=Wren", "q=sea&author=wren&source=saved"):
        page = website.get(f"/daily-papers/search?{query}").text
        assert "Birds, part 1" in page
        assert "Bread" not in page or "author" not in query


def test_nothing_asked_is_only_the_form(website: Website) -> None:
    """And nothing found says so."""
    assert "Nothing was found" not in website.get("/daily-papers/search").text
    assert "Nothing was found" in website.get("/daily-papers/search?q=zebra&author=nobody").text


def test_a_field_that_makes_no_sense_is_named(website: Website) -> None:
    """The rest is answered."""
    collect(website, an_entry_about(1, "birds"))

    page = website.get("/daily-papers/search?q=birds&since=yesterday&topic=../etc").text

    assert "Not understood, and left out: since, topic" in page
    assert "Birds, part 1" in page


@pytest.mark.parametrize(
    "query", ["q=%00%ff", "q=%22%20OR%201%3D1--", "q=" + "a" * 5000, "q=(*)&author=%25", "q=a&q=b"]
)
def test_what_somebody_types_is_only_words(website: Website, query: str) -> None:
    """No query language of a database is reached, whatever is typed."""
    assert website.get(f"/daily-papers/search?{query}").status == 200


@given(st.dictionaries(st.sampled_from(["q", "since", "until", "topic", "source", "author"]), st.text(max_size=400)))
def test_a_form_is_read_whatever_is_in_it(fields: dict[str, str]) -> None:
    """Only what the newsletter knows gets through, in bounded length."""
    asked = read_asked(fields, newsletter=NEWSLETTER)

    assert len(asked.text) <= 300
    assert asked.topic in ("", "models")
    assert asked.source in ("", "saved")


def test_while_the_archive_is_read_nobody_waits(website: Website) -> None:
    """A search says so, a story is shown without what is like it, and neither is kept."""
    birds = [an_entry_about(number, "birds", key=f"arxiv:2611.{number:05d}") for number in (1, 2)]
    collect(website, *birds)
    publish(website, a_story(1), day=date(2026, 11, 18))
    begun, go_on = threading.Event(), threading.Event()

    def slow(kept: bytes, *, stories: int, texts: Callable[[int], Sequence[str]]) -> Learning:
        begun.set()
        go_on.wait(30)
        return own_words(kept, stories=stories, texts=texts)

    website.site.app = replace(website.app, archive=Archive(website.app.store, current=slow))
    reading = threading.Thread(target=website.site.app.archive.index)
    reading.start()
    begun.wait(30)
    search, story = "/daily-papers/search?q=birds", "/daily-papers/stories/arxiv:2611.00001"
    early = website.get(search)
    alone = website.get(story)
    go_on.set()
    reading.join()

    assert early.status == 503
    assert int(early.headers["Retry-After"]) > 0
    assert "In a moment it can be searched" in early.text
    assert alone.status == 200
    assert alone.headers["Cache-Control"] == "no-store"
    assert "More like this" not in alone.text
    assert "Birds, part 1" in website.get(search).text
    assert "More like this" in website.get(story).text
