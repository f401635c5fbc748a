"""Issues that are paused, resumed and cancelled while they go out: by an operator, or by what servers say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsletter.deliver import deliver
from newsletter.mail.breaker import POLICY, RESULTS
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.mail.smtp import open_smtp
from newsletter.model import Delivered, Outcome, State, Verdict
from newsletter.store import Store
from tests.builders import NOON
from tests.mail.faults import FaultServer
from tests.test_deliver import LINKS, publish, run

ASKS_FOR_PASSWORD = "250-fault.example.org\r\n250 AUTH PLAIN"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A mail server that takes everything."""
    with open_mailbox(tmp_path / "mailbox", port=0) as box:
        yield box


def readers(count: int) -> list[str]:
    """Addresses."""
    return [f"reader{number}@example.org" for number in range(count)]


def after(count: int, act: Callable[[], object]) -> Callable[[Outcome], None]:
    """Does something after so many outcomes, once."""
    seen = 0

    def look(_: Outcome) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            act()

    return look


def go(store: Store, issue: int, url: str, progress: Callable[[Outcome], None]) -> Delivered:
    """Deliver while somebody looks on."""
    return deliver(issue, send=open_smtp(url), links=LINKS, store=store, clock=lambda: NOON, progress=progress)


def test_paused_in_the_middle_and_resumed(store: Store, mailbox: Mailbox) -> None:
    """Nothing more is given out than was in flight; resumed, everybody gets one, and nobody two."""
    issue = publish(store, *readers(60))
    pause = after(20, lambda: store.holds.pause(issue, who="ann", why="a wrong link", now=NOON))

    first = go(store, issue, mailbox.url, pause)
    at_once = run(store, issue, open_smtp(mailbox.url))
    taken = len(mailbox.messages())
    store.holds.resume(issue, who="ann", now=NOON)
    second = run(store, issue, open_smtp(mailbox.url))

    assert 20 <= taken <= 20 + 2 * 4  # what four connections had in hand
    assert first.held
    assert "paused at 2026-11-20 12:00 UTC by ann: a wrong link; `newsletter issues resume" in first.stopped
    assert first.states == at_once.states == {State.SENT: taken, State.QUEUED: 60 - taken}
    assert (at_once.outcomes, at_once.held) == ({}, True)
    assert second.states == {State.SENT: 60}
    assert not second.held
    assert sorted(message["Delivered-To"] for message in mailbox.messages()) == sorted(readers(60))


def test_cancelled_in_the_middle(store: Store, mailbox: Mailbox) -> None:
    """Who has it has it, and everybody else is excluded with that reason."""
    issue = publish(store, *readers(60))
    cancel = after(20, lambda: store.holds.cancel(issue, who="ann", why="", now=NOON))

    delivered = go(store, issue, mailbox.url, cancel)
    again = run(store, issue, open_smtp(mailbox.url))

    taken = len(mailbox.messages())
    assert 20 <= taken < 30
    assert delivered.states == again.states == {State.SENT: taken, State.EXCLUDED: 60 - taken}
    assert store.deliveries.reasons(issue, State.EXCLUDED) == {"cancelled": 60 - taken}
    assert delivered.stopped == "cancelled at 2026-11-20 12:00 UTC by ann"


@pytest.mark.timeout(60)
def test_a_slow_one_notices_too(store: Store, mailbox: Mailbox) -> None:
    """Where the next message is minutes away, the pause is seen all the same."""
    issue = publish(store, *readers(3))
    seconds = iter(range(10_000))

    def clock() -> datetime:
        return NOON + timedelta(seconds=next(seconds))

    delivered = deliver(
        issue,
        send=open_smtp(f"{mailbox.url}?rate=0.005&connections=1"),
        links=LINKS,
        store=store,
        clock=clock,
        progress=after(1, lambda: store.holds.pause(issue, who="ann", why="", now=NOON)),
    )

    assert delivered.states == {State.SENT: 1, State.QUEUED: 2}
    assert delivered.held


