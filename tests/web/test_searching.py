"""The search page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import Newsletter
from newsletter.web.searching import read_asked
from tests.web.issues import an_entry_about, collect
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
