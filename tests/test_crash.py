from __future__ import annotations

import itertools
import os
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.cli import PARTLY
from newsletter.model import State
from newsletter.store import Store, open_store
from tests.crashing import tick
from tests.sinks import Sink, open_sink
from tests.workspaces import Workspace, make_workspace

pytestmark = pytest.mark.long

READERS = 5
CONNECTIONS = 2
SHARES = 4  # tests that share the commits, so that none takes long


def ledger(workspace: Workspace) -> Store:
    """The store of a workspace."""
    return open_store(
        workspace.settings.get("NEWSLETTER_DATABASE_URL") or f"sqlite:///{workspace.folder}/newsletter.db"
    )


def the_issue(store: Store) -> int:
    """The number of the only issue: PostgreSQL gives none again that a crash has used up."""
    (decided,) = store.issues.list()
    return decided.id


def states(workspace: Workspace) -> dict[State, int]:
    """What became of the deliveries of the issue."""
    store = ledger(workspace)
    counts = dict(store.deliveries.counts(the_issue(store)))
    store.close()
    return counts


def check_history(workspace: Workspace, sink: Sink, *, crashes: int) -> None:
    """Nobody is lost, hardly anybody gets it twice, and whoever may have is on record as uncertain."""
    copies = sink.copies()
    store = ledger(workspace)
    lines = store.deliveries.list(the_issue(store))
    on_record = {line.email for line in lines if store.events.list(delivery=line.id)}
    issues = store.issues.list()
    store.close()

    assert len(issues) == 1
    assert len(lines) == READERS
    sent = {line.email for line in lines if line.state is State.SENT}
    uncertain = {line.email for line in lines if line.state is State.UNCERTAIN}
    assert sent | uncertain == {line.email for line in lines}
    assert sent <= copies.keys(), "lost"
    # What was uncertain twice is not sent a third time: an operator decides.
    assert not uncertain or crashes > 1
    assert sum(copies.values()) - len(copies) <= crashes * CONNECTIONS
    assert sink.message_ids() == len(copies), "a second copy must bear the same Message-ID"
    assert {recipient for recipient, count in copies.items() if count > 1} <= on_record


def zone_of_noon(now: datetime) -> str:
    """A time zone where it is about noon: no slot of another day can still be taken up, or has just been missed."""
    return f"Etc/GMT{now.hour - 12:+d}"  # the signs of POSIX: west is plus


def move(workspace: Workspace, zone: str) -> None:
    """Let its schedule go by the clocks of a time zone."""
    file = workspace.folder / "schedules.yaml"
    file.write_text(file.read_text("utf-8").replace("timezone: UTC", f"timezone: {zone}"), "utf-8")


@pytest.mark.parametrize("first", range(1, SHARES + 1))
def test_a_crash_at_any_commit_loses_nobody(tmp_path: Path, first: int) -> None:
    """Killed at each of its commits in turn, the daemon's next tick finishes the same issue, and nobody is lost."""
    with open_sink() as sink:
        url = f"{sink.url}?connections={CONNECTIONS}"
        fresh = make_workspace(tmp_path / "fresh", smtp_url=url, readers=READERS)
        for number in itertools.count(first, SHARES):
            workspace = Workspace(tmp_path / str(number), fresh.settings)
            shutil.copytree(fresh.folder, workspace.folder)
            sink.taken.clear()
            outcome = tick(workspace, number)
            assert tick(workspace) == "finished"
            check_history(workspace, sink, crashes=1)
            if outcome == "finished":
                break

    assert number > 2 * READERS  # there were commits to die at: each delivery alone has two


def test_crash_after_crash(tmp_path: Path, database_url: str) -> None:
    """Killed again and again, at ever later commits, on either database, it still comes to one good end."""
    with open_sink() as sink:
        url = f"{sink.url}?connections={CONNECTIONS}"
        workspace = make_workspace(tmp_path, smtp_url=url, database_url=database_url, readers=READERS)
        outcomes = [tick(workspace, number) for number in (*range(1, 16), 0)]
        check_history(workspace, sink, crashes=outcomes.count("crashed"))

    assert outcomes[-1] == "finished"
    assert outcomes.count("crashed") > 3


def test_killed_while_mails_go_out(tmp_path: Path) -> None:
    """`send`, killed from outside while the server holds its mails, takes up the same issue when it is run again."""
    with open_sink() as sink:
        workspace = make_workspace(tmp_path, smtp_url=f"{sink.url}?connections={CONNECTIONS}", readers=READERS)
        for kill_at in (1, 3, 5):
            with workspace.start("send", "daily-papers") as process:
                sink.on_message = lambda count, at=kill_at, pid=process.pid: (  # type: ignore[misc]
                    os.kill(pid, signal.SIGKILL) if count == at else None
                )
                process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL
        sink.on_message = lambda _: None
        with workspace.start("send", "daily-papers") as process:
            process.communicate()
        assert process.returncode in {0, PARTLY}  # one that two crashes hit is left to an operator
        check_history(workspace, sink, crashes=3)


def test_sigterm_leaves_the_rest_queued(tmp_path: Path) -> None:
    """A daemon that is told to stop in mid-issue finishes what is in flight, queues the rest and ends well."""
    with open_sink() as sink:
        workspace = make_workspace(tmp_path, smtp_url=f"{sink.url}?connections=1", readers=READERS)
        with workspace.start("daemon") as daemon:

            def stop(count: int) -> None:
                if count == 2:
                    sink.gate.clear()  # until the daemon has looked at the signal
                    os.kill(daemon.pid, signal.SIGTERM)

            sink.on_message = stop
            assert daemon.stderr is not None
            log = []
            for line in daemon.stderr:
                log.append(line)
                if "stopping" in line:
                    sink.gate.set()

        assert daemon.returncode == 0, log
        sent = states(workspace)[State.SENT]
        assert 2 <= sent < READERS  # another may be on its way
        assert states(workspace) == {State.SENT: sent, State.QUEUED: READERS - sent}
        sink.on_message = lambda _: None
        workspace.run("send", "daily-papers")
        check_history(workspace, sink, crashes=0)


def test_a_daemon_sends_what_is_due(tmp_path: Path) -> None:
    """The daemon finds the slot that is due, sends its issue once, and a second daemon finds nothing to do."""
    with open_sink() as sink:
        workspace = make_workspace(tmp_path, smtp_url=sink.url, readers=READERS)
        now = datetime.now(UTC)
        move(workspace, zone_of_noon(now))
        with workspace.start("daemon") as daemon:
            assert daemon.stderr is not None
            log = []
            for line in daemon.stderr:
                log.append(line)
                if f"{READERS} sent" in line or "stopped" in line:
                    daemon.terminate()

        assert daemon.returncode == 0, log
        assert tick(workspace, at=now) == "finished"
        check_history(workspace, sink, crashes=0)
