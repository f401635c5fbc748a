from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from newsletter.app import App, open_app
from newsletter.chromium import find_chromium
from newsletter.config import load_config
from newsletter.model import Fragment, Issue, Preferences, Recipient, Rendered, Section
from newsletter.preview import Edition, compose_preview, write_preview
from newsletter.preview.live import open_server, stamps, watch
from newsletter.preview.page import Mistake, write_page
from newsletter.preview.pictures import VIEWS, image_fetch, take_pictures
from newsletter.preview.show import Show
from newsletter.render.lint.samples import SAMPLES
from newsletter.sources import Request
from newsletter.store.issues import Audience, Frozen
from newsletter.store.subscribers import Applicant
from tests.builders import NOON, a_newsletter, a_slot, a_story
from tests.sites import Page, Site
from tests.workspaces import Workspace, make_workspace

CHROMIUM = find_chromium()
HOSTILE = '</title><script>alert(1)</script>"\' onload="x" <img src=x onerror=alert(1)> {{ 7*7 }} \u202e&amp;'
BUNDLED = Path(__file__).parents[1] / "templates" / "email" / "plain"

in_chromium = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH"),
]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with an own theme, two stories collected, and a reader with a name."""
    workspace = make_workspace(tmp_path_factory.mktemp("collected") / "workspace")
    shutil.copytree(BUNDLED, workspace.folder / "templates" / "email" / "mine")
    plan = workspace.folder / "schedules.yaml"
    plan.write_text(plan.read_text("utf-8").replace("    sources:", "    theme: mine\n    sources:"), encoding="utf-8")
    with open_app(load_config(workspace.folder, workspace.settings)) as app:
        app.collect("daily-papers", now=NOON)
        reader = [Applicant(email="ada@example.org", name="Ada Sample")]
        app.store.subscribers.add(reader, newsletter="daily-papers", confirmed=True, how="test", now=NOON)
    return workspace


@pytest.fixture
def app(collected: Workspace, tmp_path: Path) -> Iterator[App]:
    """A copy of that workspace, open."""
    folder = tmp_path / "workspace"
    shutil.copytree(collected.folder, folder)
    with open_app(load_config(folder, collected.settings)) as app:
        yield app


@pytest.fixture
def show(app: App, tmp_path: Path) -> Show:
    """What `newsletter preview --no-pictures` shows."""
    return Show(app=app, newsletter="daily-papers", day=NOON.date(), now=NOON, folder=tmp_path / "out", pictures=False)


def frozen(app: App, issue: Issue | None = None) -> Frozen:
    """An issue that is not published."""
    newsletter = app.newsletter("daily-papers")
    issue = issue or SAMPLES["ordinary"](newsletter)
    rendered = app.render.issue(issue, newsletter=newsletter)
    return Frozen(id=0, nonce="x", published_at=NOON, issue=issue, rendered=rendered, newsletter=newsletter)


def page_of(folder: Path) -> BeautifulSoup:
    """The page as a browser reads it."""
    return BeautifulSoup((folder / "index.html").read_text("utf-8"), "html.parser", multi_valued_attributes=None)


def said(folder: Path) -> str:
    """The words of the page, its frames aside."""
    return " ".join(page_of(folder).get_text(" ").split())


# --- whose edition it is -------------------------------------------------------------------------------------------


def test_a_subscriber_sees_their_own(app: App, tmp_path: Path) -> None:
    """Their links are signed for them, their name is in the page, and one is told what that means."""
    hers = write_preview(app, frozen(app), reader="ada@example.org", folder=tmp_path / "hers")
    nobodys = write_preview(app, frozen(app), reader="", folder=tmp_path / "nobodys")

    (number,) = app.store.subscribers.ensure(["ada@example.org"], now=NOON)
    assert (hers.reader.subscriber, hers.reader.name) == (number, "Ada Sample")
    assert b"To: Ada Sample <ada@example.org>" in hers.message
    assert hers.notes == ("links are signed for ada@example.org: whoever follows them acts for that reader",)
    leave = re.compile(r'href="([^"]*/unsubscribe/[^"]*)"')
    assert leave.findall(hers.html)
    assert leave.findall(hers.html) != leave.findall(nobodys.html)
    assert nobodys.notes == ("links are signed for nobody; --as EMAIL shows a subscriber's edition",)
    assert (nobodys.reader.subscriber, nobodys.reader.email) == (0, "reader@example.org")


def test_a_subscriber_sees_what_they_chose(app: App, tmp_path: Path) -> None:
    """Their choice of stories in all the files and in the inbox of the page, and in words how many of how many."""
    whole = write_preview(app, frozen(app), reader="ada@example.org", folder=tmp_path / "whole")
    first, *others = whole.frozen.issue.stories
    ada = app.store.subscribers.get("ada@example.org")

    def edition(**choices: object) -> Edition:
        preferences = Preferences(**choices)  # type: ignore[arg-type]  # each by its name
        app.store.subscribers.choose(ada, "daily-papers", preferences, how="test", now=NOON)
        return write_preview(app, frozen(app), reader="ada@example.org", folder=tmp_path / "hers")

    hers = edition(stories=1)
    write_page(tmp_path / "hers", hers, title="t", notes=hers.notes)
    nothing = edition(exclude=tuple(story.title for story in (first, *others)))

    assert hers.notes[1:] == (f"1 of {len(others) + 1} stories, as this reader chose",)
    assert sum(story.title in hers.text for story in (first, *others)) == 1
    assert len(hers.message) < len(whole.message)
    assert hers.frozen.rendered.subject in said(tmp_path / "hers")
    assert nothing.notes[1:] == ("no mail would go there: nothing in their topics; this is the whole issue",)
    signed = re.compile(r"(?<=/)[\w-]+\.[\w-]+\.[\w-]+")  # by the second
    assert signed.sub("", nothing.text) == signed.sub("", whole.text)


def test_a_subscriber_sees_it_in_their_language(app: App, tmp_path: Path) -> None:
    """Its frame and its preheader, with a word about it; everybody else sees the newsletter's."""
    ada = app.store.subscribers.get("ada@example.org")
    app.store.subscribers.choose(ada, "daily-papers", Preferences(language="de"), how="test", now=NOON)
    issue = compose_preview(app, a_slot(), now=NOON).frozen
    assert issue is not None
    hers = write_preview(app, issue, reader="ada@example.org", folder=tmp_path / "hers")
    nobodys = write_preview(app, issue, reader="", folder=tmp_path / "nobodys")

    assert hers.notes[1:] == ("in the language of this reader: Deutsch",)
    assert '<html lang="de"' in hers.html
    assert "Artikel" in hers.preheader
    assert "Im Web lesen" in hers.text
    assert '<html lang="en"' in nobodys.html


