from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import ANY

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.codec import decode
from newsletter.errors import RenderError
from newsletter.model import Issue, Link, Newsletter, Section, Signals, Slotted, Story, Token
from newsletter.render.budget import HTML_LIMIT
from newsletter.render.context import Context
from newsletter.render.issue import Render, open_render
from newsletter.render.plain import WIDTH, columns
from newsletter.render.sanitize import clean

CASES = sorted((Path(__file__).parents[1] / "data" / "issues").iterdir())
THEMES = ("papers", "news", "plain")
BASE_URL = "https://papers.example.org/"


class _Structure(HTMLParser):
    """The tags of a page with the names of their attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))


def _case(path: Path) -> Issue:
    return decode(Issue, (path / "issue.json").read_text())


def _links(html: str) -> set[str]:
    return {str(link["href"]) for link in BeautifulSoup(html, "html.parser").find_all("a", href=True)}


def _addresses(text: str) -> set[str]:
    return {line.strip() for line in text.split("\n") if line.strip().startswith(("http://", "https://"))}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_renders_as_expected(
    case: Path, theme: str, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """Each folder of tests/data/issues is an issue and the mails it gives; UPDATE_GOLDEN=1 writes them anew."""
    html, text = render.preview(render.issue(_case(case), newsletter=replace(newsletter, theme=theme)), tokens)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        (case / f"{theme}.html").write_text(html)
        (case / "expected.txt").write_text(text)
    assert html == (case / f"{theme}.html").read_text()
    assert text == (case / "expected.txt").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_parts_have_the_same_addresses(
    case: Path, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """Whoever reads the text finds every address of the HTML in it, whole and alone on a line, and no other."""
    html, text = render.preview(render.issue(_case(case), newsletter=newsletter), tokens)
    links = {link for link in _links(html) if not link.startswith("#")}
    assert links == _addresses(text)
    assert {tokens[Token.UNSUBSCRIBE_URL], tokens[Token.PREFERENCES_URL], tokens[Token.WEB_URL]} <= links
    assert {story.url for story in _case(case).stories if story.url.startswith("https://example.org/p")} <= links


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_text_fits_and_begins_with_the_preheader(
    case: Path, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """Text lines have at most 72 columns but for addresses; one signature mark stands before the foot's links."""
    issue = _case(case)
    text = render.preview(render.issue(issue, newsletter=newsletter), tokens)[1]
    assert " ".join(text.split("\n\n")[0].split()) == " ".join(issue.preheader.split())
    assert all(columns(line) <= WIDTH or line.strip().startswith("https://") for line in text.split("\n"))
    assert text.count("\n-- \n") == 1
    assert text.index("\n-- \n") < text.index(tokens[Token.UNSUBSCRIBE_URL])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fragments_are_head_sections_stories_and_foot(case: Path, render: Render, newsletter: Newsletter) -> None:
    """An issue is cut into its head, each section's heading, each story and its foot; each ends its last line."""
    issue = _case(case)
    fragments = render.issue(issue, newsletter=newsletter).fragments
    expected = [("head", "")]
    if len(issue.stories) > 6:
        best = [fragment.key for fragment in fragments if fragment.kind == "top" and fragment.key]
        assert [story.title for story in issue.stories if story.key == best[0]] == [issue.headline or ANY]
        expected += [("top", ""), *(("top", key) for key in best)]
    if len(issue.sections) > 1:
        expected += [("contents", ""), *(("contents", section.topic) for section in issue.sections), ("lead", "")]
    for section in issue.sections:
        expected += [("section", section.topic), *(("story", story.key) for story in section.stories)]
    assert [(fragment.kind, fragment.key) for fragment in fragments] == [*expected, ("foot", "")]
    for fragment in fragments:
        for pieces in (fragment.html, fragment.text):
            assert isinstance(pieces[-1], str)
            assert pieces[-1].endswith("\n")


