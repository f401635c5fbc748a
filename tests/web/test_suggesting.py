"""Readers suggest links by the link in their mail; the editor has them in a queue with two buttons beside each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from newsletter import operators, suggestions
from newsletter.links import Purpose
from newsletter.store.suggestions import WAITING, Suggestion
from newsletter.suggestions import ALLOWED, NOTE
from tests.builders import DAY, a_story
from tests.web.issues import an_entry_about, collect, publish
from tests.web.readers import path
from tests.web.websites import Answer, Website, open_website
from tests.workspaces import asking

QUEUE = "/operator/daily-papers/suggestions"
PAPER = "https://arxiv.org/abs/2611.00001"
EVIL = '<script>alert(1)</script>"><img src=x>{{ 7*7 }}'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Website]:
    """A site with two readers and an operator."""
    with open_website(tmp_path, readers=2, plan=asking()) as website:
        operators.add(website.app.store, "ann", "a long enough one", now=website.now)
        yield website


def reader(site: Website, number: int = 0) -> int:
    """A reader's number."""
    return site.app.store.subscribers.get(f"reader{number:03d}@example.org")


def page(site: Website, number: int = 0) -> str:
    """The page where they suggest."""
    return path(site, Purpose.PREFERENCES, reader(site, number)) + "/suggest"


def suggest(site: Website, link: str, *, by: int = 0, **fields: str) -> Answer:
    """The form, filled in."""
    return site.post(page(site, by), {"link": link, **fields})


def waiting(site: Website) -> list[Suggestion]:
    """What the editor has before them."""
    return site.app.store.suggestions.list("daily-papers", state=WAITING)


def session(site: Website) -> str:
    """Ann's."""
    form = {"name": "ann", "password": "a long enough one"}
    return site.post("/operator/login", form, Origin=site.url).headers["Set-Cookie"].partition(";")[0]


def test_a_reader_suggests_a_link(site: Website) -> None:
    """From the page of their choices, and sees what became of it; looking at the page changes nothing."""
    assert page(site) in site.get(page(site).removesuffix("/suggest")).text
    for _ in range(2):
        assert "Suggest a link" in site.get(page(site)).text
        assert site.ask("HEAD", page(site)).status == 200
    assert waiting(site) == []

    assert "It waits for the editor" in suggest(site, PAPER, note="Read the appendix").text
    assert "You suggested this before" in suggest(site, "arXiv:2611.00001v3").text
    assert "Another reader suggested it too" in suggest(site, PAPER, by=1).text
    (one,) = waiting(site)
    assert (one.readers, one.notes) == (2, ("Read the appendix",))
    assert "waits for the editor</span>" in site.get(page(site)).text

    suggestions.decline(site.app, one.id, who="ann", now=site.now)
    assert "not taken</span>" in site.get(page(site)).text
    assert "did not take it" in suggest(site, PAPER).text
    suggestions.approve(site.app, one.id, title="On cups", who="ann", now=site.now)
    assert "and taken" in suggest(site, PAPER, by=1).text
    assert "taken, for one of the next issues" in site.get(page(site)).text


def test_what_was_told_is_not_suggested_again(site: Website) -> None:
    """It is said in which issue it stood, whatever address it is called by; of theirs, too."""
    suggest(site, "https://example.org/told", title="Told")
    (one,) = waiting(site)
    entry = suggestions.approve(site.app, one.id, who="ann", now=site.now)
    collect(site, an_entry_about(2, "birds"))
    story = a_story(1, key=entry.key, title="Told", mentions=())
    publish(site, story, a_story(2), day=date(2026, 11, 18))

    for link in ("https://example.org/told?utm_source=x", "https://huggingface.co/papers/2611.00002"):
        answer = suggest(site, link, by=1).text
        assert "This was told already" in answer
        assert "/daily-papers/morning/2026-11-18" in answer
    assert waiting(site) == []
    assert "told: Wednesday, 18 November 2026" in site.get(page(site)).text
    assert "suggested by a reader" in site.get("/daily-papers/search?q=told").text


def test_a_form_that_is_not_right_says_what_is_wrong(site: Website) -> None:
    """Beside the field, with what was typed; nothing is kept."""
    for link in ("", "example.org", "http://127.0.0.1/", "javascript:alert(1)", EVIL):
        answer = suggest(site, link, title="A title")
        assert answer.status == 400
        assert "begins with https://" in answer.text
        assert 'value="A title"' in answer.text
        assert "<script" not in answer.text
    assert "At most 500 characters." in suggest(site, PAPER, note="a" * (NOTE + 1)).text
    assert "At most 300 characters." in suggest(site, PAPER, title="a" * 301).text
    assert waiting(site) == []


