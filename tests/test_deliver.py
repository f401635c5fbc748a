from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from newsletter.codec import encode
from newsletter.deliver import BACK_OFF, TOO_LATE, UNCERTAIN_WAIT, YOUNG, compiled, decide, deliver, message_id, wait
from newsletter.editions import Editions
from newsletter.errors import LinkError
from newsletter.language import speak
from newsletter.links import Links, Purpose
from newsletter.mail import Record, Send
from newsletter.mail.lanes import open_lanes
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.mail.session import Timeouts
from newsletter.mail.smtp import open_smtp
from newsletter.model import EXPIRES, Delivered, Message, Outcome, Preferences, Section, State, Verdict, WhenEmpty
from newsletter.networks import Guard
from newsletter.publish import publish as publish_issue
from newsletter.render.issue import open_render
from newsletter.render.phrases import REST, counted, subject
from newsletter.store import Store
from newsletter.store.issues import Audience
from newsletter.store.subscribers import Applicant
from tests.builders import HOUR, MINUTE, NOON, a_newsletter, a_rendered, a_story, an_issue
from tests.mail.faults import CUT, GOOD, FaultServer

SECOND = timedelta(seconds=1)
LINKS = Links(base_url="https://news.example.org", keys=("key",), bounce_domain="bounces.example.org")


def publish(store: Store, *emails: str) -> int:
    """An issue for these readers; its number."""
    store.subscribers.add(
        [Applicant(email=email, name="Ann <b>") for email in emails],
        newsletter="daily-papers",
        confirmed=True,
        how="test",
        now=NOON,
    )
    number, _ = store.issues.publish(
        an_issue(), a_rendered(), newsletter=a_newsletter(), audience=Audience(at=NOON), now=NOON
    )
    return number


def run(
    store: Store, issue: int, send: Send, now: datetime = NOON, stop: Callable[[], bool] = lambda: False
) -> Delivered:
    """Deliver with a clock that stands still."""
    return deliver(issue, send=send, links=LINKS, store=store, clock=lambda: now, stop=stop)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterable[Mailbox]:
    """A mail server that takes everything."""
    with open_mailbox(tmp_path / "mailbox", port=0) as box:
        yield box


def test_everybody_gets_one_message(store: Store, mailbox: Mailbox) -> None:
    """Each recipient gets one message of their own, and a second run sends nothing."""
    emails = [f"reader{number}@example.org" for number in range(30)]
    issue = publish(store, *emails)

    first = run(store, issue, open_smtp(mailbox.url))
    second = run(store, issue, open_smtp(mailbox.url))

    assert first.outcomes == {Verdict.SENT: 30}
    assert second.outcomes == {}
    assert second.states == {State.SENT: 30}
    assert sorted(message["Delivered-To"] for message in mailbox.messages()) == sorted(emails)


def test_a_message_is_its_recipients_own(store: Store, mailbox: Mailbox) -> None:
    """The links in a message are signed for its recipient, the same in header and body; the bounce address too."""
    issue = publish(store, "a@example.org", "b@example.org")
    run(store, issue, open_smtp(mailbox.url))

    for message in mailbox.messages():
        reader = store.subscribers.get(message["Delivered-To"])
        token = message["List-Unsubscribe"].partition("/unsubscribe/")[2].partition(">")[0]
        html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]

        assert LINKS.read(Purpose.UNSUBSCRIBE, token).subscriber == reader
        assert token in html
        assert token in text
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        delivery = LINKS.read_envelope_sender(message["Return-Path"].strip("<>"))
        assert [line.email for line in store.deliveries.list(issue) if line.id == delivery] == [message["Delivered-To"]]


def test_message_ids_are_unique_and_stay(store: Store) -> None:
    """Every recipient has a Message-ID of their own, and keeps it on the second attempt."""
    issue = publish(store, "a@example.org", "b@example.org")
    with FaultServer({"dot": "451 4.3.0 later"}, {}) as server:
        send = open_smtp(server.url("?connections=1"))
        run(store, issue, send)
        run(store, issue, send, now=NOON + 2 * HOUR)

    ids = [line for body in server.bodies for line in body.split(b"\r\n") if line.startswith(b"Message-ID:")]
    dates = {line for body in server.bodies for line in body.split(b"\r\n") if line.startswith(b"Date:")}
    assert len(server.bodies) == 4
    assert len(set(ids)) == 2
    assert len(dates) == 1


