"""Leaving, by a button or by a mail program that presses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.links import Links, Purpose
from newsletter.model import Preferences
from tests.web.readers import READER, join, kinds, link, mails, path, state, subjects
from tests.web.websites import Website, open_website
from tests.workspaces import PLAN

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def reader(website: Website) -> int:
    """Somebody who reads it."""
    return join(website)


def test_one_click(website: Website, reader: int) -> None:
    """A bare POST of a mail program is enough: no cookie, no redirect, whatever it says of itself (RFC 8058)."""
    answer = website.post(path(website, Purpose.UNSUBSCRIBE, reader), ONE_CLICK, User_Agent="{}';--")

    assert answer.status == 200
    assert "Set-Cookie" not in answer.headers
    assert state(website) == "left"


def test_one_click_as_multipart(website: Website, reader: int) -> None:
    """The other form that RFC 8058 section 3.2 names."""
    body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = website.ask("POST", path(website, Purpose.UNSUBSCRIBE, reader), body=body, headers=headers)

    assert (answer.status, state(website)) == (200, "left")


def test_one_click_many_times_at_once(website: Website, reader: int) -> None:
    """200 each, one event, one goodbye."""
    target = path(website, Purpose.UNSUBSCRIBE, reader)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.extend(website.post(target, ONE_CLICK).status for _ in range(10)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 40
    assert kinds(website, reader) == ["asked", "confirmed", "left"]


def test_looking_changes_nothing(website: Website, reader: int) -> None:
    """A scanner that opens the link of the header or the mail leaves nobody out."""
    target = path(website, Purpose.UNSUBSCRIBE, reader)
    asked = {website.ask(method, target).status for method in ("GET", "HEAD", "OPTIONS") for _ in range(20)}

    assert asked == {200, 405}
    assert state(website) == "confirmed"
    assert "<script" not in website.get(target).text


def test_another_body_gets_the_button(website: Website, reader: int) -> None:
    """And changes nothing."""
    for form in ({}, {"List-Unsubscribe": "no"}, {"instead": "weekly"}, {"instead": "x"}, {"x": "One-Click"}):
        answer = website.post(path(website, Purpose.UNSUBSCRIBE, reader), form)

        assert (answer.status, state(website)) == (400, "confirmed")
        assert "One-Click" in answer.text


def variants(token: str) -> Iterator[str]:
    """A token as it does not stand in any mail."""
    flipped = "A" if token[5] != "A" else "B"
    yield token[:5] + flipped + token[6:]
    yield token[:-3]
    yield token + "x"
    yield token.upper()
    yield "x" * 5_000
    yield "..%2f..%2f.env"
    yield "%00"


def test_a_damaged_link_is_no_link(website: Website, reader: int) -> None:
    """Damaged, of another purpose, somebody else's text: one page, that does not tell which."""
    target = path(website, Purpose.UNSUBSCRIBE, reader)
    token = target.rpartition("/")[2]
    other = path(website, Purpose.PREFERENCES, reader).rpartition("/")[2]
    tried = [website.post(f"/unsubscribe/{wrong}", ONE_CLICK) for wrong in (*variants(token), other)]
    looked = [website.get(f"/confirm/{wrong}") for wrong in (*variants(token), token)]

    assert {answer.status for answer in (*tried, *looked)} == {404}
    assert len({answer.body for answer in (*tried, *looked)}) == 1
    assert state(website) == "confirmed"


def test_a_link_works_for_years(website: Website, reader: int) -> None:
    """It has no end, and survives a change of keys as long as the old one still verifies."""
    before = Links(base_url=website.url, keys=("test",))
    old = before.url(
        Purpose.UNSUBSCRIBE, subscriber=reader, newsletter="daily-papers", now=website.now - timedelta(days=5 * 365)
    )
    website.site.app = replace(website.app, links=replace(website.app.links, keys=("newer", "test")))

    assert website.post(old, ONE_CLICK).status == 200
    assert state(website) == "left"


def test_somebody_who_was_erased(website: Website, reader: int) -> None:
    """The page says that they are not subscribed; nothing is remembered of them by it."""
    target = path(website, Purpose.UNSUBSCRIBE, reader)
    website.app.store.subscribers.forget(reader)
    answer = website.post(target, ONE_CLICK)

    assert answer.status == 200
    assert "You are not subscribed" in answer.text
    assert website.app.store.subscribers.list() == []


def test_less_often(tmp_path: Path) -> None:
    """Where there is a weekly schedule it is offered; a pause always is. Both leave an event."""
    weekly = '  weekly: {newsletter: daily-papers, every: monday, at: "08:00", cadence: weekly}\n'
    with open_website(tmp_path, plan=PLAN + weekly) as website:
        reader = join(website)
        target = path(website, Purpose.UNSUBSCRIBE, reader)
        offered = website.get(target).text
        rarer = website.post(target, {"instead": "weekly"})
        paused = website.post(target, {"instead": "pause"})
        chosen = website.app.store.subscribers.preferences([reader], "daily-papers")[reader]

        assert 'value="weekly"' in offered
        assert (rarer.status, paused.status) == (200, 200)
        assert chosen == Preferences(
            cadence="weekly", language="en", paused_until=(website.now + timedelta(days=30)).date()
        )
        assert state(website) == "confirmed"
        assert kinds(website, reader)[2:] == ["preferences", "preferences"]
        assert 'value="weekly"' not in website.get(target).text


def test_the_way_back(website: Website, reader: int) -> None:
    """Goes through the same question by mail; the button alone brings nobody back."""
    target = path(website, Purpose.UNSUBSCRIBE, reader)
    goodbye = website.post(target, ONE_CLICK)
    website.pass_time(timedelta(hours=2))
    asked = website.post(target, {"instead": "again"})
    came = subjects(website)

    assert 'value="again"' in goodbye.text
    assert READER not in goodbye.text
    assert (asked.status, came[-1], state(website)) == (200, "Please confirm: Daily Papers", "left")
    assert website.post(link(mails(website)[-1], "confirm")).status == 200
    assert state(website) == "confirmed"