def test_who_is_no_subscriber(app: App, tmp_path: Path) -> None:
    """An address that nobody knows is shown, and its links are signed for nobody."""
    edition = write_preview(app, frozen(app), reader="x@example.org", folder=tmp_path)

    assert edition.notes == ("links are signed for nobody: x@example.org is no subscriber",)
    assert (edition.reader.subscriber, edition.reader.email) == (0, "x@example.org")


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("pending", "not confirmed yet"),
        ("left", "has left"),
        ("elsewhere", "not subscribed to this newsletter"),
        ("suppressed", "no such mailbox"),
    ],
)
def test_who_would_get_none(state: str, why: str, app: App, tmp_path: Path) -> None:
    """A known address that no mail would go to is told so, with the reason."""
    readers = app.store.subscribers
    newsletter = "another" if state == "elsewhere" else "daily-papers"
    confirmed = state != "pending"
    readers.add([Applicant(email="bo@example.org")], newsletter=newsletter, confirmed=confirmed, how="test", now=NOON)
    if state == "left":
        readers.leave(readers.get("bo@example.org"), newsletter="daily-papers", now=NOON)
    if state == "suppressed":
        readers.suppress(readers.get("bo@example.org"), reason=why, now=NOON)

    notes = write_preview(app, frozen(app), reader="bo@example.org", folder=tmp_path).notes
    assert notes[0].startswith("links are signed for bo@example.org")
    assert notes[1:] == (f"no mail would go there: {why}",)


