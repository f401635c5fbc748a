"""What a reader chooses, and what nobody can choose for them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter import consent
from newsletter.links import Purpose
from newsletter.model import Preferences
from tests.web.issues import publish, voted
from tests.web.readers import READER, fill_in, join, kinds, link, mails, path, state, subjects
from tests.web.websites import Website, open_website
from tests.workspaces import PLAN

HOUR = timedelta(hours=1)
WEEKLY = '  weekly: {newsletter: daily-papers, every: monday, at: "08:00", cadence: weekly}\n'


@pytest.fixture
def reader(website: Website) -> int:
    """Somebody who reads it."""
    return join(website)


def chosen(website: Website, subscriber: int) -> Preferences:
    """What is kept of their choices."""
    return website.app.store.subscribers.preferences([subscriber], "daily-papers")[subscriber]


def test_a_reader_chooses(tmp_path: Path) -> None:
    """Everything at once; the page shows it again, masks the address, and the log has one more event."""
    with open_website(tmp_path, plan=PLAN + WEEKLY) as website:
        subscriber = join(website)
        target = path(website, Purpose.PREFERENCES, subscriber)
        until = (website.now + timedelta(days=9)).date()
        form = [
            ("topics", "models"),
            ("include", "LLM, diffusion\nLLM"),
            ("exclude", "<b>crypto</b>"),
            ("authors", "Ada Lovelace"),
            ("cadence", "weekly"),
            ("hour", "6"),
            ("timezone", "Asia/Tokyo"),
            ("language", "de"),
            ("stories", "5"),
            ("paused_until", until.isoformat()),
        ]

        saved = website.post(target, form)
        page = website.get(target).text

        assert saved.status == 200
        assert chosen(website, subscriber) == Preferences(
            include=("LLM", "diffusion"),  # of one topic, all: that is none in particular
            exclude=("<b>crypto</b>",),
            authors=("Ada Lovelace",),
            cadence="weekly",
            hour=6,
            timezone="Asia/Tokyo",
            language="de",
            stories=5,
            paused_until=until,
        )
        assert '<html lang="de"' in page
        assert "LLM, diffusion" in page
        assert "<b>crypto" not in page
        assert READER not in page
        assert "r…@example.org" in page
        assert kinds(website, subscriber) == ["asked", "confirmed", "preferences"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(website: Website, reader: int, method: str) -> None:
    """And no cache, search engine or other site learns of the page."""
    page = website.ask(method, path(website, Purpose.PREFERENCES, reader) + "?cadence=weekly&stories=3")

    assert page.status == 200
    assert chosen(website, reader) == Preferences(language="en")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]


def test_every_mistake_is_told_at_once(website: Website, reader: int) -> None:
    """Beside its field, with what was typed still there; nothing is kept."""
    target = path(website, Purpose.PREFERENCES, reader)
    form = {
        "topics": "../etc",
        "include": "x" * 81,
        "exclude": ",".join(str(number) for number in range(51)),
        "authors": "a\u202eb",
        "cadence": "-1",
        "hour": "24",
        "timezone": "../etc",
        "language": "xx",
        "stories": "-1",
        "paused_until": "2026-02-30",
    }
    answer = website.post(target, form)

    assert answer.status == 400
    assert answer.text.count('class="mistake"') == 1 + len(form)
    assert "x" * 81 in answer.text
    assert chosen(website, reader) == Preferences(language="en")
    for wrong in (
        {"timezone": "EST5EDT"},
        {"timezone": "Etc/GMT+5"},
        {"hour": "\u0666"},
        {"hour": "1e1"},
        {"stories": "9" * 5_000},
        {"paused_until": "9999-12-31"},
        {"paused_until": "20271224"},
        {"topics": "Models"},
        {"cadence": "weekly"},  # there is no weekly schedule
    ):
        assert website.post(target, wrong).status == 400, wrong
    assert website.post(target, {"include": "x" * 1_000_000}).status == 413
    assert chosen(website, reader) == Preferences(language="en")


def test_only_what_the_token_says_counts(website: Website, reader: int) -> None:
    """A number in the form or the address gives nobody another's preferences."""
    other = join(website, "other@example.org")
    target = path(website, Purpose.PREFERENCES, reader)
    website.post(target + f"?subscriber={other}", {"subscriber": str(other), "id": str(other), "stories": "3"})

    assert chosen(website, reader).stories == 3
    assert chosen(website, other).stories is None


def test_who_does_not_read_it_has_nothing_to_choose(website: Website, reader: int) -> None:
    """Whoever left, or is erased, is told so; choosing brings nobody back."""
    target = path(website, Purpose.PREFERENCES, reader)
    website.app.store.subscribers.leave(reader, newsletter="daily-papers", now=website.now)
    answers = [website.get(target), website.post(target, {"stories": "3"})]
    website.app.store.subscribers.forget(reader)
    answers += [website.get(target), website.post(target, {"stories": "3"})]

    assert {answer.status for answer in answers} == {200}
    assert all("You are not subscribed" in answer.text for answer in answers)
    assert state(website) == ""


