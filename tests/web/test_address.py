"""A reader moves to another address, and nobody is moved by somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter import consent, desk
from newsletter.links import Purpose
from newsletter.model import Preferences
from newsletter.store.enrolment import Entrant
from tests.web.readers import READER, WHILE, fill_in, join, kinds, link, mails, path, state, subjects
from tests.web.websites import Answer, Website

NEW = "new@example.org"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ASKS, TELLS = "Please confirm your new address: Daily Papers", "Another address for Daily Papers?"


@pytest.fixture
def reader(website: Website) -> int:
    """Somebody who reads it since a day, and had their welcome."""
    number = join(website)
    mails(website)
    website.pass_time(DAY)
    return number


def ask(website: Website, reader: int, email: str = NEW, *, network: str = "198.51.100.7") -> Answer:
    """The form of the preferences page; the desk answers, and then the notice too."""
    target = path(website, Purpose.PREFERENCES, reader)
    answer = website.post(target, {"wish": "address", "email": email}, X_Forwarded_For=network)
    for _ in range(2):
        desk.answer(website.app, now=website.now)
    return answer


def move(website: Website, reader: int, email: str = NEW) -> str:
    """Ask, and confirm at the new address; the link of the old one."""
    before = website.app.store.subscribers.person(reader).email
    ask(website, reader, email)
    assert website.post(link(mails(website, email)[-1], "address")).status == 200
    return link(mails(website, before)[-1], "object")


def address_of(website: Website, reader: int) -> str:
    """Where their mails go."""
    return website.app.store.subscribers.person(reader).email


def test_everything_stays_but_the_address(website: Website, reader: int) -> None:
    """Subscription, preferences, votes and the log are theirs as before, which has both addresses."""
    store = website.app.store
    chosen = Preferences(stories=3, hour=7, timezone="Asia/Tokyo", language="en")
    store.subscribers.choose(reader, "daily-papers", chosen, how="test", now=website.now)
    store.votes.add("daily-papers", "arxiv:2611.00001", reader, now=website.now)
    asked = ask(website, reader)
    before = address_of(website, reader)
    target = link(mails(website, NEW)[-1], "address")
    looked = website.get(target)
    still = address_of(website, reader)
    pressed = [website.post(target).status for _ in range(2)]

    assert (asked.status, looked.status, pressed) == (200, 200, [200, 200])
    assert (before, still, address_of(website, reader)) == (READER, READER, NEW)
    assert "n…@example.org" in looked.text
    assert store.subscribers.preferences([reader], "daily-papers")[reader] == chosen
    assert store.votes.has("daily-papers", ["arxiv:2611.00001"], reader)
    assert state(website, NEW) == "confirmed"
    assert kinds(website, reader) == ["asked", "confirmed", "preferences", "address"]
    assert f"{READER} -> {NEW}" in store.events.list(subscriber=reader)[-1].detail
    assert subjects(website, NEW) == [ASKS]
    assert subjects(website)[-1] == TELLS


def test_the_old_address_takes_it_back(website: Website, reader: int) -> None:
    """Before it is confirmed and after, for a week, also when a second change followed; then it holds."""
    ask(website, reader)
    confirm, objection = link(mails(website, NEW)[-1], "address"), link(mails(website)[-1], "object")
    looked = website.get(objection).status
    objected = website.post(objection).status
    late = website.post(confirm).status
    website.pass_time(DAY)
    first = move(website, reader)
    website.pass_time(DAY)
    move(website, reader, "newer@example.org")
    moved = address_of(website, reader)
    back = [website.post(first).status for _ in range(2)]

    assert (looked, objected, late) == (200, 200, 410)
    assert (moved, address_of(website, reader)) == ("newer@example.org", READER)
    assert back == [200, 200]
    assert state(website) == "confirmed"
    website.pass_time(8 * DAY)
    consent.tidy(website.app.store, now=website.now)
    assert (website.get(first).status, website.post(first).status) == (410, 410)
    assert "newer@example.org" not in str(website.app.store.applications.of("newer@example.org"))


@pytest.mark.parametrize("email", ["stranger@example.org", "known@example.org", "never@example.org", "bounced@x.org"])
def test_no_answer_tells_who_is_known(website: Website, reader: int, email: str) -> None:
    """The page is the same for every address and so is the mail to the old one; nobody is moved onto another reader."""
    store, links = website.app.store, website.app.links
    join(website, "known@example.org")
    bounced = join(website, "bounced@x.org")
    store.subscribers.suppress(bounced, reason="550 no such user", now=website.now)
    store.consent.block(links.fingerprints("never@example.org")[0], now=website.now)
    website.pass_time(DAY)
    had = len(mails(website, email))
    answer = ask(website, reader, email)
    told = [str(mail["Subject"]) for mail in mails(website, email)[had:]]

    assert answer.status == 200
    assert email not in answer.text
    assert "a mail is on its way" in answer.text
    assert subjects(website)[-1] == TELLS
    expected = {"stranger@example.org": [ASKS], "known@example.org": ["Your link to Daily Papers"]}
    assert told == expected.get(email, [])
    for mail in mails(website):
        body = mail.get_body(("plain",))
        assert body is not None
        assert email not in body.get_content()


def test_the_letter_to_the_new_address_is_of_no_use_against_the_reader(website: Website, reader: int) -> None:
    """Whoever gets it may be somebody else: "never again" is about their own address, and nothing unsubscribes."""
    ask(website, reader)
    (letter,) = mails(website, NEW)
    confirm, never = link(letter, "address"), link(letter, "never")

    assert letter["List-Unsubscribe"] is None
    assert website.post(never).status == 200
    assert address_of(website, reader) == READER
    assert website.post(confirm).status == 410
    website.pass_time(2 * HOUR)
    ask(website, reader)
    assert len(mails(website, NEW)) == 1


def test_letters_are_limited(website: Website, reader: int) -> None:
    """One an hour for each reader and for each address, whoever asks by whatever form."""
    other = join(website, "other@example.org")
    website.pass_time(DAY)
    ask(website, reader, "first@example.org")
    ask(website, reader, "second@example.org")  # the reader's second within the hour
    ask(website, other, "first@example.org")  # the address's
    fill_in(website, "first@example.org")

    assert [len(mails(website, f"{name}@example.org")) for name in ("first", "second")] == [1, 0]
    assert subjects(website).count(TELLS) == 1
    website.pass_time(HOUR + WHILE)
    ask(website, reader, "second@example.org")
    assert subjects(website, "second@example.org") == [ASKS]


def test_a_network_is_limited_as_for_sign_ups(website: Website, reader: int) -> None:
    """Who asked too often is told to come later."""
    answers = [ask_only(website, reader, f"{number}@example.org") for number in range(consent.OF_NETWORK + 1)]

    assert [answer.status for answer in answers[-2:]] == [200, 429]


def ask_only(website: Website, reader: int, email: str) -> Answer:
    """The form alone."""
    return website.post(path(website, Purpose.PREFERENCES, reader), {"wish": "address", "email": email})


@pytest.mark.parametrize("wrong", ["", "broken", "a@b@c.org", "a@example.org\r\nBcc: x@example.org", "Ann <a@x.org>"])
def test_what_is_no_address_is_told_beside_the_field(website: Website, reader: int, wrong: str) -> None:
    """And nobody is written to."""
    answer = ask_only(website, reader, wrong)

    assert answer.status == 400
    assert "not an email address that a mail can be sent to" in answer.text
    assert desk.answer(website.app, now=website.now) == 0


def test_links_grow_old_and_are_nobody_elses(website: Website, reader: int) -> None:
    """The new address has a day; no link is good for another purpose, and none comes by its number."""
    ask(website, reader)
    confirm, objection = link(mails(website, NEW)[-1], "address"), link(mails(website)[-1], "object")
    crossed = [
        website.post(confirm.replace("/address/", "/object/")).status,
        website.post(objection.replace("/object/", "/address/")).status,
        website.post(path(website, Purpose.ADDRESS, reader)).status,  # ours, but of no application
        website.get(confirm.replace("/address/", "/preferences/")).status,
    ]
    website.pass_time(DAY + HOUR)

    assert crossed == [404, 404, 410, 404]
    assert (website.get(confirm).status, website.post(confirm).status) == (410, 410)
    assert address_of(website, reader) == READER


def test_somebody_who_once_left_at_the_new_address(website: Website, reader: int) -> None:
    """Is the same person now; what they left there, no list brings back, nor the old address."""
    store, links = website.app.store, website.app.links
    left = [Entrant(email=NEW, state="left")]
    for newsletter in ("daily-papers", "another"):
        store.subscribers.enrol(left, newsletter=newsletter, confirmed=True, now=website.now)
    move(website, reader)

    assert [who.email for who in store.subscribers.list()] == [NEW]
    barred = {
        name: consent.barred(store, links, [READER, NEW], newsletter=name) for name in ("daily-papers", "another")
    }
    assert barred == {"daily-papers": {READER: "left"}, "another": {NEW: "left"}}


def test_who_signs_up_at_it_meanwhile_is_not_replaced(website: Website, reader: int) -> None:
    """Neither by the change nor by taking it back."""
    ask(website, reader)
    confirm = link(mails(website, NEW)[-1], "address")
    website.pass_time(2 * HOUR)
    meanwhile = join(website, NEW)
    refused = website.post(confirm).status
    website.pass_time(DAY)
    objection = move(website, reader, "newer@example.org")
    website.pass_time(2 * HOUR)
    again = join(website)

    assert refused == 410
    assert website.post(objection).status == 410
    store = website.app.store
    assert [store.subscribers.person(number).email for number in (reader, meanwhile, again)] == [
        "newer@example.org",
        NEW,
        READER,
    ]


def test_what_was_asked_is_shown_and_erased_with_the_reader(website: Website, reader: int) -> None:
    """The new address is theirs to see, and is no more when they are not."""
    ask(website, reader)
    app = website.app
    shown = [(row["wish"], row["email"]) for row in consent.export(app.store, reader)["applications"]]
    consent.forget(app.store, app.links, reader, now=website.now)

    assert shown[-2:] == [("address", NEW), ("notice", READER)]
    assert app.store.applications.of(NEW) == []


def test_a_bounce_is_of_the_address_and_not_of_the_reader(website: Website, reader: int) -> None:
    """Who moves away from an address that takes no mail gets mail again."""
    store = website.app.store
    store.subscribers.suppress(reader, reason="552 mailbox full", now=website.now)
    move(website, reader)

    assert store.subscribers.person(reader).suppressed == ""


def test_a_change_of_keys_leaves_the_links_good(website: Website, reader: int) -> None:
    """As long as the old key still verifies."""
    ask(website, reader)
    website.site.app = replace(website.app, links=replace(website.app.links, keys=("newer", "test")))

    assert website.post(link(mails(website, NEW)[-1], "address")).status == 200