def test_what_is_published_stays_as_it_is(app: App) -> None:
    """A published issue is shown as it went out; anew, as the templates are now."""
    composed = app.compose(a_slot(), now=NOON).issue
    assert composed is not None
    app.publish(composed, audience=Audience(at=NOON), now=NOON)
    text = app.config.templates / "email" / "mine" / "issue.txt.j2"
    text.write_text(text.read_text("utf-8") + "A new last line\n", encoding="utf-8")

    then, now = (compose_preview(app, a_slot(), now=NOON, anew=anew).frozen for anew in (False, True))
    assert then is not None
    assert now is not None
    assert (then.id, then.issue) == (now.id, now.issue)
    assert "A new last line" not in str(then.rendered)
    assert "A new last line" in str(now.rendered)


# --- the page ------------------------------------------------------------------------------------------------------


def an_edition(text: str, folder: Path) -> Edition:
    """An edition that says `text` in every place; its HTML is the text itself."""
    section = Section(topic="t", title=text, stories=(a_story(1, title=text),))
    issue = Issue(slot=a_slot(), title=text, preheader=text, sections=(section,))
    rendered = Rendered(subject=text, fragments=(Fragment(kind="head", key="", html=(text,), text=(text,)),))
    newsletter = a_newsletter(title=text)
    return Edition(
        frozen=Frozen(id=1, nonce="x", published_at=NOON, issue=issue, rendered=rendered, newsletter=newsletter),
        reader=Recipient(delivery=0, subscriber=0, email="reader@example.org", name=text),
        html=text,
        text=text,
        message=b"",
        files=(folder / "issue.html", folder / "issue.eml"),
        notes=(),
    )


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """Whatever a feed says in subject, titles and preheader, and a template in a mistake, is text on the page."""
    mistakes = [Mistake(what=HOSTILE, place=HOSTILE)]
    write_page(tmp_path, an_edition(HOSTILE, tmp_path), title=HOSTILE, notes=[HOSTILE], mistakes=mistakes)

    page = page_of(tmp_path)
    assert page.find_all(["script", "img", "object", "link"]) == []
    assert [name for element in page.find_all(True) for name in element.attrs if name.startswith("on")] == []
    assert page.select_one("title").get_text() == f"Preview: {HOSTILE}"  # type: ignore[union-attr]
    assert page.select_one(".inbox .subject").get_text() == HOSTILE  # type: ignore[union-attr]
    assert page.get_text().count(HOSTILE) == 13
    frames = page.find_all("iframe")
    assert len(frames) == 3
    assert all((frame["sandbox"], frame["srcdoc"]) == ("", HOSTILE) for frame in frames)


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_stays_text(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No text adds an element or an attribute to the page."""
    folder = tmp_path_factory.mktemp("page")
    write_page(folder, an_edition("x", folder), title="x")
    plain = [(element.name, sorted(element.attrs)) for element in page_of(folder).find_all(True)]
    write_page(folder, an_edition(text, folder), title=text)

    assert [(element.name, sorted(element.attrs)) for element in page_of(folder).find_all(True)] == plain


def test_the_policy_comes_first(tmp_path: Path) -> None:
    """A page that stands by itself runs no script and connects nowhere; images come from afar if they are wanted."""
    policies = {}
    for name, wishes in {"alone": {}, "images": {"images": True}, "live": {"version": 1}}.items():
        write_page(tmp_path, an_edition("x", tmp_path), title="x", **wishes)  # type: ignore[arg-type]
        head = page_of(tmp_path).head
        assert head is not None
        policy = head.find_all(True)[0]
        assert policy["http-equiv"] == "Content-Security-Policy"
        policies[name] = str(policy["content"])

    assert policies["alone"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
    assert "img-src 'self' file: https: http:;" in policies["images"]
    assert "script-src 'self'; connect-src 'self'" in policies["live"]
    assert page_of(tmp_path).find_all("script")[0]["src"] == "reload.js"


def test_everything_is_on_the_page(show: Show) -> None:
    """Subject, sender, preheader, sizes with the limit, the text, and links to files that are there."""
    shown = show.once()

    words = said(show.folder)
    for part in ("Daily Papers <papers@example.org>", "bytes of at most 95,000", "links are signed for nobody"):
        assert part in words
    page = page_of(show.folder)
    pre = page.find("pre")
    assert pre is not None
    assert pre.get_text().strip() == (show.folder / "issue.txt").read_text("utf-8").strip()
    linked = {str(link["href"]) for link in page.find_all("a")}
    assert linked == {"issue.html", "issue.txt", "issue.eml", "issue.json"}
    assert {path.name for path in shown.files} == linked | {"index.html"}
    assert all((show.folder / name).is_file() for name in linked)


def test_pictures_of_another_issue_go(show: Show) -> None:
    """What Chromium took of an earlier issue is not left beside the files of this one."""
    show.folder.mkdir()
    (show.folder / "light.png").write_bytes(b"old")
    (show.folder / "mine.png").write_bytes(b"kept")
    show.once()

    assert not (show.folder / "light.png").exists()
    assert (show.folder / "mine.png").exists()


def test_no_issue_no_files(show: Show) -> None:
    """On a day without news the reason is told and nothing is written."""
    show.now = NOON.replace(year=2027)
    show.day = show.now.date()
    shown = show.once()

    assert shown.files == ()
    assert [mistake.what.partition(": ")[0] for mistake in shown.mistakes] == ["no issue for 2027-11-20"]
    assert not show.folder.exists()


# --- pictures ------------------------------------------------------------------------------------------------------


class TestInChromium:
    """What needs the browser."""

    pytestmark = in_chromium

    def test_four_pictures(self, app: App, tmp_path: Path) -> None:
        """Light, dark, phone and blocked: of the whole page, each as it is called."""
        edition = write_preview(app, frozen(app), reader="", folder=tmp_path)
        pictures = take_pictures(edition.html, tmp_path, program=CHROMIUM)

        assert [path.name for path in pictures.files] == ["light.png", "dark.png", "phone.png", "blocked.png"]
        assert pictures.notes == ()
        grounds = {}
        for path in pictures.files:
            with Picture.open(path) as picture:
                assert picture.width == VIEWS[path.name].width
                assert picture.height > 1000
                grounds[path.name] = picture.convert("L").resize((1, 1)).tobytes()[0]
        assert grounds["dark.png"] < 100 < min(grounds["light.png"], grounds["phone.png"], grounds["blocked.png"])

    def test_images_are_grey_loaded_or_blocked(self, tmp_path: Path, site: Site) -> None:
        """No image is loaded unless that is wanted, and then each once, and never for the picture without them."""
        picture = tmp_path / "red.png"
        Picture.new("RGB", (40, 40), "#ff0000").save(picture)
        site.pages |= {
            "/red.png": Page(body=picture.read_bytes(), content_type="image/png"),
            "/page": Page(body=b"<p>x</p>", content_type="text/html"),
        }
        page = (
            '<!doctype html><body style="margin:0;background:#ffffff">'
            f'<img src="{site.url}/red.png" width="40" height="40" alt="">'
            f'<img src="{site.url}/page" width="40"><img src="{site.url}/gone" width="40">'
        )
        take_pictures(page, tmp_path, program=CHROMIUM)
        assert site.asked == []
        grey = _sky(tmp_path / "light.png")

        fetch = image_fetch(allow=[ip_network("127.0.0.0/8")], user_agent="test")
        pictures = take_pictures(page, tmp_path, program=CHROMIUM, fetch=fetch)
        assert sorted(site.asked) == ["/gone", "/page", "/red.png"]
        assert [note.partition(": ")[0] for note in pictures.notes] == [
            f"image {site.url}/page",
            f"image {site.url}/gone",
        ]
        assert grey == (135, 149, 168)
        assert _sky(tmp_path / "light.png") == _sky(tmp_path / "phone.png") == (255, 0, 0)
        assert _sky(tmp_path / "blocked.png") == (255, 255, 255)

    def test_the_page_loads_images_only_if_wanted(self, tmp_path: Path, site: Site) -> None:
        """The frames of the page are under its policy, opened from a file or not; its pictures are shown."""
        site.pages["/a.png"] = Page(body=b"", content_type="image/png")
        edition = replace(an_edition("x", tmp_path), html=f'<img src="{site.url}/a.png">')
        index = write_page(tmp_path, edition, title="x")
        _visit(index, profile=tmp_path / "first")
        assert site.asked == []

        write_page(tmp_path, edition, title="x", images=True)
        _visit(index, profile=tmp_path / "second")
        assert set(site.asked) == {"/a.png"}


def _sky(path: Path) -> object:
    """A place in the upper part of the first image, beside the sign that Chromium gives images it did not get."""
    with Picture.open(path) as picture:
        return picture.convert("RGB").getpixel((30, 5))


def _visit(page: Path, *, profile: Path) -> None:
    """Open a page as somebody would, with whatever it wants to load and run."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={profile}", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, check=True, timeout=60)


