"""A clock that has gone wrong by days is told from a machine that was off for days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clock import LIMIT, Running, doubt, horizon, running
from newsletter.store.ticks import Tick
from tests.builders import DAY, HOUR, MINUTE, NOON

UP = timedelta(days=9)
HERE = Running(boot="here", uptime=UP)
BEFORE = {"before": Tick(at=NOON, uptime=UP)}


def later(span: timedelta) -> Running:
    """This machine, having run on for so long."""
    return Running(boot="here", uptime=UP + span)


@pytest.mark.parametrize(
    ("clock", "ran", "wrong"),
    [
        (MINUTE, MINUTE, ""),
        (5 * DAY, 5 * DAY, ""),  # no daemon ran for days
        (5 * DAY, 5 * DAY - 23 * HOUR, ""),
        (-23 * HOUR, MINUTE, ""),
        (3 * DAY, MINUTE, "jumped ahead by 3 days"),
        (25 * HOUR, 30 * MINUTE, "jumped ahead by 24 hours"),
        (400 * DAY, MINUTE, "jumped ahead by 400 days"),
        (7 * DAY, 2 * DAY, "jumped ahead by 5 days"),
        (-3 * DAY, MINUTE, "stands 3 days before the last tick"),
    ],
)
def test_while_the_machine_runs(clock: timedelta, ran: timedelta, wrong: str) -> None:
    """The clock may go on as much as the machine ran, and a day more or less."""
    why = doubt(NOON + clock, later(ran), {"here": Tick(at=NOON, uptime=UP)})

    assert (wrong in why) if wrong else (why == "")


@pytest.mark.parametrize("off", [MINUTE, 5 * DAY, 400 * DAY])
def test_a_machine_that_was_off(off: timedelta) -> None:
    """A fresh start after any time is fine, and so is the first one of all."""
    assert doubt(NOON + off, HERE, BEFORE) == ""
    assert doubt(NOON, HERE, {}) == ""


def test_a_clock_that_is_not_set_yet() -> None:
    """A machine without a battery wakes up in the past: it waits, and goes on when the clock is set."""
    wakes = datetime(1970, 1, 1, tzinfo=UTC)

    assert "before the last tick" in doubt(wakes, HERE, BEFORE)
    assert doubt(NOON + 3 * DAY, later(MINUTE), BEFORE) == ""


def test_starting_anew_confirms_nothing() -> None:
    """A clock that was doubted stays so over a restart of the machine, unless it is back where it was."""
    doubted = {"before": Tick(at=NOON, uptime=UP, doubted=True)}

    assert "had jumped before" in doubt(NOON + 5 * DAY, HERE, doubted)
    assert doubt(NOON + HOUR, HERE, doubted) == ""


def test_one_wrong_clock_stops_one_machine() -> None:
    """Where another machine ticks in the future this one goes on by its own clock, and plans by it."""
    ticks = {"here": Tick(at=NOON, uptime=UP), "there": Tick(at=NOON + 5 * DAY, uptime=UP)}

    assert doubt(NOON + MINUTE, later(MINUTE), ticks) == ""
    assert horizon(NOON + MINUTE, later(MINUTE), ticks) == NOON + MINUTE


@given(jump=st.timedeltas(-LIMIT, LIMIT), ran=st.timedeltas(timedelta(0), 100 * DAY))
def test_jumps_of_hours_are_nobodys_business(jump: timedelta, ran: timedelta) -> None:
    """Summer time in a wrong zone, a correction by NTP: within a day all is fine, and nothing is planned back."""
    ticks = {"here": Tick(at=NOON, uptime=UP)}
    now = NOON + ran + jump

    assert doubt(now, later(ran), ticks) == ""
    assert horizon(now, later(ran), ticks) == max(now, NOON)


def test_this_machine() -> None:
    """Its boot has one name, and it runs on."""
    first, second = running(), running()

    assert first.boot == second.boot
    assert timedelta(0) < first.uptime <= second.uptime
