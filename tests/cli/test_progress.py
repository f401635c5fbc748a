"""What is told while messages go out: exact, honest about what waits, and fit for where it is read."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from newsletter.cli.progress import Meter
from newsletter.model import State
from newsletter.store import Store
from newsletter.store.deliveries import Mark, Standing
from tests.builders import HOUR, NOON
from tests.forks import Forked
from tests.sinks import open_sink
from tests.store.test_holds import claim, publish, turn
from tests.test_processes import until
from tests.workspaces import Workspace, make_workspace

COLUMNS = 70


def a_meter(*seen: tuple[float, int], due: int = 1000, later: int = 0) -> Meter:
    """One that was told how much was done at these moments, of so many."""
    meter = Meter()
    for at, done in seen:
        meter.saw(Standing(done=done, due=due - done, later=later), at)
    return meter


def test_rate_and_time_left() -> None:
    """By what went lately, also when other processes sent it; what nobody sent yet has no rate."""
    meter = a_meter((0.0, 0), (10.0, 400))

    assert a_meter((0.0, 0)).line(5.0) == "0 of 1000 messages (0 %)"
    assert meter.line(10.0) == "400 of 1000 messages (40 %), 40/s, 15 s left"
    assert meter.bar(10.0, 60) == "[############------------------] 400/1000  40/s  15 s left"


def test_only_the_last_seconds_count() -> None:
    """A server that slows down is noticed, and one that stands still leaves no hope."""
    meter = a_meter((0.0, 0), (10.0, 800), (20.0, 810), (30.0, 820), (40.0, 830))

    assert meter.line(40.0) == "830 of 1000 messages (83 %), 1.0/s, 3 min left"
    assert meter.line(100.0) == "830 of 1000 messages (83 %)"


def test_what_waits_is_not_in_the_time_left() -> None:
    """What was put off does not come sooner by sending faster: it is told apart."""
    meter = a_meter((0.0, 0), (10.0, 100), due=100, later=25)

    assert meter.line(10.0) == "100 of 125 messages (80 %), 10/s, 25 wait for a later time"
    assert meter.end() == "100 of 125 messages, 10/s, 25 wait for a later time"


def test_our_own_count_between_two_looks() -> None:
    """It goes on with every message, and never beyond what was there to send."""
    meter = a_meter((0.0, 0), (10.0, 10), due=12)
    meter.one_more()
    assert meter.done == 11
    for _ in range(5):
        meter.one_more()
    assert meter.done == 12


@pytest.mark.parametrize(
    ("rate", "left", "told"),
    [(100, 1000, "100/s, 10 s left"), (2, 7200, "2.0/s, 60 min left"), (0.5, 9000, "30.0/min, 5 h 0 min left")],
)
def test_units(rate: float, left: int, told: str) -> None:
    """As a person would say it."""
    meter = a_meter((0.0, 0), (10.0, int(rate * 10)), due=int(rate * 10) + left)

    assert meter.line(10.0).endswith(told)


@pytest.mark.parametrize("width", range(1, 120))
def test_a_bar_fits(width: int) -> None:
    """Whatever the terminal is wide."""
    meter = a_meter((0.0, 0), (10.0, 123_456), due=1_000_000, later=789)

    assert len(meter.bar(10.0, width)) <= width


def test_how_far_an_issue_has_come(store: Store) -> None:
    """Ended is done, in hand or due is due, and what waits for its time is neither."""
    issue = publish(store, 8)
    ids = claim(store, issue, limit=6)
    states = (State.SENT, State.REJECTED, State.DEFERRED, State.UNCERTAIN, State.QUEUED)
    for delivery, state in zip(ids, states, strict=False):
        turn(store, Mark(delivery=delivery, state=state, due_at=NOON + HOUR), starting=[])

    assert store.deliveries.standing(issue, now=NOON) == Standing(done=2, due=3, later=3)
    assert store.deliveries.standing(issue, now=NOON + HOUR) == Standing(done=2, due=6, later=0)


# --- as an operator sees it -------------------------------------------------------------------------------------------


def on_a_terminal(workspace: Workspace, *arguments: str) -> tuple[Forked, int]:
    """The command with a terminal for its messages; the terminal's other end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environment = {**workspace.environment, "COLUMNS": str(COLUMNS)}
    process = Forked(workspace.words(*arguments), environment, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    return process, ours


def everything(terminal: int) -> str:
    """What is written to a terminal until nobody has it open any more."""
    said = b""
    while True:
        try:
            said += os.read(terminal, 65_536)
        except OSError:  # EIO: the end, on Linux
            os.close(terminal)
            return said.decode()


def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    """It is drawn over itself while a server makes us wait, and its last state stays."""
    with open_sink() as sink:
        sink.gate.clear()
        workspace = make_workspace(tmp_path, smtp_url=f"{sink.url}?connections=1", readers=30)
        process, terminal = on_a_terminal(workspace, "send", "daily-papers")
        with process:
            until(lambda: len(sink.taken) == 1, "the first message is there")
            sink.gate.set()
            said = everything(terminal)
            report, _ = process.communicate()

    drawn = [line for line in re.split(r"\r\033\[K|\r\n", said) if line]
    assert process.returncode == 0
    assert re.fullmatch(r"\[-+\] 0/30", drawn[0])
    assert re.fullmatch(r"30 of 30 messages, [\d.]+/(s|min)", drawn[-1])
    assert said.endswith("\r\n")
    assert max(map(len, drawn)) < COLUMNS
    assert "sent 30 messages now" in report
    assert "\033" not in report


def test_plain_lines_elsewhere(tmp_path: Path) -> None:
    """A log gets whole lines, a script that reads JSON nothing."""
    with open_sink() as sink:
        workspace = make_workspace(tmp_path, smtp_url=sink.url, readers=30)
        plain = workspace.run("send", "daily-papers")
        quiet = workspace.run("send", "daily-papers", "--force", "--json")

    lines = plain.splitlines()
    assert re.fullmatch(r"30 of 30 messages, [\d.]+/(s|min)", lines[0])
    assert "\r" not in plain
    assert quiet.startswith("{")
