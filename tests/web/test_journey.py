"""A reader's whole way, in Chromium, against the commands as an operator starts them: pages, mailbox, a send by hand.

Mails are read where a developer reads them, in the page of the built-in mailbox, and its buttons are pressed there.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, sync_playwright

from newsletter import operators
from newsletter.chromium import find_chromium
from newsletter.links import Purpose
from newsletter.store.subscribers import Applicant
from tests.outside import tools
from tests.web.issues import an_entry_about, collect, publish, voted
from tests.web.websites import Website
from tests.workspaces import Workspace, asking, make_workspace

CHROMIUM = find_chromium()
pytestmark = [
    pytest.mark.long,
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH"),
    # asyncio, which playwright runs on, leaves a loop open that Chromium's end has closed
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.timeout(300),
]
READER = "ann@example.org"
VOICES = asking().replace("    topics: [models]\n", "    topics: [models]\n    votes: true\n")
DAY = date(2026, 11, 18)
KEYSTROKE = 80  # milliseconds; a form that is sent back within a second was filled in by no person


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True)
class Running:
    """The commands that run, and where their pages are."""

    workspace: Workspace
    site: str
    mailbox: str


@contextmanager
def ready(workspace: Workspace, command: list[str]) -> Iterator[None]:
    """A command that runs until it is stopped, from when it says that it is there."""
    with workspace.start(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            assert any("Ctrl-C" in line for line in process.stdout)
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`newsletter mailbox` and `newsletter serve`, as processes of their own."""
    folder: Path = tmp_path_factory.mktemp("journey")
    smtp, inbox, web = free_port(), free_port(), free_port()
    workspace = make_workspace(folder, smtp_url=f"smtp://127.0.0.1:{smtp}")
    site = f"http://127.0.0.1:{web}"
    (workspace.folder / "schedules.yaml").write_text(VOICES, encoding="utf-8")
    workspace = replace(workspace, settings={**workspace.settings, "NEWSLETTER_BASE_URL": site})
    with ExitStack() as started:
        for command in (
            ["mailbox", "--port", str(smtp), "--web", f"127.0.0.1:{inbox}"],
            ["serve", "--listen", f"127.0.0.1:{web}"],
        ):
            started.enter_context(ready(workspace, command))
        yield Running(workspace, site, f"http://127.0.0.1:{inbox}")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser that reaches this machine alone."""
    names = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", names])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def press_in_mail(page: Page, running: Running, subject: str, words: str) -> None:
    """Wait for a mail in the mailbox, open it, press a link in it; the page is then where that leads."""
    page.goto(running.mailbox)
    page.locator("#mails a", has_text=subject).first.click()
    with page.expect_popup() as opened:
        page.frame_locator("iframe").get_by_role("link", name=words).first.click()
    address = opened.value.url
    opened.value.close()
    page.goto(address)


def sign_up(page: Page, running: Running) -> None:
    """Type an address on the front page, and press the button."""
    page.goto(f"{running.site}/daily-papers")
    field = page.get_by_label("Your email address")
    field.press_sequentially(READER, delay=KEYSTROKE)
    page.get_by_role("button", name="Subscribe").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Look into your inbox"


def vote(page: Page, running: Running) -> None:
    """From the mail, then on a page."""
    press_in_mail(page, running, "An LLM that sorts its own drawers", "I like it")
    page.get_by_role("button", name="I like it").click()
    assert page.get_by_text("liked by 1 reader").is_visible()
    page.get_by_role("link", name="Vote on the pages too").click()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Maps for walkers").click()
    page.get_by_role("button", name="I like it").click()
    assert page.get_by_text("You like it.").is_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", level=1).wait_for()


def suggest(page: Page, running: Running) -> None:
    """From the foot of the mail."""
    press_in_mail(page, running, "An LLM that sorts its own drawers", "Suggest a link")
    page.get_by_label("Link").fill("https://blog.example.org/hills?utm_source=mail")
    page.get_by_label("Title").fill("Maps of hills")
    page.get_by_role("button", name="Suggest it").click()
    assert page.get_by_text("Thank you. It waits for the editor.").is_visible()
    assert "Maps of hills" in running.workspace.run("suggestions", "list")


def test_a_reader_comes_reads_and_goes(page: Page, running: Running) -> None:
    """Sign-up, an issue, its page, search, vote, suggestion, choices, their data, one click to leave, and no trace."""
    sign_up(page, running)
    press_in_mail(page, running, "Please confirm", "Yes, send it to me")
    assert "One step" in page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("button", name="Yes, send it to me").click()
    assert "Welcome" in page.get_by_role("heading", level=1).inner_text()

    running.workspace.run("send", "daily-papers")
    press_in_mail(page, running, "An LLM that sorts its own drawers", "Read on the web")
    assert page.get_by_role("link", name="An LLM that sorts its own drawers").is_visible()

    page.get_by_role("link", name="Search").first.click()
    page.get_by_role("searchbox").fill("maps for people who walk")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Maps for walkers").click()
    assert page.get_by_role("heading", name="Where it appeared").is_visible()

    vote(page, running)
    suggest(page, running)
    press_in_mail(page, running, "An LLM that sorts its own drawers", "Choose topics and days")
    page.get_by_label("Language models").check()
    page.get_by_label("No stories with one of these words").fill("drawers")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_text("Saved.").is_visible()
    assert page.get_by_label("No stories with one of these words").input_value() == "drawers"

    page.get_by_role("button", name="Send me the link").click()
    press_in_mail(page, running, "Your data at Daily Papers", "See or erase it")
    account = page.url
    with page.expect_download() as download:
        page.get_by_role("button", name="Download it").click()
    kept = json.loads(download.value.path().read_text("utf-8"))
    assert READER in json.dumps(kept)
    assert "drawers" in json.dumps(kept)
    assert "blog.example.org/hills" in json.dumps(kept)

    press_in_mail(page, running, "An LLM that sorts its own drawers", "Unsubscribe")
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", level=1).wait_for()
    people = running.workspace.run("subscribers", "list", "--newsletter", "daily-papers")
    assert re.search(rf"{READER}\s.*left", people)

    page.goto(account)
    page.get_by_role("button", name="Erase everything").click()
    page.get_by_role("button", name="Yes, erase everything").click()
    page.get_by_role("heading", level=1).wait_for()
    assert READER not in running.workspace.run("subscribers", "list")


def faults(page: Page, target: str, *, axe: str, width: int) -> list[str]:
    """What is wrong with a page: how wide it is on a narrow phone, and what axe-core says at a width."""
    page.set_viewport_size({"width": 320, "height": 700})
    answer = page.goto(target)
    wide = page.evaluate("document.documentElement.scrollWidth")
    wrong = [f"{target} is {wide} wide"] * (wide > 320)
    if answer is None or answer.status != (404 if "nowhere" in target else 200) or page.url != target:
        wrong.append(f"{target} is not there: {page.url}")
    page.set_viewport_size({"width": width, "height": 700})
    page.evaluate(axe)  # by the debugger's door, which the page's own policy does not hold
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        *wrong,
        *(f"{target} {one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]),
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_everybody_can_read_the_pages(
    page: Page, website: Website, scheme: Literal["light", "dark"], width: int
) -> None:
    """axe-core finds nothing wrong; no page is wider than a narrow phone; none asks another host for anything."""
    axe = (tools.npm("axe-core") / "axe.min.js").read_text("utf-8")
    slot = publish(website, voted(1, 12, tldr="In a sentence.", tags=("birds",)), voted(2, 3), day=DAY)
    collect(website, an_entry_about(1, "birds"), an_entry_about(2, "birds"), an_entry_about(3, "bread"))
    store = website.app.store
    store.subscribers.add([Applicant(email=READER)], newsletter="daily-papers", confirmed=True, how="", now=website.now)
    operators.add(store, "ann", "a long enough one", now=website.now)
    personal = [
        website.app.links.url(purpose, subscriber=store.subscribers.get(READER), newsletter="daily-papers")
        for purpose in (Purpose.CONFIRM, Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.NEVER, Purpose.ACCOUNT)
    ]
    public = ("", "archive", "archive/2026-W47", slot.key, "topics", "topics/models", "stories/arxiv:2611.00001")
    forms = ("about", "search", "search?q=birds&author=first", "subscribe", "embed", "nowhere/at/all")
    back = ("", "/issues/1", "/daily-papers/next")
    page.emulate_media(color_scheme=scheme)
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    wrong: list[str] = []
    for target in (*(f"{website.url}/daily-papers/{path}".rstrip("/") for path in (*public, *forms)), *personal):
        wrong += faults(page, target, axe=axe, width=width)
    wrong += faults(page, f"{website.url}/operator/login", axe=axe, width=width)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("a long enough one")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    for path in back:
        wrong += faults(page, f"{website.url}/operator{path}", axe=axe, width=width)

    assert wrong == []
    assert asked == {website.url.split("/")[2]}
