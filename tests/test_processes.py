"""Four daemons on one database, and what can happen to them: one issue, nobody lost, nobody mailed twice unawares."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.deliver import BATCH
from newsletter.model import State
from newsletter.store import Store
from newsletter.store.schema import deliveries, senders
from tests.forks import Forked
from tests.sinks import Sink, open_sink
from tests.test_crash import ledger
from tests.workspaces import Workspace, make_workspace

pytestmark = pytest.mark.long

DAEMONS, CONNECTIONS = 4, 2
READERS = (DAEMONS - 1) * BATCH + 50  # so that each has some, and the last fewer than it would take
DEADLINE = 60.0  # seconds; nothing takes that long where all is well
THROUGH = ("message now", "messages now", "nothing now", "failed, will be")  # sending ended, or failed
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        threading.Event().wait(0.02)


@dataclass
class Running:
    """A daemon, and what it said."""

    process: Forked
    log: list[str] = field(default_factory=list)

    def said(self, *words: str) -> bool:
        """Whether some line of its log has one of these."""
        return any(word in line for line in list(self.log) for word in words)


@contextmanager
def a_daemon(workspace: Workspace) -> Iterator[Running]:
    """A daemon in a process of its own; gone at the end of the `with`."""
    with workspace.start("daemon") as process:
        daemon = Running(process)

        def read() -> None:
            for line in process.stderr or ():
                daemon.log.append(line)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield daemon
        finally:
            process.kill()
            reader.join()


def holders(store: Store) -> set[int]:
    """The processes that are sending something."""
    query = sa.select(deliveries.c.owner).where(deliveries.c.state == State.SENDING).distinct()
    with store.db.reading() as connection:
        return {int(owner.split("/")[1]) for owner in connection.execute(query).scalars()}


def let_leases_run_out(store: Store) -> None:
    """What thirty seconds do to whoever does not renew them."""
    with store.db.writing() as connection:
        connection.execute(senders.update().values(lease_until=LONG_AGO))


def stop(daemon: Running, store: Store) -> None:
    """Stop it for longer than its lease, between two of its transactions: stopped within one it would keep the lock."""
    with store.db.writing() as connection:
        daemon.process.send_signal(signal.SIGSTOP)
        if not store.db.is_sqlite:  # where others may write beside us, their sessions end, and with them their locks
            connection.execute(sa.text(CUT))
        connection.execute(senders.update().values(lease_until=LONG_AGO))


def is_done(store: Store) -> bool:
    """Whether every message of the issue went out."""
    return all(set(store.deliveries.counts(issue.id)) == {State.SENT} for issue in store.issues.list())


def check(store: Store, sink: Sink) -> None:
    """One issue; everybody has it; whoever has it twice is on record, and both bear one Message-ID."""
    (issue,) = store.issues.list()
    lines = store.deliveries.list(issue.id)
    copies = sink.copies()
    twice = {email for email, count in copies.items() if count > 1}
    on_record = {line.email for line in lines if line.email in twice and store.events.list(delivery=line.id)}

    assert len(lines) == READERS
    assert {line.email for line in lines} == copies.keys()
    assert twice == on_record
    assert max(copies.values()) <= 2
    assert sink.message_ids() == READERS


def test_whatever_happens_to_daemons(tmp_path: Path, database_url: str) -> None:
    """One is killed, one is stopped until its leases have run out, the database cuts every session; a fifth comes."""
    with open_sink() as sink, ExitStack() as running:
        sink.gate.clear()
        workspace = make_workspace(
            tmp_path, smtp_url=f"{sink.url}?connections={CONNECTIONS}", database_url=database_url, readers=READERS
        )
        store = ledger(workspace)
        running.callback(store.close)
        running.callback(sink.gate.set)
        daemons = [running.enter_context(a_daemon(workspace)) for _ in range(DAEMONS)]
        until(lambda: holders(store) == {daemon.process.pid for daemon in daemons}, "all four are sending")
        # A turn that is cut off would leave a mail uncertain, which waits for a quarter of an hour.
        until(lambda: len(sink.taken) == DAEMONS * CONNECTIONS, "all wait for replies")

        killed, stopped, *others = daemons
        killed.process.kill()
        killed.process.wait()
        stop(stopped, store)
        sink.gate.set()
        until(lambda: all(one.said(*THROUGH) for one in others), "the others are through or have failed")

        let_leases_run_out(store)
        others.append(running.enter_context(a_daemon(workspace)))
        until(lambda: is_done(store), "everybody has it")
        stopped.process.send_signal(signal.SIGCONT)
        until(lambda: stopped.said(*THROUGH), "the stopped one went on")
        for daemon in (stopped, *others):
            daemon.process.terminate()
        ended = {daemon.process.wait(timeout=DEADLINE) for daemon in (stopped, *others)}

        assert ended == {0}, [daemon.log for daemon in daemons]
        assert is_done(store)
        check(store, sink)