def test_a_forwarded_link_is_no_way_to_ones_data(website: Website, reader: int) -> None:
    """The page mails a link, to the reader alone; it works for a day, and is none of the others."""
    target = path(website, Purpose.PREFERENCES, reader)
    asked = website.post(target, {"wish": "account"})
    website.pass_time(2 * HOUR)
    website.post(target, {"wish": "account"})
    came = subjects(website)
    mailed = link(mails(website)[-1], "account")
    page = website.get(mailed)

    assert asked.status == 200
    assert "Your data at Daily Papers" in came
    assert (page.status, READER in page.text) == (200, False)
    assert website.get(path(website, Purpose.PREFERENCES, reader).replace("preferences", "account")).status == 404
    website.pass_time(25 * HOUR)
    for late in (
        website.get(mailed),
        website.post(mailed, {"want": "export"}),
        website.post(mailed, {"want": "erase"}),
    ):
        assert late.status == 410


def account(website: Website, reader: int) -> str:
    """The path of a link to somebody's data."""
    website.pass_time(2 * HOUR)
    website.post(path(website, Purpose.PREFERENCES, reader), {"wish": "account"})
    return link(mails(website)[-1], "account")


def test_everything_that_is_kept(website: Website, reader: int) -> None:
    """As one document: who they are, what they agreed to and when, what was asked with their address."""
    answer = website.post(account(website, reader), {"want": "export"})
    kept = json.loads(answer.text)

    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert kept["subscribers"][0]["email"] == READER
    assert [event["kind"] for event in kept["events"]] == ["asked", "confirmed"]
    assert [asked["wish"] for asked in kept["applications"]] == ["subscribe", "welcome", "account"]


def test_erasing_is_asked_once_more(website: Website, reader: int) -> None:
    """Then nothing is left of the address, also of what was asked with it; a second press finds nobody."""
    target = account(website, reader)
    looked = website.get(target + "?want=erase&sure=yes").status
    first = website.post(target, {"want": "erase"})
    still = website.app.store.subscribers.find(READER)
    second = website.post(target, {"want": "erase", "sure": "yes"})

    assert (looked, first.status, still, second.status) == (200, 200, reader, 200)
    assert "cannot be brought back" in first.text
    assert website.app.store.subscribers.find(READER) is None
    assert website.app.store.applications.of(READER) == []
    assert website.post(target, {"want": "erase", "sure": "yes"}).status == 410
    fill_in(website)
    assert subjects(website)[-1] == "Please confirm: Daily Papers"


def test_who_was_erased_comes_back_by_themselves_only(website: Website, reader: int) -> None:
    """A list that has them brings nobody back; their own confirmation does, and they are on lists as others are."""
    app = website.app
    website.post(account(website, reader), {"want": "erase", "sure": "yes"})
    listed = {READER.upper(): "left"}

    assert consent.barred(app.store, app.links, list(listed), newsletter="daily-papers") == listed
    assert consent.barred(app.store, app.links, list(listed), newsletter="another") == {}
    assert READER not in str(app.store.consent.departed(app.links.fingerprints(READER), "daily-papers"))
    website.pass_time(2 * HOUR)
    join(website)
    assert consent.barred(app.store, app.links, list(listed), newsletter="daily-papers") == {}


def test_readers_of_a_private_newsletter_have_their_pages(tmp_path: Path) -> None:
    """And nothing on them leads to one that there is not, nor is the way back by a form."""
    plan = PLAN.replace("    sources: [saved]", "    public: false\n    sources: [saved]")
    with open_website(tmp_path, readers=1, plan=plan) as website:
        subscriber = website.app.store.subscribers.get("reader000@example.org")
        purposes = (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.CONFIRM)
        pages = [website.get(path(website, purpose, subscriber)) for purpose in purposes]

        assert [page.status for page in pages] == [200] * 3
        assert not any('href="/daily-papers' in page.text for page in pages)
        assert website.post(path(website, Purpose.PREFERENCES, subscriber), {"stories": "3"}).status == 200
        assert chosen(website, subscriber).stories == 3


def test_the_page_says_how_much_they_would_get(website: Website, reader: int) -> None:
    """Of the latest issue, as it is saved; nothing before the first issue, nor for who chose nothing."""
    target = path(website, Purpose.PREFERENCES, reader)
    website.post(target, [("exclude", "number 1")])
    before = website.get(target).text
    publish(website, voted(1, 5), voted(2, 3), day=website.now.date())
    chosen_some = website.get(target).text
    website.post(target, [("exclude", "")])

    assert "latest issue" not in before
    assert "Of the latest issue&#39;s 2 stories you would get 1." in chosen_some
    assert "latest issue" not in website.get(target).text
