"""Every mail in Chromium: accessibility by axe, widths, requests, and each theme's pictures beside the golden ones.

UPDATE_GOLDEN=1 takes the pictures anew: look at them before you keep them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from PIL import Image

from tests.outside import tools
from tests.outside.browser import VIEWS, Seen
from tests.outside.mails import NAMES, THEMES
from tests.outside.pictures import GOLDEN, TOLERANCE, difference, keep

pytestmark = [pytest.mark.chromium, pytest.mark.long]


@pytest.fixture
def fonts() -> None:
    """The fonts that the golden pictures were taken with."""
    tools.font("noto/NotoSans-Regular.ttf", package="fonts-noto-core")
    tools.font("dejavu/DejaVuSans.ttf", package="fonts-dejavu-core")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", NAMES)
def test_everybody_can_read_it(name: str, view: str, browser: Mapping[str, Seen]) -> None:
    """Axe finds nothing wrong with names, contrast, headings, language."""
    assert browser[name].violations[view] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_is_as_wide_as_the_screen(name: str, browser: Mapping[str, Seen]) -> None:
    """No screen of 320, 375 or 800 pixels has to be scrolled sideways."""
    assert browser[name].widths == {"320": 320, "375": 375, "800": 800}


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_for_pictures_alone(name: str, browser: Mapping[str, Seen]) -> None:
    """Opening a mail loads no style sheet, font or script from anywhere."""
    assert [request for request in browser[name].requests if not request.startswith("image ")] == []


def test_what_is_wrong_with_a_page_is_found(browser: Mapping[str, Seen]) -> None:
    """A link without text, dim text in the dark, an image wider than the screen, a script from elsewhere."""
    spoiled = browser["spoiled"]

    assert {found.partition(":")[0] for found in spoiled.violations["light"]} == {"link-name", "image-alt"}
    assert any(found.startswith("color-contrast: <p") for found in spoiled.violations["dark"])
    assert spoiled.widths["375"] > 375
    assert {"image https://example.org/a.png", "script https://example.org/b.js"} <= set(spoiled.requests)


@pytest.mark.usefixtures("fonts")
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("theme", THEMES)
def test_it_looks_as_it_did(theme: str, view: str, browser: Mapping[str, Seen]) -> None:
    """Light, dark and on a small screen, a theme looks as on the day when somebody looked at it."""
    golden = GOLDEN / f"{theme}-{view}.png"
    with Image.open(browser[f"{theme}-two-topics"].pictures / f"{view}.png") as taken:
        if "UPDATE_GOLDEN" in os.environ:
            keep(taken, golden)
        with Image.open(golden) as kept:
            share = difference(kept, taken)
            sizes = f"{kept.size} before and {taken.size} now"

    assert share <= TOLERANCE, f"{share:.2%} of {golden.name} changed ({sizes}); UPDATE_GOLDEN=1 keeps the new one"


@pytest.mark.usefixtures("fonts")
@pytest.mark.parametrize("view", VIEWS)
def test_a_small_change_is_seen(view: str, browser: Mapping[str, Seen]) -> None:
    """Headings that moved by four pixels are more than the tolerance."""
    with (
        Image.open(browser[f"{THEMES[0]}-two-topics"].pictures / f"{view}.png") as before,
        Image.open(browser["shifted"].pictures / f"{view}.png") as after,
    ):
        assert before.size == after.size
        assert difference(before, after) > 3 * TOLERANCE


def test_golden_pictures_are_small_and_wanted() -> None:
    """There is one for each view of each theme, and together they are below a megabyte and a half."""
    pictures = {path.name: path.stat().st_size for path in GOLDEN.iterdir()}

    assert set(pictures) == {f"{theme}-{view}.png" for theme in THEMES for view in VIEWS}
    assert sum(pictures.values()) < 1_500_000
