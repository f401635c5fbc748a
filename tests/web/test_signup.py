"""Joining by a form: what is taken, what is asked by mail, and what nobody can make of it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from newsletter import consent, desk
from newsletter.alarms import troubles
from newsletter.app import App
from newsletter.desk import Desk, open_desk
from newsletter.errors import SendError
from newsletter.mail import Record
from newsletter.mail.mailbox import open_mailbox
from newsletter.model import Message
from newsletter.store.subscribers import Applicant
from tests.builders import DAY, HOUR, NOON
from tests.web.readers import READER, WHILE, fill_in, join, kinds, link, mails, state, subjects
from tests.web.websites import Website, open_website
from tests.workspaces import PLAN, make_workspace


def waiting(website: Website) -> int:
    """How many applications there are."""
    return website.app.store.applications.count(since=website.now - 30 * DAY)


def test_somebody_joins(website: Website) -> None:
    """Form, mail, button, welcome: each step is theirs, and the log tells what, when and how, with no full address."""
    asked = fill_in(website)
    (confirmation,) = mails(website)
    before = state(website)
    button = website.get(link(confirmation, "confirm"))
    pressed = website.post(link(confirmation, "confirm"))

    assert (asked.status, before, button.status, pressed.status) == (200, "pending", 200, 200)
    assert state(website) == "confirmed"
    assert "Welcome to Daily Papers" in pressed.text
    assert subjects(website) == ["Please confirm: Daily Papers", "Welcome to Daily Papers"]
    events = website.app.store.events.list(subscriber=website.app.store.subscribers.get(READER))
    assert [(event.kind, event.detail) for event in events] == [
        ("asked", "form, 198.51.100.0/24, en"),
        ("confirmed", "link, 127.0.0.0/24, en"),
    ]
    assert not any("198.51.100.7" in event.detail for event in events)


def test_the_mail_that_asks(website: Website) -> None:
    """It says that a machine wrote it, offers to leave, and holds nothing that was typed but the address."""
    fill_in(website, name="<a href=http://evil>Win</a> http://evil", list="1", status="confirmed", is_admin="1")
    (confirmation,) = mails(website)

    assert confirmation["Auto-Submitted"] == "auto-generated"
    assert "/unsubscribe/" in str(confirmation["List-Unsubscribe"])
    assert "evil" not in confirmation.as_string()
    assert state(website) == "pending"


NO_ADDRESSES = (
    "a@x.org\r\nBcc: v@y.z",
    "a@x.org%0d%0aBcc: v@y.z",
    "a\0b@x.org\0c@x.org",
    "a@x.org\u2028b",
    "x" * 50_000 + "@x.org",
    "a@x.org,b@x.org",
    "Ann <a@x.org>",
    '"a b"@x.org',
    "a@[127.0.0.1]",
    "a@localhost",
    "",
    "<script>alert(1)</script>@x.org",
    "{{7*7}}",
)


def test_what_is_no_address_is_said_so(website: Website) -> None:
    """The form again, with what is wrong; nothing is kept or sent, and what was typed is shown as text."""
    for email in NO_ADDRESSES:
        answer = fill_in(website, email)

        assert answer.status == 400, email
        assert "This is not an email address" in answer.text
        assert "<script" not in answer.text
    assert waiting(website) == 0


def test_two_spellings_are_one_reader(website: Website) -> None:
    """One mail, and one subscriber."""
    fill_in(website, "A@Example.ORG")
    fill_in(website, "a@example.org")

    assert len(mails(website, "a@example.org")) == 1
    assert len(website.app.store.subscribers.list("daily-papers")) == 1


def test_everybody_gets_the_same_answer(website: Website) -> None:
    """Unknown, pending, reader, left, bounced: the page tells nothing; the mail tells the rest, or nothing comes."""
    store = website.app.store
    for name in ("reader", "left", "bounced"):
        join(website, f"{name}@example.org")
    store.subscribers.leave(store.subscribers.get("left@example.org"), newsletter="daily-papers", now=website.now)
    store.subscribers.suppress(store.subscribers.get("bounced@example.org"), reason="no such user", now=website.now)
    fill_in(website, "pending@example.org")
    mails(website)
    website.pass_time(2 * HOUR)
    names = ("unknown", "pending", "reader", "left", "bounced")
    before = {name: len(mails(website, f"{name}@example.org")) for name in names}

    answers = {name: fill_in(website, f"{name}@example.org") for name in names}

    assert {(answer.status, answer.body) for answer in answers.values()} == {(200, answers["unknown"].body)}
    came = {name: subjects(website, f"{name}@example.org")[before[name] :] for name in names}
    assert came == {
        "unknown": ["Please confirm: Daily Papers"],
        "pending": ["Please confirm: Daily Papers"],
        "reader": ["Your link to Daily Papers"],
        "left": ["Please confirm: Daily Papers"],
        "bounced": [],
    }


def test_an_address_gets_few_mails(website: Website) -> None:
    """However often and from wherever it is typed: one an hour, three a day, five a week; the page says the same."""
    statuses = {fill_in(website, network=f"10.0.{number}.1").status for number in range(20)}
    counts = [len(mails(website))]
    for _ in range(7 * 4 - 1):
        website.pass_time(6 * HOUR)
        statuses.add(fill_in(website).status)
        counts.append(len(mails(website)))

    assert statuses == {200}
    assert counts[:6] == [1, 2, 3, 3, 4, 5]
    assert counts[-1] == 5


def test_limits_of_an_address() -> None:
    """Each counts what was sent within its time."""

    def ago(*by: timedelta) -> list[datetime]:
        return [NOON - each for each in by]

    assert consent.is_within_limits([], now=NOON)
    assert not consent.is_within_limits(ago(HOUR / 2), now=NOON)
    assert consent.is_within_limits(ago(HOUR), now=NOON)
    assert not consent.is_within_limits(ago(2 * HOUR, 3 * HOUR, 4 * HOUR), now=NOON)
    assert not consent.is_within_limits(ago(1 * DAY, 2 * DAY, 3 * DAY, 4 * DAY, 6 * DAY), now=NOON)


def test_a_network_has_a_limit_of_its_own(website: Website) -> None:
    """A list of addresses from one place is cut short, and everybody else goes on."""
    statuses = [fill_in(website, f"r{number}@example.org", network="203.0.113.9").status for number in range(40)]
    elsewhere = fill_in(website, "other@example.org", network="192.0.2.1")

    assert statuses.count(200) == consent.OF_NETWORK
    assert set(statuses[consent.OF_NETWORK :]) == {429}
    assert elsewhere.status == 200
    assert waiting(website) == consent.OF_NETWORK + 1


def test_nobody_hides_behind_a_header(tmp_path: Path) -> None:
    """X-Forwarded-For counts only where a trusted proxy wrote it."""
    with open_website(tmp_path, TRUSTED_PROXIES="192.0.2.0/24") as website:
        statuses = {
            fill_in(website, f"r{number}@example.org", network=f"10.{number}.0.1").status
            for number in range(consent.OF_NETWORK + 1)
        }

    assert statuses == {200, 429}


def test_the_breaker(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many an hour everybody is asked to come later, nothing is kept, and the operator hears of it."""
    monkeypatch.setattr(consent, "IN_ALL", 5)
    statuses = [fill_in(website, f"r{number}@example.org", network=f"10.0.{number}.1").status for number in range(7)]
    told = [trouble.name for trouble in troubles(website.app, now=website.now)]
    website.pass_time(HOUR + WHILE)

    assert statuses == [200] * 5 + [503] * 2
    assert "sign-ups/closed" in told
    assert fill_in(website, "later@example.org").status == 200


