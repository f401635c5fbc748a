"""Back issues, stories, topics: what anybody may read."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from newsletter.back_issues import period_of, read_period
from newsletter.errors import NotFound
from newsletter.model import Link
from newsletter.permalinks import read_permalink
from newsletter.web.addresses import story_path
from tests.builders import a_story
from tests.web.issues import an_entry_about, collect, publish, voted
from tests.web.websites import Website

DAY = date(2026, 11, 18)


def test_the_front_page_shows_the_latest_issue(website: Website) -> None:
    """And before the first says that it is still to come."""
    assert "The first issue is still to come." in website.get("/").text

    publish(website, voted(1, 3, title="Old news"), day=DAY)
    publish(website, voted(2, 3, title="Fresh news"), day=DAY + timedelta(days=1))
    page = website.get("/daily-papers").text

    assert "Fresh news" in page
    assert "Old news" not in page


def test_an_issue_has_the_address_that_mails_give(website: Website) -> None:
    """With every story of it."""
    slot = publish(website, a_story(1), a_story(2), day=DAY)

    page = website.get(website.app.links.archive_url("daily-papers", slot.key))

    assert page.status == 200
    assert "Paper number 1" in page.text
    assert "Paper number 2" in page.text


def test_an_archive_page_knows_nobody(website: Website) -> None:
    """No token, name, address or way to unsubscribe: it is made of the issue, not of a mail."""
    website.app.store.subscribers.ensure(["ann@example.org"], now=website.now)
    slot = publish(website, a_story(1), day=DAY)

    page = website.get(f"/daily-papers/{slot.key}").text

    for word in ("unsubscribe", "preferences", "ann@", "[[", "{{"):
        assert word not in page


def test_a_copy_for_named_people_is_not_public(website: Website) -> None:
    """Neither listed nor found by its address."""
    slot = publish(website, a_story(1, title="For your eyes"), day=DAY, copy=True)

    assert website.get(f"/daily-papers/{slot.key}").status == 404
    assert "For your eyes" not in website.get("/daily-papers").text
    assert DAY.isoformat() not in website.get("/daily-papers/archive").text
    assert "For your eyes" not in website.get("/daily-papers/archive/2026-11").text
    assert slot.key not in website.get("/daily-papers/feed.atom").text


def test_a_month_ranks_what_its_days_told(website: Website) -> None:
    """Each story once, those with the most votes first, whichever day had them."""
    publish(website, voted(1, 5, title="Five"), voted(2, 50, title="Fifty"), day=DAY)
    publish(website, voted(3, 20, title="Twenty"), voted(1, 5, title="Five"), day=DAY + timedelta(days=1))

    page = website.get("/daily-papers/archive/2026-11").text

    assert [page.count(f">{title}</a>") for title in ("Fifty", "Twenty", "Five")] == [1, 1, 1]
    assert page.index(">Fifty<") < page.index(">Twenty<") < page.index(">Five<")


def test_votes_that_came_later_count(website: Website) -> None:
    """An issue is frozen; what its stories are worth is not."""
    publish(website, voted(1, 5, title="Slow start"), voted(2, 9, title="Quick start"), day=DAY)
    collect(website, an_entry_about(1, "birds", key="arxiv:2611.00001", signals=voted(1, 70).signals))

    page = website.get("/daily-papers/archive/2026-W47").text

    assert page.index(">Slow start<") < page.index(">Quick start<")
    assert "70 upvotes" in page


@pytest.mark.parametrize("period", ["2026-11-17", "2026-W46", "2026-10"])
def test_a_time_without_issues_says_so(website: Website, period: str) -> None:
    """It is a page like any other."""
    publish(website, a_story(1), day=DAY)

    page = website.get(f"/daily-papers/archive/{period}")

    assert page.status == 200
    assert "Nothing came out then." in page.text


@pytest.mark.parametrize("period", ["2026-02-30", "2026-13", "2026-W54", "yesterday", "0000-00", "2026-1-1"])
def test_a_time_that_is_none_is_not_found(website: Website, period: str) -> None:
    """Whatever is written there."""
    assert website.get(f"/daily-papers/archive/{period}").status == 404


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 1, 1)), st.sampled_from(["day", "week", "month"]))
def test_periods_follow_each_other(day: date, kind: str) -> None:
    """Without a gap or an overlap, and each is read back from its name."""
    period = period_of(day, kind)

    assert period.first <= day <= period.last
    assert period.after.first == period.last + timedelta(days=1)
    assert period.after.before == period
    assert read_period(period.name) == period


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_every_key_has_an_address(key: str) -> None:
    """And is read back from it; the address is one path without a query. It is a text that a database can keep."""
    path = story_path("daily-papers", key)

    assert path.startswith("/daily-papers/stories/")
    assert not set(path) & set("?#% \n")
    assert "//" not in path
    assert read_permalink(path.removeprefix("/daily-papers/stories/")) == key


def test_an_address_that_is_no_story_is_not_found() -> None:
    """Damaged or made up."""
    for text in ("~\x80", "~7aCA", "~AA", "a\0"):
        with pytest.raises(NotFound):
            read_permalink(text)


def test_a_story_has_a_page(website: Website) -> None:
    """With its abstract, where it was told, and what is like it."""
    birds = [an_entry_about(number, "birds", key=f"arxiv:2611.{number:05d}") for number in (1, 2, 3)]
    collect(website, *birds, an_entry_about(9, "bread"))
    publish(website, a_story(1, title=birds[0].title), day=DAY)

    page = website.get("/daily-papers/stories/arxiv:2611.00001")

    assert page.status == 200
    assert "ornithologists count nests" in page.text
    assert "Wednesday, 18 November 2026" in page.text
    assert page.text.index("More like this") < page.text.index("Birds, part 2")


def test_a_story_that_has_left_the_archive_is_still_told(website: Website) -> None:
    """By the issue it stood in."""
    publish(website, a_story(7), day=DAY)

    page = website.get("/daily-papers/stories/arxiv:2611.00007")

    assert page.status == 200
    assert "Paper number 7" in page.text


def test_a_story_of_another_source_is_not_shown(website: Website) -> None:
    """One newsletter does not show what another reads."""
    collect(website, an_entry_about(1, "birds", source="secret"))

    assert website.get("/daily-papers/stories/arxiv:2611.00001").status == 404
    assert "Birds" not in website.get("/daily-papers/search?q=birds").text


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 77 * 777 }}"


def test_what_a_feed_says_stays_text(website: Website) -> None:
    """Markup, template syntax and addresses that are no web addresses do nothing on any page."""
    story = a_story(
        1,
        title=HOSTILE,
        summary=HOSTILE,
        tldr=HOSTILE,
        authors=(HOSTILE,),
        tags=(HOSTILE,),
        url="javascript:alert(1)",
        links=(Link(rel=HOSTILE, url="data:text/html,x"), Link(rel=HOSTILE, url="https://example.org/\"onclick='x'")),
    )
    slot = publish(website, story, day=DAY)
    collect(website, replace(an_entry_about(1, "birds"), title=HOSTILE, summary=HOSTILE, url="javascript:alert(1)"))

    for path in (
        slot.key,
        "archive/2026-11",
        "stories/arxiv:2611.00001",
        "search?q=script",
        "",
        "feed.atom",
    ):
        page = website.get(f"/daily-papers/{path}".rstrip("/")).text
        assert "<script" not in page.replace('<script src="/static', "")
        assert "<img" not in page
        assert 'href="javascript' not in page
        assert 'href="data' not in page
        assert " onclick" not in page
        assert "59829" not in page


def test_topics_have_pages(website: Website) -> None:
    """Those of the newsletter, and no others."""
    collect(website, an_entry_about(1, "birds", title="An LLM for birds", summary="A large language model, an LLM."))

    page = website.get("/daily-papers/topics/models")

    assert "An LLM for birds" in page.text
    assert "Language models" in website.get("/daily-papers/topics").text
    assert website.get("/daily-papers/topics/other").status == 404


def test_a_page_that_one_has_is_not_sent_again(website: Website) -> None:
    """304 for the tag of the last answer, all of it for any other."""
    publish(website, a_story(1), day=DAY)
    first = website.get("/daily-papers")

    again = website.get("/daily-papers", If_None_Match=f'"x", W/{first.headers["ETag"]}')
    other = website.get("/daily-papers", If_None_Match='"x"')

    assert (again.status, again.body) == (304, b"")
    assert (other.status, other.body) == (200, first.body)


def test_an_issue_has_a_picture(website: Website) -> None:
    """Of the size that sites ask for, whatever its stories are called."""
    slot = publish(
        website, a_story(1, title="word " * 80), a_story(2, title="W" * 300), a_story(3), a_story(4), day=DAY
    )

    answer = website.get(f"/daily-papers/{slot.key}.png")

    assert answer.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(answer.body)).size == (1200, 630)
    assert (
        f'og:image" content="{website.url}/daily-papers/{slot.key}.png"'
        in website.get(f"/daily-papers/{slot.key}").text
    )


def test_about_keeps_keys_to_itself(website: Website) -> None:
    """The address of a feed that has a password in it is not shown, in the page or the list."""
    plan = website.app.plan
    saved = replace(plan.sources["saved"], kind="feed", options={"url": "https://me:secret@example.org/feed"})
    website.site.app = replace(website.app, plan=replace(plan, sources={"saved": saved}))

    assert "secret" not in website.get("/daily-papers/about").text
    assert "secret" not in website.get("/daily-papers/sources.opml").text