def test_one_refused_recipient_among_many(store: Store) -> None:
    """A server that knows one address not costs nobody else a mail, and that address is not written to again."""
    emails = [f"reader{number}@example.org" for number in range(20)]
    issue = publish(store, *emails)
    with FaultServer({"rcpt reader7@example.org": "550 5.1.1 no such user"}) as server:
        delivered = run(store, issue, open_smtp(server.url()))

    assert delivered.states == {State.SENT: 19, State.REJECTED: 1}
    assert store.deliveries.reasons(issue, State.REJECTED) == {"550 5.1.1 no such user": 1}
    suppressed = [who.email for who in store.subscribers.list("daily-papers") if who.suppressed]
    assert suppressed == ["reader7@example.org"]


def test_a_policy_refusal_suppresses_nobody(store: Store) -> None:
    """A server that dislikes the message says nothing about the address."""
    issue = publish(store, "a@example.org")
    with FaultServer({"dot": "550 5.7.1 message looks like spam"}) as server:
        delivered = run(store, issue, open_smtp(server.url()))

    assert delivered.states == {State.REJECTED: 1}
    assert [who.suppressed for who in store.subscribers.list("daily-papers")] == [""]


def test_a_cut_before_the_end_is_tried_again(store: Store) -> None:
    """A connection that drops before the message has not taken it: it goes out later, once."""
    issue = publish(store, "a@example.org")
    with FaultServer({"data": CUT}, {"data": CUT}, {"data": CUT}, {}) as server:
        send = open_smtp(server.url("?connections=1"))
        first = run(store, issue, send)
        second = run(store, issue, send, now=NOON + 2 * MINUTE)

    assert first.states == {State.QUEUED: 1}
    assert second.states == {State.SENT: 1}
    assert server.taken == ["a@example.org"]


def test_a_cut_after_the_end_is_uncertain(store: Store) -> None:
    """A cut before the reply is not sent again at once, but once by rule, under the same Message-ID."""
    issue = publish(store, "a@example.org")
    with FaultServer({"dot": CUT}) as server:
        send = open_smtp(server.url("?connections=1"))
        first = run(store, issue, send)
        at_once = run(store, issue, send)
        by_rule = run(store, issue, send, now=NOON + UNCERTAIN_WAIT)
        never_more = run(store, issue, send, now=NOON + 10 * UNCERTAIN_WAIT)

    assert first.states == by_rule.states == never_more.states == {State.UNCERTAIN: 1}
    assert at_once.outcomes == {}
    assert server.taken == ["a@example.org"] * 2
    assert len({body.split(b"Message-ID:")[1].split(b"\r\n")[0] for body in server.bodies}) == 1


def test_421_is_nobodys_fault(store: Store) -> None:
    """A server that closes between messages costs nobody anything: the rest goes over a new connection."""
    issue = publish(store, *(f"reader{number}@example.org" for number in range(5)))
    with FaultServer({"mail": "421 4.4.2 closing this connection"}, {}) as server:
        delivered = run(store, issue, open_smtp(server.url("?connections=1")))

    assert delivered.states == {State.SENT: 5}
    assert len(server.taken) == 5


def test_no_server_keeps_everything_queued(store: Store) -> None:
    """A mail server that is not there is told in the report, and nothing is lost."""
    issue = publish(store, "a@example.org")
    with FaultServer() as server:
        url = server.url()

    delivered = run(store, issue, open_smtp(url))

    assert delivered.states == {State.QUEUED: 1}
    assert "could not reach" in delivered.stopped


@pytest.mark.parametrize(("before", "after"), [(700, YOUNG), (2 * YOUNG, 2 * YOUNG), (0, 0)])
def test_who_sends_looks_for_cycles_less_often(store: Store, mailbox: Mailbox, before: int, after: int) -> None:
    """Not where that is so already, or where somebody wants none of it."""
    usual = gc.get_threshold()
    gc.set_threshold(before)
    try:
        run(store, publish(store, "ann@example.org"), open_smtp(mailbox.url))
        assert gc.get_threshold() == (after, *usual[1:])
    finally:
        gc.set_threshold(*usual)