def test_a_story_can_be_left_out(
    render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """A story's fragment is whole by itself: what it opens it closes, and it holds that story alone."""
    rendered = render.issue(an_issue(a_section("a", 2), a_section("b", 1)), newsletter=newsletter)
    (story,) = (fragment for fragment in rendered.fragments if fragment.key == "a:1")
    (html,) = story.html
    assert str(html).count("<tr>") == str(html).count("</tr>") == 1
    assert re.findall("A title .", str(html)) == ["A title 1"]
    rest = "".join(str(piece) for part in rendered.fragments if part is not story for piece in part.text)
    assert "A title 1" not in rest


def test_reader_values_are_slots(render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue]) -> None:
    """What differs between readers is a slot in both parts, never text."""
    rendered = render.issue(an_issue(), newsletter=newsletter)
    for bodies in ([part.html for part in rendered.fragments], [part.text for part in rendered.fragments]):
        slots = {piece.token for body in bodies for piece in body if isinstance(piece, Slotted)}
        assert slots == set(Token) - {Token.NAME}


_NASTY = [
    '"', "'", "<script>alert(1)</script>", "{{ 7*7 }}", "{% for x in y %}", "{# x #}", "<mj-raw>", "</td></tr></table>",
    "<!--", "-->", "<![endif]-->", "&quot;", "&lt;", "[[0123456789abcdef:web_url]]", "[[:cut:0]]", "\u00a0", "\u200d",
    "\u202e", "\u200f", "\x92", "\x00", "\r\nBcc: x@example.org", "\\", "`", "javascript:", "\ud800", "\\1", "%s",
]  # fmt: skip
_TEXT = st.lists(st.sampled_from(_NASTY) | st.text(max_size=8), max_size=5).map(lambda parts: "x" + "".join(parts))


def _story(text: str) -> Story:
    return Story(
        key=text,
        title=text,
        url=f"https://example.org/{text}",
        summary=text,
        authors=(text,),
        signals=Signals(upvotes=1),
        links=(Link(rel=text, url=f"https://example.org/links/{text}"),),
    )


def _page(render: Render, newsletter: Newsletter, issue: Issue, tokens: dict[Token, str]) -> str:
    return render.preview(render.issue(issue, newsletter=newsletter), tokens)[0]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_TEXT)
def test_hostile_text_stays_text(
    text: str, render: Render, newsletter: Newsletter, tokens: dict[Token, str], an_issue: Callable[..., Issue]
) -> None:
    """Whatever a feed or a reader's name holds, the page has the tags and attributes it has with harmless text."""

    def page(words: str) -> str:
        section = Section(topic=words, title=words, stories=(_story(words),), more=1)
        own = replace(newsletter, title=words, address=words)
        return _page(render, own, an_issue(section, preheader=words), dict.fromkeys(tokens, words))

    hostile = page(text)
    assert _Structure(hostile).tags == _Structure(page("x")).tags
    title = BeautifulSoup(hostile, "html.parser").find("h3")
    assert isinstance(title, Tag)
    assert title.get_text().strip("\n") == clean(text, 300)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", _page(render, newsletter, an_issue(), tokens))


def test_hostile_addresses_are_no_links(
    render: Render, newsletter: Newsletter, tokens: dict[Token, str], an_issue: Callable[..., Issue]
) -> None:
    """A story whose address no browser should follow is shown without a link."""
    story = replace(_story("x"), url="javascript:alert(1)", links=(Link(rel="code", url="data:text/html,x"),))
    page = _page(render, newsletter, an_issue(Section(topic="t", title="T", stories=(story,))), tokens)
    assert all(link.startswith(("https://papers.example.org/", "#")) for link in _links(page))


def test_subjects_are_one_clean_line(render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue]) -> None:
    """A title cannot add a header to the mail, and the subject fits a line."""
    story = Story(key="k", title="Top\r\nBcc: victim@example.org\x00 " + "word " * 50, url="")
    section = Section(topic="t", title="T", stories=(story, replace(story, key="l")))
    subject = render.issue(an_issue(section), newsletter=newsletter).subject
    assert subject.startswith("Daily Papers: Top Bcc: victim@example.org word")
    assert subject.endswith("… and 1 more")
    assert len(subject) <= 78


def _size(render: Render, newsletter: Newsletter, issue: Issue) -> tuple[int, int]:
    """Bytes of the HTML with long values in its slots, and how many stories are in it."""
    rendered = render.issue(issue, newsletter=newsletter)
    html, _ = render.preview(rendered, dict.fromkeys(Token, "https://papers.example.org/" + "a" * 480))
    return len(html.encode()), sum(fragment.kind == "story" for fragment in rendered.fragments)


