from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Picture

from newsletter.chromium import TALLEST, Browser, BrowserError, Image, View, find_chromium, open_browser
from tests.sites import Page, Site

CHROMIUM = find_chromium()
LIGHT = View(width=640)
GREEN = Image(
    content_type="image/svg+xml",
    body=b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><path fill="#00ff00" d="M0 0h8v8H0z"/></svg>',
)
PAGE = '<!doctype html><style>body {{ margin: 0; background: #ffffff }}</style>{}<div style="height: {}px"></div>'

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests that leave it as it was."""
    with open_browser(str(CHROMIUM)) as browser:
        yield browser


def opened(png: bytes) -> Picture.Image:
    """The picture, to be looked into."""
    return Picture.open(io.BytesIO(png)).convert("RGB")


def program(folder: Path, script: str) -> str:
    """A program that is no Chromium."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.chromium
@needs_chromium
@pytest.mark.parametrize(("view", "width"), [(LIGHT, 640), (View(width=375, phone=True), 375)])
def test_the_whole_page(view: View, width: int, browser: Browser) -> None:
    """A picture is as wide as the window and as high as the page; a phone does not shrink a page that fits."""
    head = '<meta name="viewport" content="width=device-width">'

    assert opened(browser.photograph(PAGE.format(head, 3000), view)).size == (width, 3000)


@pytest.mark.chromium
@needs_chromium
def test_a_page_without_end(browser: Browser) -> None:
    """What is higher than Chromium can draw is cut, and not drawn twice."""
    endless = PAGE.format("", TALLEST + 500)

    assert opened(browser.photograph(endless, LIGHT)).size == (640, TALLEST)


@pytest.mark.chromium
@needs_chromium
def test_dark_colours(browser: Browser) -> None:
    """A page is asked for the colours of the view."""
    page = PAGE.format("<style>@media (prefers-color-scheme: dark) { body { background: #102030 } }</style>", 100)

    assert opened(browser.photograph(page, LIGHT)).getpixel((5, 5)) == (255, 255, 255)
    assert opened(browser.photograph(page, View(width=640, dark=True))).getpixel((5, 5)) == (16, 32, 48)


@pytest.mark.chromium
@needs_chromium
def test_images_are_those_that_are_given(browser: Browser) -> None:
    """The address of an image gives what the function says, and one picture leaves nothing for the next."""
    page = PAGE.format('<img src="https://example.org/a.png" width="40" height="40" alt="">', 100)
    asked = []

    def given(url: str) -> Image:
        asked.append(url)
        return GREEN

    shown, blocked = browser.photograph(page, LIGHT, images=given), browser.photograph(page, LIGHT)
    assert asked == ["https://example.org/a.png"]
    assert opened(shown).getpixel((20, 20)) == (0, 255, 0)
    assert opened(blocked).getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.chromium
@needs_chromium
def test_files_are_not_read(browser: Browser, tmp_path: Path) -> None:
    """A page cannot show a file of this machine."""
    Picture.new("RGB", (40, 40), "#ff0000").save(tmp_path / "red.png")
    page = PAGE.format(f'<img src="{(tmp_path / "red.png").as_uri()}" width="40" height="40" alt="">', 100)

    assert opened(browser.photograph(page, LIGHT, images=lambda _: GREEN)).getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.chromium
@needs_chromium
def test_nothing_is_asked_of_anybody(browser: Browser, site: Site) -> None:
    """Images, styles, fonts, frames and scripts of a page are not loaded, and its own scripts do not run."""
    site.pages["/"] = Page(body=b"body { background: #ff0000 }", content_type="text/css")
    page = PAGE.format(
        f'<link rel="stylesheet" href="{site.url}/a.css"><script src="{site.url}/b.js"></script>'
        f'<style>@font-face {{ font-family: f; src: url("{site.url}/c.woff") }} p {{ font-family: f }}</style>'
        f'<iframe src="{site.url}/d.html"></iframe><img src="{site.url}/e.png"><p>Text</p>'
        f'<div style="background: url({site.url}/f.png)">More</div><object data="{site.url}/g.svg"></object>'
        f'<script>document.body.style.background = "#ff0000"; fetch("{site.url}/h")</script>',
        100,
    )

    assert opened(browser.photograph(page, LIGHT)).getpixel((635, 5)) == (255, 255, 255)
    assert site.asked == []


@pytest.mark.chromium
@needs_chromium
def test_nothing_stays_behind() -> None:
    """At the end its profile is gone with all that it wrote, and so is every process that it started."""
    with open_browser(str(CHROMIUM)) as browser:
        group = browser._process.pid
        profile = Path(str(browser._process.args[-1]).partition("=")[2])  # type: ignore[index]
        assert len(_running(group)) > 1
        assert list(profile.glob("org.chromium.*"))  # what it makes in TMPDIR, where others would leave it

    assert _running(group) == []
    assert not profile.exists()


def _running(group: int) -> list[str]:
    """The processes of a group that still run; one that has ended may wait for its parent to notice."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(") ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, _, its_group = rest.split()[:3]
        if int(its_group) == group and state not in "ZX":
            found.append(name)
    return found


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo it has no screen >&2; exit 1", "Chromium ended: it has no screen"),
        ("echo a:FATAL:b no sandbox >&2; echo trace >&2; exit 1", "Chromium ended: a:FATAL:b no sandbox"),
        ("exit 0", "Chromium ended: without a word"),
        ("exec sleep 100", "Chromium took longer than 0.2 seconds"),
        ("sleep 100 & wait", "Chromium took longer than 0.2 seconds"),
    ],
)
def test_a_browser_that_does_not_start(script: str, words: str, tmp_path: Path) -> None:
    """One that ends or hangs is an error in words, soon."""
    limit = 0.2 if "sleep" in script else 60
    with pytest.raises(BrowserError, match=words), open_browser(program(tmp_path, script), seconds=limit):
        pass


@pytest.mark.chromium
@needs_chromium
def test_time_runs_out(tmp_path: Path) -> None:
    """An image that takes too long ends the browser, and not only the picture."""
    with open_browser(str(CHROMIUM)) as browser:

        def late(_: str) -> Image:
            browser.give_up("took longer than nothing")
            return GREEN

        with pytest.raises(BrowserError, match="took longer than nothing"):
            browser.photograph('<img src="https://example.org/a.png">', LIGHT, images=late)


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever name a system gives it; nowhere is None."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() is None
    other = tmp_path / "google-chrome"
    shutil.copy(program(tmp_path, "exit 0"), other)
    assert find_chromium() == str(other)