def test_private_networks_are_not_asked(site: Site) -> None:
    """An image whose address leads into the operator's own network is not asked for."""
    fetch = image_fetch(allow=[], user_agent="test")
    ((_, answer),) = fetch([Request(url=f"{site.url}/a.png")])

    assert "is a private address" in str(answer)
    assert site.asked == []


def test_no_browser_no_pictures(tmp_path: Path) -> None:
    """Without Chromium a line says what to install; one that fails is told, and the rest goes on."""
    assert take_pictures("x", tmp_path, program=None).notes == (
        "no pictures: install Chromium (on Debian: apt install chromium)",
    )
    assert take_pictures("x", tmp_path, program="/bin/false").notes == (
        "not every picture was taken: Chromium ended: without a word",
    )


# --- while one works on it -----------------------------------------------------------------------------------------


def _steps(*steps: Callable[[], object]) -> Callable[[], bool]:
    """An `over` that does one of the steps at a time instead of waiting, and ends after the last."""
    waiting = iter(steps)

    def over() -> bool:
        step = next(waiting, None)
        if step is not None:
            step()
        return step is None

    return over


def test_it_looks_again_when_something_changes(tmp_path: Path) -> None:
    """A file that is written, made or removed is a change; a look at nothing new is none."""
    folder, plan = tmp_path / "templates", tmp_path / "schedules.yaml"
    (folder / "email").mkdir(parents=True)
    plan.write_text("a")
    new = folder / "email" / "new.j2"
    counts: list[int] = []
    shows: list[int] = []

    def step(change: Callable[[], object]) -> Callable[[], object]:
        def count_and_change() -> None:
            counts.append(len(shows))
            change()

        return count_and_change

    changes = [
        lambda: None,
        lambda: new.write_text("x"),
        lambda: None,
        lambda: os.utime(new, ns=(1, 1)),
        lambda: plan.write_text("abc"),
        new.unlink,
    ]
    watch(lambda: shows.append(1), [folder, plan, tmp_path / "gone"], over=_steps(*map(step, changes)))

    assert counts == [1, 1, 2, 2, 3, 4]
    assert len(shows) == 5