def test_a_twentieth_refused(store: Store) -> None:
    """A list of addresses that are none is not written to to its end; resumed, it is judged anew."""
    issue = publish(store, *readers(RESULTS + 50))
    with FaultServer({"rcpt": "550 5.1.1 no such user"}) as server:
        first = run(store, issue, open_smtp(server.url()))
        (hold,) = store.holds.waiting()
        store.holds.resume(issue, who="ann", now=NOON)
        second = run(store, issue, open_smtp(server.url()))

    refused = first.states[State.REJECTED]
    assert RESULTS <= refused < RESULTS + 10
    assert first.states == {State.REJECTED: refused, State.QUEUED: RESULTS + 50 - refused}
    assert first.held
    assert (hold.who, hold.newsletter) == ("", "daily-papers")
    assert re.fullmatch(r"10\d of 10\d messages were refused, the last so: 550 5.1.1 no such user", hold.why)
    assert second.states == {State.REJECTED: RESULTS + 50}
    assert not second.held


def test_a_few_refused_among_many(store: Store) -> None:
    """What every list has stops nothing."""
    issue = publish(store, *readers(RESULTS))
    script = {f"rcpt reader{number}@example.org": "550 5.1.1 no such user" for number in range(4)}
    with FaultServer(script) as server:
        delivered = run(store, issue, open_smtp(server.url()))

    assert delivered.states == {State.SENT: 96, State.REJECTED: 4}
    assert not delivered.held


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("dot", "550 5.7.1 message looks like spam"),
        ("rcpt", "550 5.7.26 This mail has been blocked because the sender is unauthenticated."),
    ],
)
def test_refused_for_what_we_are(store: Store, step: str, reply: str) -> None:
    """Twenty replies of one kind about us, and no further reader is spent on it."""
    issue = publish(store, *readers(POLICY + 15))
    with FaultServer({step: reply}) as server:
        delivered = run(store, issue, open_smtp(server.url()))

    assert delivered.held
    assert POLICY <= delivered.states[State.REJECTED] < POLICY + 10
    assert re.search(rf"2\d replies of one kind, and they are about us.*: {re.escape(reply)};", delivered.stopped)
    assert not any(who.suppressed for who in store.subscribers.list("daily-papers"))


@pytest.mark.parametrize(
    "script",
    [
        {"ehlo": ASKS_FOR_PASSWORD, "auth": "535 5.7.8 authentication failed"},
        {"mail": "553 5.7.1 sender address rejected: not owned by user"},
        {"dot": "554 Sending paused for this account"},
    ],
    ids=["credentials", "sender", "account"],
)
def test_refused_credentials_charge_nobody(store: Store, script: dict[str, str]) -> None:
    """The issue is paused at once, and when the cause is mended everybody is where they were before."""
    issue = publish(store, *readers(30))
    with FaultServer(script) as server:
        delivered = run(
            store,
            issue,
            open_smtp(f"smtp://user:secret@127.0.0.1:{server.port}") if "auth" in script else open_smtp(server.url()),
        )
    lines = store.deliveries.list(issue)
    store.holds.resume(issue, who="ann", now=NOON)
    with FaultServer() as server:
        mended = run(store, issue, open_smtp(server.url()), now=NOON + timedelta(minutes=2))

    assert delivered.held
    assert delivered.states == {State.QUEUED: 30}
    assert {line.attempts for line in lines} == {0}
    assert "secret" not in delivered.stopped
    assert mended.outcomes == {Verdict.SENT: 30}


def test_what_may_pass_pauses_nothing(store: Store) -> None:
    """A server that is away, or offers no encryption today, is asked again: nobody has to say so."""
    issue = publish(store, *readers(2))
    with FaultServer() as server:
        unencrypted = run(store, issue, open_smtp(server.url("?starttls=required")))
        url = server.url()
    away = run(store, issue, open_smtp(url))

    assert (unencrypted.held, away.held) == (False, False)
    assert "STARTTLS" in unencrypted.stopped
    assert away.states == {State.QUEUED: 2}


def test_all_processes_count_together(store: Store) -> None:
    """Ten refusals here and ten there are twenty."""
    issue = publish(store, *readers(60))
    with FaultServer({"dot": "550 5.7.1 message looks like spam"}) as server:
        url = server.url("?connections=1")
        seen = 0

        def stop() -> bool:
            return seen >= 10

        def look(_: Outcome) -> None:
            nonlocal seen
            seen += 1

        for _ in range(2):
            seen = 0
            delivered = deliver(
                issue, send=open_smtp(url), links=LINKS, store=store, clock=lambda: NOON, stop=stop, progress=look
            )

    assert delivered.held
    assert POLICY <= delivered.states[State.REJECTED] < POLICY + 5
