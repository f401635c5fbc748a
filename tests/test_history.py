"""What `make bench-crash` does at length, in short: killed, stopped, cut off, without database, and nobody is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.crash.account import Entered, draw_up
from benchmarks.crash.history import run
from benchmarks.crash.plan import STEPS, Trouble, draw
from benchmarks.crash.sink import Taken
from newsletter.model import State

pytestmark = pytest.mark.long

SEED = 20261120
RECIPIENTS = 400
KILLS = 10
AMOUNTS = {Trouble.KILL: KILLS, Trouble.STOP: 1, Trouble.CUT: 2}
EVERYBODY = ("ada@example.org", "bob@example.org")
SENT = [Entered(who, State.SENT, 0) for who in EVERYBODY]
TAKEN = [Taken(who, f"<{who}>", 0.0) for who in EVERYBODY]


def test_nobody_is_lost_whatever_breaks(database_url: str) -> None:
    """At the end everybody has it, few have it twice, and each of these is on record, under one Message-ID."""
    amounts = AMOUNTS | ({} if database_url.startswith("sqlite") else {Trouble.RESTART: 1})

    told = run(database_url, draw(SEED, recipients=RECIPIENTS, amounts=amounts), recipients=RECIPIENTS)

    assert told.account.faults == []
    assert told.account.recipients == RECIPIENTS
    assert told.troubles == {**amounts, Trouble.RESUME: 1}
    assert told.account.uncertain > 0


def test_nobody_is_lost_by_chunks(tmp_path: Path) -> None:
    """By BDAT as many mails as the window holds are on their way when a connection is cut, and no more."""
    plan = draw(SEED, recipients=RECIPIENTS, amounts={Trouble.KILL: 4, Trouble.CUT: 2})

    told = run(f"sqlite:///{tmp_path / 'newsletter.db'}", plan, recipients=RECIPIENTS, connections=2, chunking=4)

    assert told.account.faults == []
    assert told.chunks == told.account.taken
    assert told.troubles == {Trouble.KILL: 4, Trouble.CUT: 2}


def test_nobody_is_lost_when_the_disk_is_full(tmp_path: Path) -> None:
    """A process that cannot write its ledger any more sends nothing more; the next one finds everything as it was."""
    plan = draw(SEED, recipients=RECIPIENTS, amounts={Trouble.FULL: 3})
    full = {step: replace(hit, place=0) for step, hit in plan.items()}

    told = run(f"sqlite:///{tmp_path / 'newsletter.db'}", full, recipients=RECIPIENTS)

    assert told.account.faults == []
    assert told.troubles == {Trouble.FULL: 3}
    assert told.started > 3  # the two at the beginning, and one for each that failed


def test_nothing_happens_twice_where_nothing_breaks(tmp_path: Path) -> None:
    """Three processes share an issue, and each reader gets one mail of one of them."""
    told = run(f"sqlite:///{tmp_path / 'newsletter.db'}", {}, recipients=RECIPIENTS, processes=3)

    assert told.account.faults == []
    assert (told.account.taken, told.account.doubled, told.account.uncertain) == (RECIPIENTS, 0, 0)


def test_a_seed_draws_the_same_again() -> None:
    """So many of each kind, at steps that are reached, and whoever is stopped is resumed later."""
    plan = draw(1, recipients=50, amounts=AMOUNTS, jitter=1)

    assert plan == draw(1, recipients=50, amounts=AMOUNTS, jitter=1)
    assert plan != draw(2, recipients=50, amounts=AMOUNTS, jitter=1)
    kinds = [hit.trouble for hit in plan.values()]
    assert {kind: kinds.count(kind) for kind in AMOUNTS} == AMOUNTS
    assert kinds.index(Trouble.STOP) < kinds.index(Trouble.RESUME)
    assert max(step for step, hit in plan.items() if hit.trouble is not Trouble.RESUME) < 50 * STEPS
    assert {hit.before for hit in plan.values()} == {True, False}


@pytest.mark.parametrize(
    ("taken", "ledger", "allowed", "fault"),
    [
        (TAKEN, SENT, 0, None),
        (TAKEN[:1], SENT, 9, "lost: 1, such as bob@example.org"),
        (TAKEN[:1], SENT[:1], 9, "lost: 1, such as bob@example.org"),
        (TAKEN, SENT[:1], 9, "not in the ledger: 1, such as bob@example.org"),
        (TAKEN[:1], [SENT[0], Entered("bob@example.org", State.QUEUED, 0)], 9, "not sent: 1, such as bob@example.org"),
        ([*TAKEN, TAKEN[0]], SENT, 9, "more copies than uncertain ends: 1, such as ada@example.org"),
        ([*TAKEN, TAKEN[0]], [replace(SENT[0], uncertain=1), SENT[1]], 1, None),
        (
            [*TAKEN, TAKEN[0]],
            [replace(SENT[0], uncertain=1), SENT[1]],
            0,
            "1 copies too many, 0 mails were on their way at the cuts",
        ),
        (
            [*TAKEN, replace(TAKEN[0], message_id="<another>")],
            [replace(SENT[0], uncertain=1), SENT[1]],
            9,
            "several Message-IDs, or another's: 1, such as ada@example.org",
        ),
        (
            [TAKEN[0], replace(TAKEN[1], message_id=TAKEN[0].message_id)],
            SENT,
            9,
            "several Message-IDs, or another's: 2, such as ada@example.org",
        ),
    ],
)
def test_the_account_sees_what_is_wrong(
    taken: list[Taken], ledger: list[Entered], allowed: int, fault: str | None
) -> None:
    """Each thing that must not be is named, with somebody it befell."""
    account = draw_up(taken, ledger, expected=EVERYBODY, allowed=allowed)

    assert account.faults == ([fault] if fault else [])