def test_a_mistake_stands_beside_the_last_good_issue(show: Show) -> None:
    """A template that cannot be rendered is named with its line; what was good stays, and comes again when mended."""
    text = show.app.config.templates / "email" / "mine" / "issue.txt.j2"
    good = text.read_text("utf-8")
    line = len(good.splitlines()) + 1
    show.again()
    before = (show.folder / "issue.html").read_bytes()
    text.write_text(good + "{{ nothing }}\n", encoding="utf-8")
    broken = show.again()
    words = said(show.folder)

    assert broken.mistakes == (Mistake(place=f"email/mine/issue.txt.j2:{line}:", what="'nothing' is undefined"),)
    assert f"email/mine/issue.txt.j2:{line}: 'nothing' is undefined" in words
    assert "Below is the last good issue" in words
    assert (show.folder / "issue.html").read_bytes() == before
    assert page_of(show.folder).find_all("iframe")

    text.write_text(good + "A new last line\n", encoding="utf-8")
    assert show.again().mistakes == ()
    assert "A new last line" in said(show.folder)
    assert "Below is the last good issue" not in said(show.folder)
    assert show.version == 3


def test_a_mistake_in_the_plan(show: Show) -> None:
    """Every mistake in schedules.yaml stands on the page, also when there is no issue yet; then it is read anew."""
    plan = show.app.config.schedules
    good = plan.read_text("utf-8")
    plan.write_text(good.replace("topics: [models]", "topcs: [models]").replace("timezone: UTC", "timezone: UTX"))
    show.again()
    words = said(show.folder)
    assert "There is no issue to show" in words
    assert "topcs" in words
    assert "UTX" in words

    plan.write_text(good.replace("title: Daily Papers", "title: Weekly Papers"))
    assert show.again().mistakes == ()
    assert "Weekly Papers" in said(show.folder)


