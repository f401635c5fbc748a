"""The themes as pages: what mail clients, screen readers and small screens need."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from newsletter.codec import decode
from newsletter.model import Issue, Newsletter, Token
from newsletter.render.issue import Render

CASES = Path(__file__).parents[1] / "data" / "issues"
CHROMIUM = shutil.which("chromium")
_LIGHT = {"#ffffff", "#f3f1ec", "#eef1f4"}  # the cards and the pages around them


@pytest.fixture(params=["papers", "news", "plain"])
def page(request: pytest.FixtureRequest, render: Render, newsletter: Newsletter, tokens: dict[Token, str]) -> str:
    """A weekday's issue as one reader gets it, in each theme."""
    return _page("a-weekday", render, replace(newsletter, theme=request.param), tokens)


def _issue(case: str) -> Issue:
    return decode(Issue, (CASES / case / "issue.json").read_text())


def _page(case: str, render: Render, newsletter: Newsletter, tokens: dict[Token, str]) -> str:
    return render.preview(render.issue(_issue(case), newsletter=newsletter), tokens)[0]


def _soup(page: str) -> BeautifulSoup:
    return BeautifulSoup(page, "html.parser")


def _elements(page: str, *names: str) -> list[Tag]:
    return [element for element in _soup(page).find_all(names) if isinstance(element, Tag)]


def test_language_and_direction_are_told(page: str) -> None:
    """The html element and the body's child, which webmail keeps, both have language and direction."""
    for element in (_elements(page, "html")[0], _elements(page, "div")[0]):
        assert (element["lang"], element["dir"]) == ("en", "ltr")


def test_a_hidden_preheader_comes_first(page: str) -> None:
    """The first text of the page is the preheader, hidden, in a colour that no filter takes for a trick."""
    preheader = _elements(page, "div")[1]
    assert preheader.get_text().startswith("Cheaper attention, relit photographs")
    assert "display:none" in str(preheader["style"])
    assert "#ffffff" not in str(preheader["style"])


def test_headings_step_down_one_at_a_time(page: str) -> None:
    """There is one h1, an h2 for each topic and an h3 for each story, and no step is left out."""
    levels = [int(element.name[1]) for element in _elements(page, "h1", "h2", "h3")]
    assert levels == [1, 2, 3, 3, 3, 3, 2, 3, 3, 3, 2, 3, 3, 3, 2, 3, 3]


def test_links_have_words(page: str) -> None:
    """Every link and contents entry says where it leads; a story's title is its link."""
    assert all(link.get_text(strip=True) for link in _elements(page, "a"))
    assert all(title.find("a") for title in _elements(page, "h3"))
    assert not _elements(page, "img")


