from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.codec import decode, encode
from newsletter.language import speak
from newsletter.model import Edition, Issue, Newsletter, Rendered, Section, Token, WhenEmpty
from newsletter.render import phrases
from newsletter.render.budget import HTML_LIMIT
from newsletter.render.edition import Cutting
from newsletter.render.issue import Render
from newsletter.tailor import whole
from tests.builders import a_newsletter

CASES = Path(__file__).parents[1] / "data" / "issues"
A_WEEKDAY = decode(Issue, (CASES / "a-weekday" / "issue.json").read_text("utf-8"))
THEMES = ("papers", "news", "plain")


def with_preheader(issue: Issue, newsletter: Newsletter) -> Issue:
    """The issue with the preheader that composing gives it."""
    return replace(issue, preheader=phrases.preheader(speak(issue.language), issue.sections, newsletter.noun))


def some(issue: Issue, *counts: int) -> Edition:
    """The last so many stories of each section."""
    pairs = zip(whole(issue).sections, counts, strict=True)
    return Edition(sections=tuple((topic, keys[len(keys) - count :]) for (topic, keys), count in pairs if count))


@pytest.mark.parametrize("theme", THEMES)
def test_the_edition_of_everything_says_the_same(
    theme: str, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """An edition of all stories is the whole issue, word for word: both ways of counting agree."""
    newsletter = replace(newsletter, theme=theme)
    issue = with_preheader(A_WEEKDAY, newsletter)
    rendered = render.issue(issue, newsletter=newsletter)
    cut = Cutting(rendered, issue, newsletter).of(whole(issue))

    assert cut.subject == rendered.subject
    assert render.preview(cut, tokens) == render.preview(rendered, tokens)


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_for_somebody_is_what_nothing_for_all_would_be(
    theme: str, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """But for what is on the web; where no such mail is sent none is rendered, and no second one of an empty issue."""
    newsletter = replace(newsletter, theme=theme, when_empty=WhenEmpty.SEND)
    issue = with_preheader(A_WEEKDAY, newsletter)
    empty = with_preheader(replace(issue, sections=()), newsletter)
    nothing = render.issue(issue, newsletter=newsletter).nothing
    expected = render.issue(empty, newsletter=newsletter)

    assert nothing is not None
    assert decode(Rendered, encode(Rendered(subject="", fragments=(), nothing=nothing))).nothing == nothing
    assert nothing.subject == expected.subject == f"{newsletter.title}: nothing new"
    html, text = render.preview(nothing, tokens)
    more = re.compile(r"[0-9]+ more papers on the web")
    assert [more.sub("This issue on the web", part) for part in (html, text)] == [*render.preview(expected, tokens)]
    assert more.search(text)
    assert text.startswith("Nothing new today.\n")
    assert expected.nothing is None
    assert render.issue(issue, newsletter=replace(newsletter, when_empty=WhenEmpty.SKIP)).nothing is None
    said = replace(issue, preheader="Read this first.")
    own = render.issue(said, newsletter=newsletter).nothing
    assert own is not None
    assert render.preview(own, tokens)[1].startswith("Read this first.\n")


@pytest.mark.parametrize("theme", THEMES)
def test_an_edition_is_what_its_stories_alone_would_be(
    theme: str,
    render: Render,
    tokens: dict[Token, str],
    an_issue: Callable[..., Issue],
    a_section: Callable[..., Section],
) -> None:
    """Its words, counts and places in the text are those of an issue of these stories, but for what is on the web."""
    newsletter = a_newsletter(theme=theme)
    full = with_preheader(an_issue(a_section("a", 3), a_section("b", 2, more=4), a_section("c", 2)), newsletter)
    edition = some(full, 1, 2, 0)
    a, b, _ = full.sections
    alone = with_preheader(
        replace(full, sections=(replace(a, stories=a.stories[2:], more=2), replace(b, more=4))), newsletter
    )

    rendered = Cutting(render.issue(full, newsletter=newsletter), full, newsletter).of(edition)
    expected = render.issue(alone, newsletter=newsletter)

    text, other = (render.preview(each, tokens)[1] for each in (rendered, expected))
    # A section of which the whole issue shows everything says nothing of the web; the foot counts other topics, too.
    told = other.replace(f"2 more in A on the web:\n{tokens[Token.WEB_URL]}\n\n", "")
    assert rendered.subject == expected.subject == "Daily Papers: A title 2 and 2 more"
    assert text == told.replace("6 more papers on the web:", "8 more papers on the web:")
    html = BeautifulSoup(render.preview(rendered, tokens)[0], "html.parser").get_text(" ", strip=True)
    assert "3 papers" in html
    assert "4 more in B on the web" in html
    assert not re.search("Top three|7 papers|3 topics", html)


def test_words_are_in_the_issues_language(
    render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """A German issue counts in German, in an edition too."""
    full = with_preheader(replace(an_issue(a_section("a", 3), a_section("b", 2)), language="de"), newsletter)
    cut = Cutting(render.issue(full, newsletter=newsletter), full, newsletter).of(some(full, 2, 0))

    html, text = render.preview(cut, dict.fromkeys(Token, "https://papers.example.org/x"))
    assert cut.subject == "Daily Papers: A title 1 und 1 weiterer"
    assert text.startswith("2 Artikel: A\n")
    assert "3 weitere Artikel" in html
    assert "3 weitere Artikel" in text


def test_what_an_editor_says_stays(
    render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """A preheader in somebody's own words is every edition's."""
    full = an_issue(a_section("a", 3), preheader="Read this first.")
    cut = Cutting(render.issue(full, newsletter=newsletter), full, newsletter).of(some(full, 1))

    assert render.preview(cut, dict.fromkeys(Token, "x"))[1].startswith("Read this first.\n")


def test_the_best_stand_there_all_or_not_at_all(render: Render, newsletter: Newsletter) -> None:
    """Nothing is called the top three that is two of them, nor what one sees at once."""
    rendered = render.issue(A_WEEKDAY, newsletter=newsletter)
    cutting = Cutting(rendered, A_WEEKDAY, newsletter)
    best = [fragment.key for fragment in rendered.fragments if fragment.kind == "top" and fragment.key]

    def top(edition: Edition) -> list[str]:
        return [fragment.key for fragment in cutting.of(edition).fragments if fragment.kind == "top"]

    def without(*keys: str) -> Edition:
        parts = ((topic, tuple(key for key in told if key not in keys)) for topic, told in whole(A_WEEKDAY).sections)
        return Edition(sections=tuple((topic, told) for topic, told in parts if told))

    others = [story.key for story in A_WEEKDAY.stories if story.key not in best]
    assert top(whole(A_WEEKDAY)) == ["", *best]
    assert top(without(others[0])) == ["", *best]
    assert top(without(best[1])) == []
    assert top(without(*others)) == []


def test_only_what_the_mail_shows_is_cut(
    render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """Stories that the mail had no room for are on the web, in each edition too, and counted there."""
    full = an_issue(a_section("a", 60, title="A long title " * 20), a_section("b", 60, title="A long title " * 20))
    cutting = Cutting(render.issue(full, newsletter=newsletter), full, newsletter)
    shown = cutting.shown
    cut = cutting.of(some(shown, 1, 0))

    assert 0 < len(shown.stories) < 120
    assert "119 more papers on the web" in render.preview(cut, dict.fromkeys(Token, "x"))[1]


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_edition_is_whole(render: Render, newsletter: Newsletter, data: st.DataObject) -> None:
    """Whatever is left out: each story stands once, links in the mail lead somewhere, it closes what it opens."""
    issue = A_WEEKDAY
    rendered = render.issue(issue, newsletter=newsletter)
    counts = [data.draw(st.integers(0, len(section.stories))) for section in issue.sections]
    edition = some(issue, *counts)
    cut = Cutting(rendered, issue, newsletter).of(edition)
    html, text = render.preview(cut, dict.fromkeys(Token, "https://papers.example.org/x"))
    page = BeautifulSoup(html, "html.parser")

    assert [fragment.key for fragment in cut.fragments if fragment.kind == "story"] == list(edition.stories)
    assert all(page.find(id=link["href"][1:]) for link in page.select('a[href^="#"]'))
    assert len(re.findall(r"<t(?:able|r|d)\b", html)) == len(re.findall(r"</t(?:able|r|d)>", html))
    assert len(html.encode()) <= HTML_LIMIT
    assert decode(Rendered, encode(cut)) == cut
    for story in issue.stories:
        assert (story.url in text) == (story.key in edition.stories)