def test_five_hundred_stories_fit(
    render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """Of more stories than a mail can hold, as many are shown as fit and the others are counted, in every section."""
    issue = an_issue(*(a_section(topic, count, summary="Ünïcode. " * 30) for topic, count in (("a", 480), ("b", 20))))
    size, shown = _size(render, newsletter, issue)
    assert HTML_LIMIT * 0.9 < size <= HTML_LIMIT
    assert 30 < shown < 120
    html = "".join(str(piece) for part in render.issue(issue, newsletter=newsletter).fragments for piece in part.html)
    assert f"{500 - shown:,} more papers on the web" in html
    assert "more in A on the web" in html


def test_a_section_for_each_story_fits(
    render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """When every section has but one story, whole sections are left out and still counted at the end."""
    size, shown = _size(render, newsletter, an_issue(*(a_section(f"topic{n}", 1, more=1) for n in range(500))))
    assert size <= HTML_LIMIT
    assert 10 < shown < 200


def test_huge_texts_fit(render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue]) -> None:
    """Titles of 10 kB, 664 authors and endless summaries are cut, so that a few such stories cannot fill the mail."""
    giant = '"' * 10_000
    stories = tuple(
        replace(_story(giant), key=str(n), url=f"https://example.org/{n}", authors=(giant,) * 664) for n in range(20)
    )
    section = Section(topic="t", title=giant, stories=stories)
    huge = replace(newsletter, title=giant, address=giant)
    size, shown = _size(render, huge, an_issue(section, preheader=giant))
    assert size <= HTML_LIMIT
    assert shown >= 10


def _theme(folder: Path, *, html: str, text: str) -> None:
    theme = folder / "email" / "papers"
    theme.mkdir(parents=True)
    page = "<mjml><mj-body><mj-section><mj-column><mj-raw>\n{}\n</mj-raw></mj-column></mj-section></mj-body></mjml>"
    (theme / "issue.mjml.j2").write_text(page.format(html))
    (theme / "issue.txt.j2").write_text(text)


_CUTS = (
    "{% for s in sections %}{{ cut('section', s.topic) }}"
    "{% for t in s.stories %}{{ cut('story', t.key) }}{{ t.title }}{% endfor %}{% endfor %}{{ cut('foot') }}"
)


def test_the_operators_folder_comes_first(
    tmp_path: Path, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """A theme in the operator's folder stands for the bundled one of the same name."""
    _theme(tmp_path, html=f"<tr><td>own {_CUTS}</td></tr>", text=f"own {_CUTS}")
    render = open_render([tmp_path], base_url=BASE_URL)
    html, text = render.preview(render.issue(an_issue(a_section("a", 1)), newsletter=newsletter), {})
    assert "own" in html
    assert text == "own\n\nA title 0\n\n"


@pytest.mark.parametrize("cuts", ["", "{{ cut('foot') }}", _CUTS.replace("{{ cut('foot') }}", ""), _CUTS + _CUTS])
def test_missing_cuts_are_an_error(
    cuts: str, tmp_path: Path, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """A theme that does not cut at every section, story and foot, once and in order, is refused by name."""
    _theme(tmp_path, html=_CUTS, text=cuts)
    with pytest.raises(RenderError, match=r"email/papers/issue\.txt\.j2: cuts"):
        open_render([tmp_path], base_url=BASE_URL).issue(an_issue(a_section("a", 1)), newsletter=newsletter)


def test_a_theme_that_is_too_long_by_itself_is_an_error(
    tmp_path: Path, newsletter: Newsletter, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """When the mail is too long with no story left, there is nothing to send."""
    _theme(tmp_path, html="a" * 100_000 + _CUTS, text=_CUTS)
    with pytest.raises(RenderError, match=r"issue\.mjml\.j2: too long"):
        open_render([tmp_path], base_url=BASE_URL).issue(an_issue(a_section("a", 3)), newsletter=newsletter)


def test_an_unknown_theme_is_an_error(render: Render, newsletter: Newsletter, an_issue: Callable[..., Issue]) -> None:
    """A theme without templates is told by the name of the template that is missing."""
    with pytest.raises(RenderError, match=r"email/none/issue\.mjml\.j2"):
        render.issue(an_issue(), newsletter=replace(newsletter, theme="none"))


def test_every_variable_has_its_help() -> None:
    """Whoever writes a theme can read what each variable stands for."""
    assert all(each.metadata["help"] for each in fields(Context))