@pytest.mark.parametrize("theme", ["papers", "news"])
def test_the_contents_lead_to_the_topics(
    theme: str, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """Each entry of the contents leads to an anchor, known by id and by name since clients differ."""
    links = _elements(_page("a-weekday", render, replace(newsletter, theme=theme), tokens), "a")
    anchors = [link for link in links if "id" in link.attrs]
    entries = [
        str(link["href"])[1:] for link in links if str(link.get("href", "")).startswith("#") and "id" not in link.attrs
    ]
    assert entries == [anchor["id"] for anchor in anchors] == [anchor["name"] for anchor in anchors]
    assert len(entries) == 4


@pytest.mark.parametrize("theme", ["papers", "news"])
def test_pictures_are_shown_where_they_are_wanted(
    theme: str, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """By https alone, with a width, without a link or a word of their own; not where the newsletter has none."""
    issue = _issue("a-weekday")
    images = ["https://images.example.org/1.png", "http://images.example.org/2.png", "javascript:alert(1)"]
    first = issue.sections[0]
    stories = tuple(replace(story, image=image) for story, image in zip(first.stories, images, strict=False))
    pictured = replace(issue, sections=(replace(first, stories=stories), *issue.sections[1:]))

    def shown(*, images: bool) -> list[Tag]:
        rendered = render.issue(pictured, newsletter=replace(newsletter, theme=theme, images=images))
        return _elements(render.preview(rendered, tokens)[0], "img")

    (image,) = shown(images=True)
    assert (image["src"], image["alt"]) == ("https://images.example.org/1.png", "")
    assert str(image["width"]).isdigit()
    assert image.find_parent("a") is None
    assert shown(images=False) == []


def test_languages_turn_the_page(render: Render, newsletter: Newsletter, tokens: dict[Token, str]) -> None:
    """A newsletter in Arabic is laid out from right to left, and says its own words in Arabic."""
    issue = replace(_issue("a-weekday"), language="ar")
    page, text = render.preview(render.issue(issue, newsletter=newsletter), tokens)
    assert (_elements(page, "html")[0]["lang"], _elements(page, "html")[0]["dir"]) == ("ar", "rtl")
    assert page.count("text-align:right") > 12
    assert "direction:ltr" not in page
    for said in (page, text):
        assert "إلغاء الاشتراك" in said
        assert "Unsubscribe" not in said


def test_one_topic_needs_no_contents(render: Render, newsletter: Newsletter, tokens: dict[Token, str]) -> None:
    """With a single topic there is no list of topics."""
    assert "In this issue" in _page("a-weekday", render, newsletter, tokens)
    assert "In this issue" not in _page("one-topic", render, newsletter, tokens)


def test_foreign_text_has_its_own_direction(page: str) -> None:
    """Titles, names and summaries find their own direction and cannot turn what follows them."""
    assert all(title.get("dir") == "auto" for title in _elements(page, "h3"))


def test_layout_tables_are_told_from_data(page: str) -> None:
    """Every table is for layout and says so."""
    assert all(table.get("role") == "presentation" for table in _elements(page, "table"))


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    """The page loads no font, image or style from anywhere: reading it tells nobody."""
    assert not _elements(page, "link", "img", "script", "iframe")
    assert "url(" not in page
    assert "@import" not in page


def test_styles_stand_in_blocks_of_their_own(page: str) -> None:
    """Small screens, dark mode and Outlook's dark mode have a style block each; all are under 16 kB together."""
    blocks = [element.get_text() for element in _elements(page, "style")]
    for rule in ("max-width: 480px", "prefers-color-scheme", "[data-ogsc]"):
        assert sum(rule in block for block in blocks) == 1
    assert not [block for block in blocks if block.count("@media") > 1 or ("[data-ogs" in block and "@media" in block)]
    assert sum(map(len, blocks)) < 16_000


def test_lengths_and_colours_are_what_outlook_reads(page: str) -> None:
    """Colours have six digits, and no text is below 14 px."""
    assert not re.findall(r"#[0-9a-fA-F]{3}\b(?![0-9a-fA-F])(?=[;\"' ])", page)
    sizes = [float(size) for size in re.findall(r"font-size:\s*([\d.]+)px", page)]
    assert not [size for size in sizes if 0 < size < 14]


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1.4.3."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def grounds_of(page: str) -> set[str]:
    """Every background colour that is set inline."""
    return set(re.findall(r"background(?:-color)?:(#[0-9a-f]{6})", page))


def test_text_stands_out_in_light_and_dark(page: str) -> None:
    """Every text colour has a contrast of at least 4.5 on every ground of its scheme."""
    inline = "".join(str(element.get("style", "")) + ";" for element in _soup(page).find_all(style=True))
    light = set(re.findall(r"(?<![-\w])color:(#[0-9a-f]{6})", inline))
    dark_block = next(
        block.get_text() for block in _elements(page, "style") if "prefers-color-scheme" in block.get_text()
    )
    dark = set(re.findall(r"(?<![-\w])color: (#[0-9a-f]{6})", dark_block))
    dark_grounds = set(re.findall(r"background-color: (#[0-9a-f]{6})", dark_block))
    assert len(light) >= 3
    assert len(dark) >= 4
    assert len(dark_grounds) == 2
    assert grounds_of(page) <= _LIGHT
    for colours, grounds in ((light, _LIGHT), (dark, dark_grounds)):
        for colour in colours:
            assert min(_contrast(colour, ground) for ground in grounds) >= 4.5, colour


def test_every_colour_has_a_dark_one(page: str) -> None:
    """Every element that sets a text colour is reached by a dark rule, by its own class or its block's."""
    for element in _soup(page).find_all(style=re.compile(r"(?<![-\w])color:#")):
        assert isinstance(element, Tag)
        around = {name for block in [element, *element.parents] for name in block.get("class") or []}
        assert around & {"ink", "soft", "link", "warm", "body", "side"}, element


def test_the_foot_says_who_and_why(page: str, newsletter: Newsletter, tokens: dict[Token, str]) -> None:
    """The foot names the reader's address, why they get this, the sender's postal address and the ways out."""
    foot = page[page.index("You get") :]
    words = " ".join(_soup(foot).get_text(" ").split())
    assert "at reader@example.org because you subscribed" in words
    assert newsletter.address in words
    for token in (Token.UNSUBSCRIBE_URL, Token.PREFERENCES_URL):
        assert f'href="{html.escape(tokens[token])}"' in foot


def test_a_weekday_is_small(page: str) -> None:
    """Twelve papers take less than a third of what Gmail shows."""
    assert len(page.encode()) < 32_000


_FRAME = """<!doctype html><body><iframe width="{width}" height="800" style="border:0" srcdoc="{page}"></iframe>
<script>onload = () => {{
  const page = document.querySelector("iframe").contentDocument.documentElement;
  document.body.dataset.widths = page.scrollWidth + " of " + page.clientWidth;
}}</script></body>"""


@pytest.mark.chromium
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH")
@pytest.mark.parametrize("case", ["a-weekday", "hostile", "endless-word"])
def test_small_screens_need_no_sideways_scrolling(
    case: str, tmp_path: Path, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """On a screen of 375 and of 320 pixels the page is as wide as the screen, even with a title without spaces."""
    page = _page("a-weekday" if case == "endless-word" else case, render, newsletter, tokens)
    if case == "endless-word":
        page = page.replace("Robots That Ask Before They Lift", "Robots" * 40).replace("reader@", "reader" * 30 + "@")
    for width in (375, 320):
        frame = tmp_path / f"{width}.html"
        frame.write_text(_FRAME.format(width=width, page=html.escape(page)))
        assert f'data-widths="{width} of {width}"' in _dom(frame, profile=tmp_path / "profile")


def _dom(page: Path, *, profile: Path) -> str:
    """The page as it is after its scripts have run."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        f"--user-data-dir={profile}", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout  # our own page
