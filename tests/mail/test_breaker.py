from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.breaker import POLICY, RESULTS, SHARE, Breaker, kind, objections
from newsletter.mail.replies import Phase, read_reply
from newsletter.model import Objection, Outcome

ORDINARY = Objection(kind="550 5.1.1 no such user", refused=1, example="550 5.1.1 no such user")


def an_outcome(code: int, text: str) -> Outcome:
    """What the reply to a final dot comes to."""
    decision = read_reply(code, text, phase=Phase.DOT)
    return Outcome(delivery=1, verdict=decision.verdict, code=code, text=text, policy=decision.policy)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "5.7.26 This mail has been blocked because the sender a@example.org is unauthenticated. x1-2y34 - gsmtp",
            "5.7.26 This mail has been blocked because the sender bo.b@example.net is unauthenticated. z9-8q - gsmtp",
        ),
        (
            "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.org",
            "5.7.1 Service unavailable; Client host [198.51.100.7] blocked using zen.example.org",
        ),
        ("Message rejected (code 17)", "message  rejected (code 18)"),
    ],
)
def test_one_kind(one: str, other: str) -> None:
    """Replies that differ in addresses, numbers and names of sessions only are of one kind."""
    assert kind(550, one) == kind(550, other)


@pytest.mark.parametrize(
    ("code", "text"),
    [(554, "5.7.1 blocked"), (550, "5.7.26 blocked"), (550, "5.7.1 suspected spam"), (550, "blocked"), (0, "")],
)
def test_other_kinds(code: int, text: str) -> None:
    """Another code, another enhanced code or other words are another kind."""
    assert kind(code, text) != kind(550, "5.7.1 blocked")


@given(st.integers(0, 599), st.text(max_size=200))
def test_every_reply_is_of_a_kind(code: int, text: str) -> None:
    """Whatever a server says: a short line, and the same for the same words."""
    name = kind(code, text)

    assert "\n" not in name
    assert len(name.split()) <= 10
    assert kind(code, f"  {text} ") == name


def test_what_counts_as_an_objection() -> None:
    """Refusals for good, and replies about us even where they are for now; neither taken mail nor greylisting."""
    found = objections(
        [
            an_outcome(250, "2.0.0 taken"),
            an_outcome(451, "4.7.1 greylisted"),
            an_outcome(452, "4.2.2 mailbox full"),
            an_outcome(550, "5.1.1 <a@example.org> no such user"),
            an_outcome(550, "5.1.1 <b@example.org> no such user"),
            an_outcome(451, "4.7.24 The SPF record of the sending domain has one or more suspicious entries."),
            an_outcome(550, "5.7.26 unauthenticated"),
        ]
    )

    assert [(one.refused, one.policy) for one in found] == [(2, 0), (0, 1), (1, 1)]
    assert found[0].example == "550 5.1.1 <a@example.org> no such user"


def test_policy_trips_at_once() -> None:
    """The twentieth reply of one kind about us stops the issue, however many were taken; nobody counts those."""
    refusal = Objection(kind="x", refused=19, policy=POLICY - 1, example="550 5.7.1 blocked")
    one_more = Objection(kind="x", refused=20, policy=POLICY, example="550 5.7.1 blocked")
    breaker = Breaker()

    def nobody() -> int:
        raise AssertionError("counted")

    assert breaker.trips(19, refusal, sent=lambda: 1_000_000) == ""
    assert "20 replies of one kind" in breaker.trips(20, one_more, sent=nobody)


@pytest.mark.parametrize(("refused", "taken", "trips"), [(5, 95, True), (5, 96, False), (5, 94, False), (99, 0, False)])
def test_a_share_of_refusals(refused: int, taken: int, trips: bool) -> None:
    """One in twenty, of a hundred at least."""
    assert bool(Breaker().trips(refused, ORDINARY, sent=lambda: taken)) is trips


@given(st.lists(st.integers(0, 20).map(lambda number: number == 0), min_size=RESULTS, max_size=600))
def test_it_trips_when_it_must_and_counts_seldom(results: list[bool]) -> None:
    """Asked at each refusal it says the same as one that counts each time, and counts far less often."""
    breaker = Breaker()
    refused = taken = counted = 0
    for was_refused in results:
        taken += not was_refused
        refused += was_refused
        if not was_refused:
            continue

        def sent(now: int = taken) -> int:
            nonlocal counted
            counted += 1
            return now

        must = refused + taken >= RESULTS and refused >= SHARE * (refused + taken)
        assert bool(breaker.trips(refused, ORDINARY, sent=sent)) is must
        if must:
            break
    assert counted <= RESULTS + 20


def test_a_healthy_issue_is_hardly_counted() -> None:
    """At four refusals in a hundred of a million the sent messages are counted a few dozen times."""
    breaker, counts = Breaker(), []
    for refused in range(1, 40_001):
        taken = refused * 24

        def sent(now: int = taken) -> int:
            counts.append(now)
            return now

        assert breaker.trips(refused, ORDINARY, sent=sent) == ""
    assert len(counts) < 60


def test_counted_anew_after_it_was_resumed() -> None:
    """A process that did not notice that its issue was paused and resumed judges what came since."""
    breaker = Breaker()
    assert breaker.trips(10, ORDINARY, sent=lambda: 100_000) == ""

    assert breaker.trips(5, ORDINARY, sent=lambda: 95)