def test_few_confirmations_are_an_alarm(website: Website) -> None:
    """When less than a fifth of those asked confirm, somebody plays with the form."""
    for number in range(consent.ENOUGH):
        fill_in(website, f"r{number}@example.org", network=f"10.0.{number}.1")
    mails(website)
    website.pass_time(7 * HOUR)

    assert "sign-ups/unconfirmed" in [trouble.name for trouble in troubles(website.app, now=website.now)]
    for number in range(4):
        website.post(link(mails(website, f"r{number}@example.org")[0], "confirm"))
    assert "sign-ups/unconfirmed" not in [trouble.name for trouble in troubles(website.app, now=website.now)]


def test_machines_get_the_same_page_and_no_mail(website: Website) -> None:
    """A field that nobody sees, and a form sent at once: the answer is everybody's, and nothing is kept."""
    human = fill_in(website, "human@example.org")
    page = website.get("/daily-papers").text
    stamp = page.partition('name="page" value="')[2].partition('"')[0]
    hasty = website.post("/daily-papers/subscribe", {"email": READER, "page": stamp, "language": "en"})
    trapped = fill_in(website, trap="http://buy.example")

    assert "Look into your inbox" in human.text
    for machine in (hasty, trapped):
        assert (machine.status, machine.body) == (human.status, human.body)
    assert waiting(website) == 1


