from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from newsletter.model import State
from newsletter.store import Store, open_store
from tests.sinks import Sink, open_sink
from tests.workspaces import Workspace, make_workspace

READERS = 5
CONNECTIONS = 2


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


@dataclass(frozen=True)
class Ticks:
    """Ticks of the daemon in a process that survives their crashes."""

    process: subprocess.Popen[str]

    def __call__(self, workspace: Workspace, dies_at: int = 0) -> str:
        """One tick, killed at this commit; whether it crashed or finished."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{workspace.folder} {dies_at}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer, "a tick failed"
        return answer


@contextmanager
def ticking(workspace: Workspace) -> Iterator[Ticks]:
    """Ticks with the settings of this workspace."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crashing"],
        env=workspace.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Ticks(process)


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


def test_a_crash_at_any_commit_loses_nobody(tmp_path: Path) -> None:
    """Killed at each of its commits in turn, the daemon's next tick finishes the same issue, and nobody is lost."""
    with open_sink() as sink:
        url = f"{sink.url}?connections={CONNECTIONS}"
        fresh = make_workspace(tmp_path / "fresh", smtp_url=url, readers=READERS)
        with ticking(fresh) as tick:
            for number in itertools.count(1):
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
        with ticking(workspace) as tick:
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
        workspace.run("send", "daily-papers")
        check_history(workspace, sink, crashes=3)


def test_sigterm_leaves_the_rest_queued(tmp_path: Path) -> None:
    """A daemon that is told to stop in mid-issue finishes what is in flight, queues the rest and ends well."""
    with open_sink() as sink:
        workspace = make_workspace(tmp_path, smtp_url=f"{sink.url}?connections=1", readers=READERS)
        with workspace.start("daemon") as daemon:
            sink.on_message = lambda count: os.kill(daemon.pid, signal.SIGTERM) if count == 2 else None
            _, log = daemon.communicate(timeout=60)

        assert daemon.returncode == 0, log
        sent = states(workspace)[State.SENT]
        assert sent in {2, 3}  # the third may be on its way before the signal is looked at
        assert states(workspace) == {State.SENT: sent, State.QUEUED: READERS - sent}
        sink.on_message = lambda _: None
        workspace.run("send", "daily-papers")
        check_history(workspace, sink, crashes=0)


def test_a_daemon_sends_what_is_due(tmp_path: Path) -> None:
    """The daemon finds the slot that is due, sends its issue once, and a second daemon finds nothing to do."""
    with open_sink() as sink:
        workspace = make_workspace(tmp_path, smtp_url=sink.url, readers=READERS)
        with workspace.start("daemon") as daemon:
            assert daemon.stderr is not None
            log = []
            for line in daemon.stderr:
                log.append(line)
                if f"{READERS} sent" in line or "stopped" in line:
                    daemon.terminate()

        assert daemon.returncode == 0, log
        with ticking(workspace) as tick:
            assert tick(workspace) == "finished"
        check_history(workspace, sink, crashes=0)