def test_a_reader_may_suggest_so_much_a_day(site: Website) -> None:
    """Then they are told from when they may again."""
    for number in range(ALLOWED.most):
        suggest(site, f"https://example.org/{number}")

    limited = suggest(site, "https://example.org/more").text

    assert "as much as one reader may suggest in a day" in limited
    assert "(UTC)" in limited
    assert len(waiting(site)) == ALLOWED.most
    site.pass_time(DAY)
    assert "It waits for the editor" in suggest(site, "https://example.org/more").text


def test_who_is_no_reader_suggests_nothing(site: Website) -> None:
    """Nor by a damaged link, or one for something else, nor where nothing is taken."""
    token = page(site).split("/")[2]
    other = path(site, Purpose.UNSUBSCRIBE, reader(site)).split("/")[2]
    for wrong in (page(site).replace(token, token[:-2] + "AA"), page(site).replace(token, other)):
        assert site.get(wrong).status == 404
        assert site.post(wrong, {"link": PAPER}).status == 404
    headers = site.get(page(site)).headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")

    site.app.store.subscribers.leave(reader(site), newsletter="daily-papers", now=site.now)
    assert suggest(site, PAPER).status == 404
    plan = site.app.plan
    deaf = replace(plan.newsletters["daily-papers"], suggestions="")
    site.site.app = replace(site.app, plan=replace(plan, newsletters={"daily-papers": deaf}))
    assert suggest(site, PAPER, by=1).status == 404
    assert "/suggest" not in site.get(path(site, Purpose.PREFERENCES, reader(site, 1))).text
    assert waiting(site) == []


# --- the editor -----------------------------------------------------------------------------------------------------


def test_the_editor_approves_and_declines(site: Website) -> None:
    """From the overview to the queue, and by a title; what was decided is shown with who did."""
    suggest(site, "https://example.org/maps", title="Maps", note=EVIL)
    suggest(site, "https://example.org/ads", title=EVIL)
    maps, ads = waiting(site)
    ann = session(site)
    assert "2 suggestions wait" in site.get("/operator", Cookie=ann).text
    shown = site.get(QUEUE, Cookie=ann).text
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;" in shown

    approve = {"do": "approve", "suggestion": str(maps.id), "title": "Maps for walkers"}
    assert site.post(QUEUE, approve, Origin=site.url, Cookie=ann).status == 303
    assert site.post(QUEUE, {"do": "decline", "suggestion": str(ads.id)}, Origin=site.url, Cookie=ann).status == 303

    assert waiting(site) == []
    (entry,) = site.app.store.entries.candidates(["suggested"], since=site.now - DAY, until=site.now)
    assert entry.entry.title == "Maps for walkers"
    shown = site.get(QUEUE, Cookie=ann).text
    assert "approved by ann" in shown
    assert "declined by ann" in shown
    assert "0 suggestions wait" in site.get("/operator", Cookie=ann).text


def test_what_cannot_be_done_is_said(site: Website) -> None:
    """And nothing is."""
    suggest(site, "https://example.org/maps")
    (one,) = waiting(site)
    ann = session(site)
    senseless: list[tuple[dict[str, str], str]] = [
        ({"do": "approve", "suggestion": str(one.id)}, "give it a title"),
        ({"do": "approve", "suggestion": "99", "title": "x"}, "there is no suggestion 99"),
        ({"do": "decline", "suggestion": "99"}, "there is no suggestion 99"),
        ({"do": "decline", "suggestion": "-1"}, "could not be read"),
        ({"do": "everything"}, "could not be read"),
    ]
    for form, words in senseless:
        answer = site.post(QUEUE, form, Origin=site.url, Cookie=ann)
        assert answer.status == 400
        assert words in answer.text
    assert waiting(site) == [one]


def test_nobody_else_decides(site: Website) -> None:
    """Not a stranger, and not another site with an operator's cookie."""
    suggest(site, "https://example.org/maps", title="Maps")
    (one,) = waiting(site)
    form = {"do": "decline", "suggestion": str(one.id)}
    assert site.get(QUEUE).headers["Location"] == "/operator/login"
    assert site.post(QUEUE, form, Origin=site.url).status == 403
    assert site.post(QUEUE, form, Origin="https://evil.example", Cookie=session(site)).status == 403
    assert waiting(site) == [one]