def test_a_form_from_elsewhere_needs_one_press_more(website: Website) -> None:
    """It comes from another site, or lay open for a day: the page has the address filled in, and nothing is kept."""
    links = website.app.links
    old = links.stamp("daily-papers", now=website.now - DAY - HOUR)
    others = links.stamp("weekly", now=website.now - HOUR)
    for stamp in ("", "1.x", old, others):
        answer = website.post("/daily-papers/subscribe", {"email": READER, "page": stamp})

        assert answer.status == 200
        assert f'value="{READER}"' in answer.text
        assert "One press more" in answer.text
    assert waiting(website) == 0


NO_FORMS = (
    ("application/json", json.dumps({"email": {}}).encode()),
    ("application/json", b"[" * 10_000),
    ("text/plain", b"email=a@x.org"),
    ("multipart/form-data; boundary=x", b"--y\r\nbroken"),
    ("multipart/form-data", b"email"),
    ("application/x-www-form-urlencoded; charset=utf-7", b"email=%ff%fe"),
    ("application/x-www-form-urlencoded", b"email=a@x.org&email=b@x.org"),
    ("application/x-www-form-urlencoded", b"email[]=a@x.org&lists[]=1&lists[]=1"),
    ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(5_000))),
    ("", b"\x00\xff"),
)


def test_what_is_no_form_is_refused(website: Website) -> None:
    """Never with an error of ours."""
    for content_type, body in NO_FORMS:
        headers = {"Content-Type": content_type}
        answer = website.ask("POST", "/daily-papers/subscribe", body=body, headers=headers)

        assert answer.status in (400, 415), (content_type, body[:40])
    assert waiting(website) == 0


def test_a_private_newsletter_is_not_joined_by_form(tmp_path: Path) -> None:
    """It has no page, and no form that anybody could fill in."""
    with open_website(
        tmp_path, plan=PLAN.replace("    sources: [saved]", "    public: false\n    sources: [saved]")
    ) as website:
        stamp = website.app.links.stamp("daily-papers", now=website.now - HOUR)
        form = {"email": READER, "page": stamp}

        assert website.post("/daily-papers/subscribe", form).status == 404
        assert website.post("/nowhere/subscribe", form).status == 404
        assert {
            website.get(path).status for path in ("/daily-papers", "/daily-papers/embed", "/daily-papers/subscribe")
        } == {404}


def test_looking_at_a_link_changes_nothing(website: Website) -> None:
    """Scanners open every link of a mail, often; the page has one button and no script presses it."""
    fill_in(website)
    (confirmation,) = mails(website)
    for purpose in ("confirm", "never"):
        path = link(confirmation, purpose)
        asked = [website.ask(method, path).status for method in ("GET", "HEAD", "OPTIONS") for _ in range(5)]
        page = website.get(path)

        assert set(asked) <= {200, 405}
        assert page.text.count("<button") == 1
        assert "<script" not in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in page.headers["X-Robots-Tag"]
    assert state(website) == "pending"