def _get(url: str, path: str, **headers: str) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.body = answer.read().decode()  # type: ignore[attr-defined]
    connection.close()
    return answer


def test_the_page_is_served(show: Show) -> None:
    """The page with its version, the script that reloads it, its files, and nothing else."""
    show.again()
    (show.folder / "secret.txt").write_text("x")
    with open_server(show.folder, lambda: show.version) as url:
        answers = {path: _get(url, path) for path in ("/", "/version", "/reload.js", "/issue.html?x", "/issue.eml")}
        lost = [_get(url, path).status for path in ("/secret.txt", "/../secret.txt", "/%2e%2e/", "/dark.png", "/.env")]
        port = urlsplit(url).port
        by_name = _get(url, "/", Host=f"localhost:{port}").status
        from_elsewhere = _get(url, "/", Host=f"evil.example:{port}").status

    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert 'data-version="1"' in answers["/"].body  # type: ignore[attr-defined]
    assert answers["/version"].body == "1"  # type: ignore[attr-defined]
    assert answers["/issue.html?x"].headers["Content-Security-Policy"].startswith("sandbox")
    assert answers["/issue.eml"].headers["Content-Type"] == "message/rfc822"
    assert lost == [404] * 5
    assert (by_name, from_elsewhere) == (200, 421)


@pytest.mark.chromium
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH")
def test_the_page_reloads_itself(show: Show, tmp_path: Path) -> None:
    """A browser that has the page open asks for the version, and gets the new page once there is one."""
    show.again()
    asked = []

    def version() -> int:
        asked.append(show.version)
        if len(asked) == 1:
            plan = show.app.config.schedules
            plan.write_text(plan.read_text("utf-8").replace("title: Daily Papers", "title: Weekly Papers"))
            show.again()
        return show.version

    with open_server(show.folder, version) as url:
        command = [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=4000",
            f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", url,
        ]  # fmt: skip
        page = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True).stdout

    assert "<title>Preview: Weekly Papers</title>" in page
    assert asked[0] == 1
    assert 2 in asked


def test_stamps_are_those_of_files(tmp_path: Path) -> None:
    """A folder's own time is not looked at, and a link that leads nowhere is none."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("abc")
    (tmp_path / "dead").symlink_to(tmp_path / "gone")

    found = stamps([tmp_path])
    assert [(path.name, size) for path, (_, size) in found.items()] == [("file", 3)]
