"""The inbox in Chromium: nothing in a mail acts, mails show up by themselves, everybody can read it."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from newsletter.chromium import find_chromium
from newsletter.web.inbox.serve import open_inbox
from tests.builders import NOON
from tests.outside import tools

CHROMIUM = find_chromium()
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH"),
    # asyncio, which playwright runs on, leaves a loop open that Chromium's end has closed
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
EVIL = (
    b"From: Ada <ada@example.org>\r\nTo: bob@example.org\r\nSubject: news\r\nContent-Type: text/html\r\n\r\n"
    b'<!doctype html><html lang="en"><title>t</title><link rel="preconnect" href="https://a.example">'
    b'<script>top.document.title = "pwned"; fetch("https://b.example/")</script>'
    b'<meta http-equiv="refresh" content="0;url=https://c.example/">'
    b'<img src="https://d.example/x.png" onerror="top.document.title=1"><iframe src="https://e.example/"></iframe>'
    b'<style>@import "https://f.example/x.css"; body { background: url(https://g.example/x.png) }</style>'
    b'<form action="https://h.example/"><button autofocus>go</button></form> '
    b'<a href="javascript:alert(1)">js</a>'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A maildir with one mail, which is evil."""
    folder = tmp_path_factory.mktemp("mail")
    (folder / "new").mkdir()
    (folder / "new" / "1.x").write_bytes(EVIL)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """Where it is shown."""
    with open_inbox(folder, port=0, clock=lambda: NOON, smtp="smtp://127.0.0.1:1025", faults=["421@10%"]) as url:
        yield url.rstrip("/")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser that reaches this machine alone."""
    names = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", names])
        page = browser.new_page()
        page.set_default_timeout(30_000)
        yield page
        browser.close()


def test_nothing_in_a_mail_acts(page: Page, url: str, folder: Path) -> None:
    """No script, no connection to anywhere else, no other page in the frame or around it."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        place = b"http://127.0.0.1:%d" % elsewhere.getsockname()[1]
        (folder / "new" / "4.x").write_bytes(re.sub(rb"https://.\.example", place, EVIL).replace(b"news", b"evil"))
        page.goto(url)
        page.get_by_text("evil").click()
        for text in ("js", "go"):
            page.frame_locator("iframe").get_by_text(text).click()
        assert page.title() == "evil – Mailbox"
        assert page.url.startswith(f"{url}/mail/")
        assert page.frames[1].url.startswith(f"{url}/mail/")
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()

        elsewhere.settimeout(20)
        page.get_by_role("link", name="Load", exact=True).click(no_wait_after=True)
        elsewhere.accept()[0].close()  # what this test listens to would have been heard
    (folder / "new" / "4.x").unlink()


def test_mails_show_up_by_themselves(page: Page, url: str, folder: Path) -> None:
    """The list changes without being loaded again; the page is the same."""
    page.goto(url)
    page.evaluate("window.same = true")
    (folder / "new" / "2.x").write_bytes(EVIL.replace(b"news", b"newer"))
    page.get_by_text("newer").wait_for()
    (folder / "new" / "2.x").unlink()
    page.get_by_text("newer").wait_for(state="detached")

    assert page.evaluate("window.same") is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(page: Page, url: str, scheme: str) -> None:
    """Axe finds nothing wrong, and no page is wider than a phone."""
    axe = (tools.npm("axe-core") / "axe.min.js").read_text("utf-8")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(url)
    mail = page.locator("#mails a").first.get_attribute("href")
    wrong: list[str] = []
    for target in ("/", "/?q=nothing", f"{mail}", f"{mail}?show=headers", f"{mail}?show=envelope", "/nowhere"):
        page.set_viewport_size({"width": 360, "height": 700})
        page.goto(url + target)
        width = page.evaluate("document.documentElement.scrollWidth")
        wrong += [f"{target} is {width} wide"] * (width > 360)
        page.set_viewport_size({"width": 1200, "height": 800})
        # By the debugger's door, which the page's own policy does not hold.
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations'], iframes: false})")
        wrong += [f"{target} {one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]

    assert wrong == []


def test_one_mail_is_deleted_with_a_button(page: Page, url: str, folder: Path) -> None:
    """By a form, as every browser sends it."""
    shutil.copy(folder / "new" / "1.x", folder / "new" / "3.x")
    page.goto(url)
    page.locator("#mails a").first.click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url(f"{url}/")

    assert len(list((folder / "new").iterdir())) == 1