def test_a_link_brings_nobody_in_twice_or_late(website: Website) -> None:
    """A second press is harmless; after a week it offers the form; nobody who left since is brought back."""
    fill_in(website)
    (confirmation,) = mails(website)
    path = link(confirmation, "confirm")
    reader = website.app.store.subscribers.get(READER)
    answers = [website.post(path).status for _ in range(3)]
    once = kinds(website, reader)
    website.pass_time(HOUR)
    website.app.store.subscribers.leave(reader, newsletter="daily-papers", now=website.now)
    after_leaving = website.post(path)
    left = state(website)
    website.pass_time(2 * HOUR)
    fill_in(website)
    again = link(mails(website)[-1], "confirm")
    website.pass_time(8 * DAY)

    assert answers == [200] * 3
    assert once == ["asked", "confirmed"]
    assert (after_leaving.status, left) == (410, "left")
    for answer in (website.get(again), website.post(again)):
        assert (answer.status, 'action="/daily-papers/subscribe"' in answer.text) == (410, True)
    assert state(website) == "left"
    fill_in(website)
    assert website.post(link(mails(website)[-1], "confirm")).status == 200
    assert state(website) == "confirmed"


def test_pressed_by_many_at_once(website: Website) -> None:
    """One of them joins; there is one event and one welcome."""
    fill_in(website)
    path = link(mails(website)[0], "confirm")
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(website.post(path).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 8
    assert kinds(website, website.app.store.subscribers.get(READER)) == ["asked", "confirmed"]
    assert len(mails(website)) == 2


def test_never_again(website: Website) -> None:
    """Everything on the address is erased but a keyed fingerprint, and no form brings it another mail."""
    fill_in(website)
    (confirmation,) = mails(website)
    path = link(confirmation, "never")

    answers = [website.post(path).status for _ in range(2)]
    website.pass_time(2 * HOUR)
    same = fill_in(website)

    assert answers == [200, 200]
    assert website.app.store.subscribers.find(READER) is None
    assert same.status == 200
    assert len(mails(website)) == 1
    assert website.app.store.subscribers.find(READER) is None


def test_never_again_when_everything_is_forgotten(website: Website) -> None:
    """The link in a mail of last month still keeps the address from being written to."""
    fill_in(website)
    (confirmation,) = mails(website)
    website.pass_time(30 * DAY)
    consent.tidy(website.app.store, now=website.now)
    forgotten = website.app.store.subscribers.find(READER)
    website.post(link(confirmation, "never"))
    fill_in(website)

    assert forgotten is None
    assert len(mails(website)) == 1


def test_who_never_answers_is_forgotten(website: Website) -> None:
    """After a week nothing stays of the address; those an operator added, and readers, stay."""
    fill_in(website)
    mails(website)
    join(website, "other@example.org")
    added = [Applicant(email="added@example.org")]
    website.app.store.subscribers.add(added, newsletter="daily-papers", confirmed=False, how="test", now=website.now)
    website.pass_time(7 * DAY + HOUR)
    consent.tidy(website.app.store, now=website.now)

    assert [who.email for who in website.app.store.subscribers.list()] == ["other@example.org", "added@example.org"]
    assert waiting(website) == 0


def test_a_mail_server_that_is_away_loses_nobody(tmp_path: Path) -> None:
    """The letter goes out when it is back, once, and the address still gets no more than it may."""
    with open_website(tmp_path) as website:
        fill_in(website)
        away = replace(website.app, send=_no_server)
        desk.answer(away, now=website.now)
        at_once = mails(website)
        website.pass_time(HOUR)
        later = mails(website)
        website.pass_time(HOUR)

        assert (at_once, len(later)) == ([], 1)
        assert len(mails(website)) == 1


def _no_server(messages: object, *, record: object, stop: object) -> None:
    raise SendError("connection refused")


def test_a_desk_that_died_is_taken_over(website: Website) -> None:
    """What it had taken up and not settled is answered when its lease is over, by whoever looks."""
    fill_in(website)
    held = website.app.store.applications.claim(
        owner="gone", now=website.now, lease_until=website.now + desk.LEASE, limit=10
    )

    assert len(held) == 1
    assert mails(website) == []
    website.pass_time(desk.LEASE + WHILE)
    assert subjects(website) == ["Please confirm: Daily Papers"]


def test_two_desks_write_one_letter(website: Website) -> None:
    """However many processes look at once."""
    fill_in(website)
    threads = [threading.Thread(target=desk.answer, args=[website.app], kwargs={"now": website.now}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(mails(website)) == 1


def test_the_desk_takes_up_changed_schedules(website: Website) -> None:
    """A newsletter that was renamed is known at the next look; one with mistakes changes nothing."""
    known: list[App] = []
    working = Desk(website.app, clock=lambda: website.now, changed=known.append)
    path = website.app.config.schedules
    path.write_text(PLAN.replace("title: Daily Papers", "title: Papers of the day"), encoding="utf-8")
    working.work()
    path.write_text("nonsense: [", encoding="utf-8")
    working.work()

    assert [app.newsletter("daily-papers").title for app in known] == ["Papers of the day"]


def test_the_desk_works_beside_the_pages(website: Website) -> None:
    """In a thread that ends with its `with`; what waits is answered without anybody asking for it."""
    sent = threading.Event()

    def send(messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
        website.app.send(messages, record=record, stop=stop)
        sent.set()

    fill_in(website)
    with open_desk(Desk(replace(website.app, send=send), clock=lambda: website.now)):
        assert sent.wait(20)
    assert len(website.mailbox.messages()) == 1
    assert "desk" not in {thread.name for thread in threading.enumerate()}


def test_the_form_for_other_sites(website: Website) -> None:
    """Under two kilobytes, without script; what it sends is answered with one press more."""
    page = website.get("/daily-papers/embed").text
    snippet = page.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0]

    assert 0 < len(snippet.encode()) < 2_000
    assert "script" not in snippet
    assert f"{website.url}/daily-papers/subscribe" in snippet


def test_pages_speak_the_language_of_the_form(website: Website) -> None:
    """And the mail too; one that we do not speak is the newsletter's."""
    german = fill_in(website, language="de")
    (confirmation,) = mails(website)
    odd = fill_in(website, "b@example.org", language="../../etc/passwd")

    assert '<html lang="de"' in german.text
    assert "Please" not in str(confirmation["Subject"])
    assert '<html lang="en"' in odd.text


def test_nothing_leads_to_where_somebody_says(website: Website) -> None:
    """No page takes an address to go on to: there is none to forge."""
    reader = join(website)
    elsewhere = (
        "https://evil",
        "//evil",
        "/\\evil",
        "https:evil",
        "javascript:alert(1)",
        "https://good@evil",
        "java\tscript:x",
    )
    links = [link(mails(website)[0], purpose) for purpose in ("confirm", "never")]
    for target in elsewhere:
        query = urlencode({"url": target, "next": target, "return": target})
        answers = [website.get(f"/c?{query}"), *(website.get(f"{path}?{query}") for path in links)]

        assert answers[0].status == 404
        assert all("Location" not in answer.headers and "evil" not in answer.text for answer in answers)
    assert website.app.store.subscribers.get(READER) == reader


def test_the_daemon_serves_the_pages_too(tmp_path: Path) -> None:
    """`daemon --web`: clock, pages and desk are one process, and end together."""
    with open_mailbox(tmp_path / "mailbox", port=0) as mailbox:
        workspace = make_workspace(tmp_path / "workspace", smtp_url=mailbox.url)
        with workspace.start("daemon", "--web", "--listen", "127.0.0.1:0") as process:
            assert process.stderr is not None
            told = next(line for line in process.stderr if "serving http" in line)
            place = urlsplit(told.partition("serving ")[2].partition("/,")[0])
            connection = http.client.HTTPConnection(place.netloc, timeout=20)
            connection.request("GET", "/daily-papers")
            status = connection.getresponse().status
            connection.close()
            process.terminate()
            process.stderr.read()

            assert (status, process.wait()) == (200, 0)