def test_stopping_gives_back_what_was_claimed(store: Store, mailbox: Mailbox) -> None:
    """When asked to stop, what is in flight is finished and the rest is queued again."""
    issue = publish(store, *(f"reader{number}@example.org" for number in range(50)))
    sent = itertools.count()
    stopped = False

    def stop() -> bool:
        nonlocal stopped
        stopped = stopped or next(sent) > 20
        return stopped

    first = run(store, issue, open_smtp(mailbox.url), stop=stop)
    second = run(store, issue, open_smtp(mailbox.url))

    assert first.stopped == "asked to stop"
    assert State.SENDING not in first.states
    assert 0 < first.states[State.QUEUED] < 50
    assert second.states == {State.SENT: 50}
    assert len(mailbox.messages()) == 50


def test_whoever_left_while_it_was_going_out(store: Store, mailbox: Mailbox) -> None:
    """Somebody who leaves after the recipients were frozen gets no message, and the ledger says why."""
    issue = publish(store, "a@example.org", "b@example.org")
    store.subscribers.leave(store.subscribers.get("b@example.org"), newsletter="daily-papers", now=NOON)

    delivered = run(store, issue, open_smtp(mailbox.url))

    assert delivered.states == {State.SENT: 1, State.EXCLUDED: 1}
    assert store.deliveries.reasons(issue, State.EXCLUDED) == {"left": 1}


