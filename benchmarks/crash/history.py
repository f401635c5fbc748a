"""One issue delivered through everything that a plan has in store for it."""

from __future__ import annotations

import json
import os
import queue
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.crash.account import Account, Entered, draw_up
from benchmarks.crash.plan import Hit, Trouble
from benchmarks.crash.sender import DONE, NO_STORE
from benchmarks.crash.sink import Sink, open_sink
from newsletter.errors import StoreError
from newsletter.model import Fragment, Issue, Newsletter, Rendered, Slot, Slotted, State, Token
from newsletter.store import Store, migrate, open_store
from newsletter.store.issues import Audience
from newsletter.store.schema import deliveries, events, senders, subscribers
from newsletter.store.subscribers import Applicant

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 50  # of starting again what was left; far fewer are needed
PATIENCE = 100.0  # seconds without any news from anybody
BODY = "We keep an index of which keys were useful to earlier queries, and visit only those.\n" * 60
SHORTLY = 0.01  # seconds, after which what was just said to a database has begun
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A history that is over: what was counted, how often each trouble came, what an operator had to decide."""

    account: Account
    chunks: int  # mails that came by BDAT
    troubles: Mapping[Trouble, int]
    retried: int
    started: int
    seconds: float


@dataclass
class _History:
    url: str
    sink: Sink
    plan: Mapping[int, Hit]
    processes: int
    connections: int
    chunking: int
    restart: Callable[[], None]
    lease: float  # seconds to wait for a stopped process's leases; 0 ends them in the ledger
    store: Store
    issue: int
    senders: subprocess.Popen[str]
    news: queue.Queue[tuple[str, ...]] = field(default_factory=queue.Queue)
    running: set[int] = field(default_factory=set)
    killed: set[int] = field(default_factory=set)
    stopped: set[int] = field(default_factory=set)
    troubles: Counter[Trouble] = field(default_factory=Counter)
    postponed: deque[Hit] = field(default_factory=deque)
    allowed: int = 0
    started: int = 0
    ahead: float = 0.0  # seconds, of the processes' clock

    # --- in the thread of the sink ------------------------------------------------------------------------------

    def on_step(self, number: int, name: str, before: bool) -> None:
        """Let happen what is planned for this step."""
        hit = self.plan.get(number)
        if hit is not None and hit.before == before:
            if hit.delay and self.sink.loop is not None:
                self.sink.loop.call_later(hit.delay, self.strike, hit, name)
            else:
                self.strike(hit, name)
        elif self.postponed:
            self.strike(self.postponed.popleft(), name)

    def strike(self, hit: Hit, name: str) -> None:
        """Do it, to the process of that name; if these are the last words of one that is gone, to the next."""
        pid = int(name.partition(".")[0].partition("-")[2])
        if pid in self.killed or pid not in self.running or not Path(f"/proc/{pid}").exists():
            self.postponed.append(hit)
            return
        self.troubles[hit.trouble] += 1
        if hit.trouble in {Trouble.KILL, Trouble.STOP}:
            self.allow(self.sink.connections(name))
        if hit.trouble is Trouble.KILL:
            self.killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        elif hit.trouble is Trouble.STOP:
            self.stop(pid)
        elif hit.trouble is Trouble.CUT:
            self.sink.cut_next = True
            self.allow(1)
        elif hit.trouble is Trouble.FULL:
            self.allow(self.connections)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hit.place, hit.place))
        self.news.put((hit.trouble, str(pid)))

    def stop(self, pid: int) -> None:
        """Between two of its transactions: stopped within one, it would hold up all others for as long."""
        is_stopped = False
        while not is_stopped:
            with suppress(StoreError), self.store.db.writing() as connection:
                connection.execute(sa.select(senders).where(_of(pid)).with_for_update())  # SQLite is locked already
                os.kill(pid, signal.SIGSTOP)
                time.sleep(SHORTLY)
                is_stopped = self.store.db.is_sqlite or not connection.execute(sa.text(WAITING)).scalar()
            if not is_stopped:  # its session would have the lock next
                os.kill(pid, signal.SIGCONT)

    def allow(self, connections: int) -> None:
        """So many connections are in use at a cut: each has one mail on its way, by BDAT as many as its window."""
        self.allowed += connections * max(1, self.chunking)

    # --- in the thread of the senders' output -------------------------------------------------------------------

    def listen(self) -> None:
        """Pass on what the senders say."""
        for line in self.senders.stdout or ():
            self.news.put(tuple(line.split()))
        self.news.put(("over",))

    # --- in the main thread -------------------------------------------------------------------------------------

    def live(self) -> int:
        """All of it; how many deliveries an operator had to queue again."""
        retried = 0
        for _ in range(ROUNDS):
            self.deliver()
            counts = self.store.deliveries.counts(self.issue)
            if set(counts) == {State.SENT}:
                return retried
            due = self.store.deliveries.next_due(self.issue)
            if due is not None:
                self.ahead = max(self.ahead, (due - datetime.now(UTC)).total_seconds() + 1)
            elif State.SENDING not in counts:
                # What was uncertain twice is not sent a third time: an operator decides.
                now = datetime.now(UTC) + timedelta(seconds=self.ahead)
                retried += self.store.deliveries.retry(self.issue, states=[State.UNCERTAIN], now=now)
        raise AssertionError(f"not through after {ROUNDS} rounds: {self.store.deliveries.counts(self.issue)}")

    def deliver(self) -> None:
        """Start the processes, and others for those that are gone, until nothing is due."""
        for _ in range(self.processes):
            self.start()
        while self.running:
            if self.running <= self.stopped:
                self.resume()
            what, *rest = self.news.get(timeout=PATIENCE)
            if what == "over":
                raise AssertionError("the senders are gone")
            self.heed(what, [int(word) for word in rest])

    def heed(self, what: str, numbers: list[int]) -> None:
        """Go on after a piece of news."""
        pid = numbers[0]
        if what == "ended":
            self.ended(pid, numbers[1])
        elif what == Trouble.STOP:
            self.stopped.add(pid)
            self.let_lease_run_out(pid)
            self.start()
        elif what == Trouble.RESUME:
            self.resume()
        elif what == Trouble.RESTART:
            self.allow(len(self.running) * self.connections)
            self.restart()

    def start(self) -> None:
        """Start a process."""
        told = {
            "url": self.url,
            "issue": self.issue,
            "port": self.sink.port,
            "connections": self.connections,
            "chunking": self.chunking,
            "ahead": self.ahead,
        }
        assert self.senders.stdin is not None  # noqa: S101
        self.senders.stdin.write(json.dumps(told) + "\n")
        self.senders.stdin.flush()
        later = []
        while (news := self.news.get(timeout=PATIENCE))[0] != "started":
            later.append(news)
        self.running.add(int(news[1]))
        self.started += 1
        for one in later:
            self.news.put(one)

    def ended(self, pid: int, status: int) -> None:
        """Another one in its place, unless it ended because nothing was due. AssertionError when it should not have."""
        self.running.discard(pid)
        self.stopped.discard(pid)
        if status == DONE:
            return
        if status == -signal.SIGKILL and pid in self.killed:
            self.start()
            return
        if status == NO_STORE and self.troubles.keys() & {Trouble.RESTART, Trouble.FULL}:
            self.start()
            return
        raise AssertionError(f"a sender ended with {status}")

    def let_lease_run_out(self, pid: int) -> None:
        """What thirty seconds do to a process that does not renew its leases."""
        if self.lease:
            time.sleep(self.lease)
            return
        with self.store.db.writing() as connection:
            connection.execute(senders.update().where(_of(pid)).values(lease_until=LONG_AGO))

    def resume(self) -> None:
        """Let go on what was stopped."""
        for pid in self.stopped:
            with suppress(ProcessLookupError):  # killed meanwhile, and we have not heard of it yet
                os.kill(pid, signal.SIGCONT)
        self.stopped.clear()


def run(
    url: str,
    plan: Mapping[int, Hit],
    *,
    recipients: int,
    processes: int = 2,
    connections: int = 4,
    chunking: int = 0,
    lease: float = 0.0,
    restart: Callable[[], None] | None = None,
) -> Told:
    """Deliver a new issue to so many, in the empty database at `url`, through all of the plan; the account of it.

    `chunking` is how many mails a connection has on their way by BDAT, 0 for DATA. `restart` is what a database that
    restarts does, every session cut unless something harder is given; `lease` for how many seconds a stopped process
    stands still, 0 to end its leases in the ledger. AssertionError when a process ends as none should, or when it comes
    to no end.
    """
    began = time.perf_counter()
    everybody = [f"reader{number:06}@example.org" for number in range(recipients)]
    with closing(open_store(url)) as store, open_sink() as sink, _senders() as senders:
        history = _History(
            url=url,
            sink=sink,
            plan=plan,
            processes=processes,
            connections=connections,
            chunking=chunking,
            restart=restart or (lambda: _cut(store)),
            lease=lease,
            store=store,
            issue=publish(store, everybody),
            senders=senders,
        )
        sink.on_step = history.on_step
        listener = threading.Thread(target=history.listen, name="senders", daemon=True)
        listener.start()
        retried = history.live()
        account = draw_up(sink.taken, ledger(store, history.issue), expected=everybody, allowed=history.allowed)
    listener.join()
    return Told(
        account=account,
        chunks=sink.chunks,
        troubles=dict(history.troubles),
        retried=retried,
        started=history.started,
        seconds=time.perf_counter() - began,
    )


def publish(store: Store, recipients: list[str]) -> int:
    """An issue for all of them, in an empty database; its number."""
    migrate.upgrade(store.db)
    now = datetime.now(UTC)
    applicants = [Applicant(email=email) for email in recipients]
    store.subscribers.add(applicants, newsletter="daily", confirmed=True, how="benchmark", now=now)
    newsletter = Newsletter(name="daily", title="Daily Papers", sender="Daily Papers <papers@example.org>")
    slot = Slot(newsletter="daily", schedule="morning", date=date(2026, 11, 20), at=now)
    link = Slotted(token=Token.UNSUBSCRIBE_URL)
    body = Fragment(kind="foot", key="", html=(f"<p>{BODY}</p><a href=", link, ">Leave</a>\n"), text=(BODY, link, "\n"))
    number, _ = store.issues.publish(
        Issue(slot=slot, title="Daily Papers", preheader="", sections=()),
        Rendered(subject="Daily Papers", fragments=(body,)),
        newsletter=newsletter,
        audience=Audience(at=now),
        now=now,
    )
    return number


def ledger(store: Store, issue: int) -> list[Entered]:
    """The line of everybody, and how often it was uncertain."""
    times = (
        sa.select(sa.func.count())
        .where(events.c.delivery == deliveries.c.id, events.c.kind == "uncertain")
        .scalar_subquery()
    )
    query = (
        sa.select(subscribers.c.email, deliveries.c.state, times.label("times"))
        .join(subscribers, subscribers.c.id == deliveries.c.subscriber)
        .where(deliveries.c.issue == issue)
    )
    with store.db.reading() as connection:
        return [Entered(row.email, State(row.state), row.times) for row in connection.execute(query)]


@contextmanager
def _senders() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.crash.sender"]
    place = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            yield process
        finally:
            assert process.stdin is not None  # noqa: S101
            process.stdin.close()  # the end of it and of all its children


def _of(pid: int) -> sa.ColumnElement[bool]:
    return senders.c.owner.like(f"{socket.gethostname()}/{pid}/%")


def _cut(store: Store) -> None:
    """End every session of a PostgreSQL database but this one; SQLite has none to end."""
    with store.db.writing() as connection:
        connection.execute(sa.text(CUT))