def test_whoever_left_after_the_envelope_was_offered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at once more before a body leaves: the connection is broken off, and the others get theirs."""
    monkeypatch.setitem(GOOD, "ehlo", "250-fault.example.org\r\n250 PIPELINING")
    emails = [f"{name}@example.org" for name in "abcde"]
    issue = publish(store, *emails)

    def leave(_outcome: Outcome) -> None:
        store.subscribers.leave(store.subscribers.get("c@example.org"), newsletter="daily-papers", now=NOON)

    with FaultServer() as server:
        send = open_smtp(server.url("?connections=1"))
        delivered = deliver(issue, send=send, links=LINKS, store=store, clock=lambda: NOON, progress=leave)

    assert delivered.states == {State.SENT: 4, State.EXCLUDED: 1}
    assert store.deliveries.reasons(issue, State.EXCLUDED) == {"left": 1}
    assert sorted(server.taken) == [email for email in emails if email != "c@example.org"]
    assert "RCPT TO:<c@example.org>" in server.commands


@pytest.mark.parametrize(
    "email", ["a@example.org\r\nRCPT TO:<v@example.net>", "a@example.org>", "a b@example.org", "a"]
)
def test_an_address_that_is_none_stops_nobody(store: Store, mailbox: Mailbox, email: str) -> None:
    """An address that could end the command it stands in is rejected with a reason; the others get their mail."""
    issue = publish(store, email, "b@example.org")

    delivered = run(store, issue, open_smtp(mailbox.url))

    assert delivered.states == {State.REJECTED: 1, State.SENT: 1}
    assert [message["Delivered-To"] for message in mailbox.messages()] == ["b@example.org"]
    (reason,) = store.deliveries.reasons(issue, State.REJECTED)
    assert "not an email address" in reason


def test_a_late_issue_is_given_up(store: Store, mailbox: Mailbox) -> None:
    """An issue that could not go out for a day does not go out at all, and the ledger says why."""
    issue = publish(store, "a@example.org")

    delivered = run(store, issue, open_smtp(mailbox.url), now=NOON + EXPIRES)

    assert delivered.states == {State.EXPIRED: 1}
    assert store.deliveries.reasons(issue, State.EXPIRED) == {TOO_LATE: 1}
    assert mailbox.messages() == ()


def test_the_ledger_knows_before_the_body_leaves(store: Store) -> None:
    """At the moment a body goes out its delivery is written down as begun: a crash then makes it uncertain."""
    issue = publish(store, "a@example.org")
    seen: list[State] = []

    def send(messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
        del stop
        message = next(iter(messages))
        record([], [message.delivery])
        store.deliveries.recover(now=NOON, is_gone=lambda _: True)  # as another process would after a crash
        seen.extend(store.deliveries.counts(issue))

    run(store, issue, send)

    assert seen == [State.UNCERTAIN]


def test_an_outcome_that_comes_again_counts_once(store: Store) -> None:
    """A database that fails when an outcome is written down already has the sender hand it over once more."""
    issue = publish(store, "a@example.org", "b@example.org")

    def send(messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
        del stop
        for message in messages:
            record([], [message.delivery])
            outcome = Outcome(delivery=message.delivery, verdict=Verdict.SENT, code=250)
            record([outcome], [])
            record([outcome], [])

    delivered = run(store, issue, send)

    assert delivered.outcomes == {Verdict.SENT: 2}
    assert delivered.states == {State.SENT: 2}


@pytest.mark.parametrize(
    ("verdict", "state", "due"),
    [
        (Verdict.SENT, State.SENT, None),
        (Verdict.REJECTED, State.REJECTED, None),
        (Verdict.SUPPRESS, State.REJECTED, None),
        (Verdict.UNCERTAIN, State.UNCERTAIN, UNCERTAIN_WAIT),
        (Verdict.UNSENT, State.QUEUED, timedelta(minutes=1)),
    ],
)
def test_what_an_outcome_is_written_as(verdict: Verdict, state: State, due: timedelta | None) -> None:
    """Each verdict has its state, and those that come back have their time."""
    mark = decide(Outcome(delivery=1, verdict=verdict, phase="dot"), attempts=0, now=NOON)

    assert mark.state == state
    assert mark.due_at == (NOON + due if due else None)


def test_waiting_grows_and_heeds_the_server() -> None:
    """Each refusal waits longer than the one before, and never shorter than the server asked for."""
    waits = [wait(attempts) for attempts in range(10)]

    assert all(BACK_OFF[0] <= waited <= BACK_OFF[-1] * 1.1 for waited in waits)
    assert waits[0] < waits[1] < waits[2] < waits[3] < waits[4] < waits[5]
    assert wait(0, retry_after=7200) >= timedelta(hours=2)
    assert 30 * SECOND <= wait(0, retry_after=30) <= 33 * SECOND
    assert wait(1, retry_after=30) >= BACK_OFF[1]
    assert wait(1, retry_after=7200) >= timedelta(hours=2)


def test_a_thousand_do_not_come_back_together() -> None:
    """A tenth of each wait is chance."""
    waits = {wait(2) for _ in range(1000)}

    assert len(waits) > 900
    assert min(waits) >= BACK_OFF[2]


@pytest.mark.parametrize("step", ["rcpt", "dot"])
def test_the_schedule_of_a_deferred_message(store: Store, step: str) -> None:
    """Wherever it is refused, each attempt counts and each wait is longer; what cannot go in time is given up."""
    issue = publish(store, "a@example.org")
    moments, now = [], NOON
    with FaultServer({step: "450 4.2.1 later"}) as server:
        send = open_smtp(server.url("?connections=1"))
        while (delivered := run(store, issue, send, now=now)).states == {State.DEFERRED: 1}:
            (line,) = store.deliveries.list(issue)
            moments.append((line.attempts, line.due_at - now))
            assert run(store, issue, send, now=line.due_at - SECOND).outcomes == {}
            now = line.due_at

    steps = (*BACK_OFF, BACK_OFF[-1])  # whether there is time for the last one is chance
    assert [attempts for attempts, _ in moments] in ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7])
    assert all(step <= waited <= 1.1 * step for (_, waited), step in zip(moments, steps, strict=False))
    assert delivered.states == {State.EXPIRED: 1}
    assert store.deliveries.list(issue)[0].reply == "4.2.1 later"
    assert now < NOON + EXPIRES


def test_a_server_that_names_a_time(store: Store) -> None:
    """Greylisting for ten seconds costs ten seconds, not ten minutes."""
    issue = publish(store, "a@example.org")
    with FaultServer({"rcpt": "450 4.7.1 greylisted, try again in 10 seconds"}, {}) as server:
        send = open_smtp(server.url("?connections=1"))
        run(store, issue, send)
        too_early = run(store, issue, send, now=NOON + 9 * SECOND)
        in_time = run(store, issue, send, now=NOON + 12 * SECOND)

    assert too_early.outcomes == {}
    assert in_time.states == {State.SENT: 1}


def test_a_forged_bounce_address_is_refused() -> None:
    """Only an envelope sender that we signed names a delivery."""
    sender = LINKS.envelope_sender(12345)

    assert LINKS.read_envelope_sender(sender.upper()) == 12345
    with pytest.raises(LinkError):
        LINKS.read_envelope_sender(sender.replace("b+", "b+a"))
    with pytest.raises(LinkError):
        LINKS.read_envelope_sender("someone@example.org")


def test_a_stalled_reply_is_uncertain(store: Store) -> None:
    """A server that takes the message and never answers leaves it uncertain, not lost and not sent twice."""
    issue = publish(store, "a@example.org")
    with FaultServer({"dot": "stall"}) as server:
        delivered = run(store, issue, open_smtp(server.url("?connections=1"), timeouts=Timeouts(dot=0.1)))

    assert delivered.states == {State.UNCERTAIN: 1}
    assert len(store.events.list(delivery=store.deliveries.list(issue)[0].id)) == 1


@pytest.mark.parametrize("expires", [EXPIRES, HOUR])
def test_what_waits_for_tomorrow_is_charged_nothing(store: Store, mailbox: Mailbox, expires: timedelta) -> None:
    """A day's share of a new server goes; the rest is due when the next day begins, or given up if that is too late."""

    def at(now: datetime) -> Delivered:
        send = open_lanes(f"{mailbox.url}?warm_up=10..40/3d").sharing(store.lanes, guard=Guard(), clock=now.timestamp)
        return run(store, issue, send, now=now)

    applicants = [Applicant(email=f"reader{number}@example.org") for number in range(15)]
    store.subscribers.add(applicants, newsletter="daily-papers", confirmed=True, how="test", now=NOON)
    audience = Audience(at=NOON, expires=expires)
    issue, _ = store.issues.publish(an_issue(), a_rendered(), newsletter=a_newsletter(), audience=audience, now=NOON)
    today, soon = at(NOON), at(NOON + MINUTE)
    left = [line for line in store.deliveries.list(issue) if line.state is not State.SENT]
    midnight = (NOON + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = at(midnight + MINUTE)

    assert today.outcomes == {Verdict.SENT: 10, Verdict.UNSENT: 5}
    assert soon.outcomes == {}
    assert all(abs(line.due_at - midnight) < MINUTE for line in left)
    assert [line.attempts for line in left] == [0] * 5
    if expires == HOUR:
        assert {line.state for line in left} == {State.EXPIRED}
    else:
        assert "may get today is through" in left[0].reason
        assert tomorrow.states == {State.SENT: 15}


def choose(store: Store, email: str, **changes: object) -> None:
    """What a reader wants from now on."""
    preferences = Preferences(**changes)  # type: ignore[arg-type]  # each by its name
    store.subscribers.choose(store.subscribers.get(email), "daily-papers", preferences, how="test", now=NOON)


def test_readers_get_what_they_chose(store: Store, mailbox: Mailbox) -> None:
    """Each gets their own edition, by what they chose until the moment of sending, under its own subject."""
    readers = ("all", "robots", "one", "late", "nothing")
    tailored = replace(an_issue(), preheader="3 papers: Language, Robots")
    sections = (
        Section(topic="language", title="Language", stories=(a_story(1, title="Words"), a_story(2, title="Worlds"))),
        Section(topic="robots", title="Robots", stories=(a_story(3, title="Hands"),)),
    )
    tailored = replace(tailored, sections=sections)
    newsletter = a_newsletter(topics=("language", "robots"))
    emails = [f"{name}@example.org" for name in readers]
    store.subscribers.add(
        [Applicant(email=email) for email in emails], newsletter="daily-papers", confirmed=True, how="test", now=NOON
    )
    choose(store, "robots@example.org", topics=("robots",))
    choose(store, "one@example.org", stories=1, language="de")
    choose(store, "late@example.org", topics=("language",))
    choose(store, "nothing@example.org", topics=("robots",), exclude=("hands",))
    render = open_render(base_url=LINKS.base_url)
    issue, _ = store.issues.publish(
        tailored,
        render.issue(tailored, newsletter=newsletter),
        newsletter=newsletter,
        audience=Audience(at=NOON),
        now=NOON,
    )
    choose(store, "late@example.org", exclude=("words",))

    delivered = run(store, issue, open_smtp(mailbox.url))

    got = {message["Delivered-To"].partition("@")[0]: message for message in mailbox.messages()}
    assert {name: message["Subject"] for name, message in got.items()} == {
        "all": "Daily Papers: Words and 2 more",
        "robots": "Daily Papers: Hands",
        "one": "Daily Papers: Words",
        "late": "Daily Papers: Worlds and 1 more",
    }
    for name, message in got.items():
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        told = {"all": "3 papers", "robots": "1 paper", "one": "1 paper", "late": "2 papers"}[name]
        assert f"\n{told} · " in text.replace("1 paper\n", "1 paper · ")
        assert ("Worlds" in text) == (name in ("all", "late"))
    assert delivered.states == {State.SENT: 4, State.EXCLUDED: 1}
    assert store.deliveries.reasons(issue, State.EXCLUDED) == {"nothing in their topics": 1}


def test_readers_get_the_issue_in_their_language(store: Store, mailbox: Mailbox) -> None:
    """The same stories in a frame of theirs, under the same names; a language chosen later is not there any more."""
    newsletter = a_newsletter(topics=("language",))
    sections = (
        Section(topic="language", title="Language", stories=(a_story(1, title="Words"), a_story(2, title="Worlds"))),
        Section(topic=REST, title="More papers", stories=(a_story(3, title="Hands"),), more=2),
    )
    issue = replace(an_issue(), preheader="3 papers: Language", sections=sections)
    people = [Applicant(email=f"{name}@example.org") for name in ("en", "de", "ar", "few", "late")]
    store.subscribers.add(people, newsletter="daily-papers", confirmed=True, how="test", now=NOON)
    choose(store, "en@example.org", language="en")
    choose(store, "de@example.org", language="de")
    choose(store, "ar@example.org", language="ar")
    choose(store, "few@example.org", language="de", stories=1)
    render = open_render(base_url=LINKS.base_url).issue
    audience = Audience(at=NOON)
    number = publish_issue(issue, newsletter=newsletter, audience=audience, render=render, store=store, now=NOON).issue
    choose(store, "late@example.org", language="fr")

    run(store, number, open_smtp(mailbox.url))

    got = {message["Delivered-To"].partition("@")[0]: message for message in mailbox.messages()}
    pages = {
        name: BeautifulSoup(message.get_body(("html",)).get_content(), "html.parser")  # type: ignore[union-attr]
        for name, message in got.items()
    }
    texts = {name: message.get_body(("plain",)).get_content() for name, message in got.items()}  # type: ignore[union-attr]
    assert {name: (page.html["lang"], page.html["dir"]) for name, page in pages.items()} == {  # type: ignore[index]
        "en": ("en", "ltr"),
        "de": ("de", "ltr"),
        "ar": ("ar", "rtl"),
        "few": ("de", "ltr"),
        "late": ("en", "ltr"),
    }
    for name, text in texts.items():
        language = speak(str(pages[name].html["lang"]))  # type: ignore[index]
        words = pages[name].get_text()
        stories = ["Words"] if name == "few" else ["Words", "Worlds", "Hands"]
        assert [title for title in ("Words", "Worlds", "Hands") if title in text] == stories
        assert (language.gettext("More papers") in words) == (name != "few")
        for part in (text, words):
            assert language.gettext("Unsubscribe") in part
            assert counted(language, len(stories), "paper") in part
            assert language.full_date(issue.slot.date) in part
    assert {name: message["Subject"] for name, message in got.items()} == {
        "en": "Daily Papers: Words and 2 more",
        "de": "Daily Papers: Words und 2 weitere",
        "ar": subject(speak("ar"), "Daily Papers", ["Words", "Worlds", "Hands"]),
        "few": "Daily Papers: Words",
        "late": "Daily Papers: Words and 2 more",
    }
    assert texts["de"].startswith("3 Artikel: Language\r\n")
    frozen = store.issues.load(number)
    ids = {line.email.partition("@")[0]: line.id for line in store.deliveries.list(number)}
    for name, message in got.items():
        assert message["Message-ID"] == message_id(frozen, ids[name])
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "/unsubscribe/" in message["List-Unsubscribe"]
        assert message["List-Id"] == got["en"]["List-Id"]
    assert store.issues.get(number).subject == got["en"]["Subject"]


def test_who_gets_nothing_is_told_so_where_that_is_wanted(store: Store, mailbox: Mailbox) -> None:
    """Compiled once, whatever they chose; everybody else gets their stories."""
    newsletter = a_newsletter(when_empty=WhenEmpty.SEND)
    emails = [f"{name}@example.org" for name in ("all", "nothing", "nor")]
    people = [Applicant(email=email) for email in emails]
    store.subscribers.add(people, newsletter="daily-papers", confirmed=True, how="test", now=NOON)
    choose(store, "nothing@example.org", exclude=("paper",))
    choose(store, "nor@example.org", exclude=("method", "number"))
    rendered = open_render(base_url=LINKS.base_url).issue(an_issue(), newsletter=newsletter)
    audience = Audience(at=NOON)
    issue, _ = store.issues.publish(an_issue(), rendered, newsletter=newsletter, audience=audience, now=NOON)

    delivered = run(store, issue, open_smtp(mailbox.url))

    got = {message["Delivered-To"].partition("@")[0]: message for message in mailbox.messages()}
    texts = {name: message.get_body(("plain",)).get_content() for name, message in got.items()}  # type: ignore[union-attr]
    assert delivered.states == {State.SENT: 3}
    assert {name: "Nothing new in your topics" in text for name, text in texts.items()} == {
        "all": False,
        "nothing": True,
        "nor": True,
    }
    assert got["nothing"]["Subject"] == "Daily Papers: nothing new"
    assert "/unsubscribe/" in texts["nothing"]
    frozen = store.issues.load(issue)
    editions = Editions(frozen, partial(compiled, links=LINKS))
    bodies = [editions.body(encode(Preferences(exclude=(word,)))) for word in ("paper", "method")]
    assert bodies[0] is bodies[1] is not None


def test_the_same_choice_is_compiled_once(store: Store) -> None:
    """Readers with the same stories have the same body, whatever words they chose them by."""
    issue = publish(store, "a@example.org")
    frozen = store.issues.load(issue)
    rendered = open_render(base_url=LINKS.base_url).issue(frozen.issue, newsletter=frozen.newsletter)
    frozen = replace(frozen, rendered=rendered)
    editions = Editions(frozen, partial(compiled, links=LINKS))

    first, second = (editions.body(encode(Preferences(exclude=(word,)))) for word in ("number 1", "method 1"))

    assert first is second is not None
    assert first is not editions.assembly.whole
    assert editions.body("") is editions.assembly.whole
    assert editions.body(encode(Preferences(language="de"))) is editions.assembly.whole
    assert editions.body(encode(Preferences(exclude=("nowhere",)))) is editions.assembly.whole
    assert editions.body(encode(Preferences(exclude=("paper",)))) is None


def test_a_language_is_compiled_once(store: Store) -> None:
    """For all who read it, and each edition in it; a language that nobody had chosen is the newsletter's."""
    issue = publish(store, "a@example.org")
    frozen = store.issues.load(issue)
    render = open_render(base_url=LINKS.base_url).issue
    german = render(replace(frozen.issue, language="de"), newsletter=frozen.newsletter)
    rendered = render(frozen.issue, newsletter=frozen.newsletter)
    frozen = replace(frozen, rendered=rendered, translations={"de": german})
    editions = Editions(frozen, partial(compiled, links=LINKS))

    whole, same = (editions.body(encode(Preferences(language="de", hour=hour))) for hour in (None, 7))
    some, others = (
        editions.body(encode(Preferences(language="de", exclude=(f"{word} 1",)))) for word in ("number", "method")
    )

    assert whole is same is editions.speaking("de").assembly.whole
    assert some is others is not None
    assert len({whole, some, editions.body(""), editions.body(encode(Preferences(exclude=("number 1",))))}) == 4
    assert editions.body(encode(Preferences(language="fr"))) is editions.assembly.whole
