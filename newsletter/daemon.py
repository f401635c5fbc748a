"""The clock: ticks, and at each tick does what is due.

    tick: every schedule's due slot -> App.run
          every issue with something left to send -> App.deliver
    look: every source whose time has come -> App.collect_sources

APScheduler is only the metronome. What is due is decided by `schedule.slots` and the database, anew at each tick, so
a tick that comes late, twice or not at all (a pause, a crash, a second daemon) changes when things happen, never
whether or how often.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

from newsletter import systemd
from newsletter.app import App, Watch
from newsletter.deliver import Clock
from newsletter.errors import ConfigError, NewsletterError
from newsletter.model import Slot
from newsletter.report import delivered_lines, run_lines, source_line
from newsletter.store.issues import Audience
from newsletter.store.owner import is_gone

TICK = timedelta(seconds=20)
PATIENCE = timedelta(minutes=2)  # between two attempts at the same thing after it failed
LOOK = timedelta(minutes=1)  # between two looks whether a source's time has come
SOURCES_AT_ONCE = 20  # a look is soon over, so that a slot that is due waits for little
_LOOKING = timedelta(minutes=15)  # longer no look takes: whoever holds the turn then is dead
SOURCE_PATIENCE = timedelta(minutes=10)  # before sources are asked again that failed on a day without other news

log = logging.getLogger("newsletter.daemon")


_COLLECTING = "collecting"  # the turn's name

Stamp = tuple[int, int]  # of a file: when it was written (in nanoseconds), its size


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def utc_now() -> datetime:
    """The time. Only the daemon and the commands ask for it; everything below them is told."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Daemon:
    """Ticks until it is asked to stop; then finishes what is in flight and leaves the rest queued."""

    app: App
    clock: Clock = utc_now
    stopping: threading.Event = field(default_factory=threading.Event)
    not_before: dict[str, datetime] = field(default_factory=dict)  # what failed, and when to attempt it again
    schedules: Stamp | None = None  # which state of schedules.yaml the app knows

    def __post_init__(self) -> None:
        self.schedules = _stamp(self.app.config.schedules)

    def tick(self) -> None:
        """Do everything that is due now. What fails is logged, and attempted again after a while."""
        self.take_up_changes()
        ledger = self.app.store.deliveries
        self._attempt("the ledger", lambda: ledger.recover(now=self.clock(), is_gone=is_gone))
        for slot, audience in self.app.due(now=self.clock()):
            self._attempt(f"{slot.newsletter} {slot.key}", partial(self._run, slot, audience))
        for issue in ledger.unfinished(now=self.clock()):
            self._attempt(f"issue {issue}", partial(self._deliver, issue))

    def look(self) -> None:
        """Collect some of the sources whose time has come, unless another daemon is at it."""
        now = self.clock()
        names = self.app.sources_due(now=now)[:SOURCES_AT_ONCE]
        if not names or self.stopping.is_set():
            return
        turns = self.app.store.turns
        if turns.take(_COLLECTING, until=now + _LOOKING, now=now) is not None:
            return
        try:
            collected = self.app.collect_sources(names, now=now)
        finally:
            turns.pass_on(_COLLECTING, free_at=self.clock())
        for report in collected.sources:
            log.log(logging.WARNING if report.error else logging.INFO, "%s", source_line(report))

    def take_up_changes(self, *, asked: bool = False) -> None:
        """Read schedules.yaml again when it has changed, or when somebody asked. One with mistakes changes nothing."""
        stamp = _stamp(self.app.config.schedules)
        if stamp == self.schedules and not asked:
            return
        self.schedules = stamp
        try:
            self.app = self.app.reloaded()
        except ConfigError as error:
            log.error("schedules.yaml has mistakes, going on with what it said before: %s", error)  # noqa: TRY400
        else:
            log.info("took up schedules.yaml as it is now")

    def _run(self, slot: Slot, audience: Audience) -> None:
        run = self.app.run(slot, audience=audience, clock=self.clock, watch=self._watch())
        for line in run_lines(run):
            log.info("%s %s: %s", slot.newsletter, slot.key, line)
        if run.delivered is not None and run.delivered.stopped:
            self.not_before[f"issue {run.delivered.issue}"] = self.clock() + PATIENCE
        if run.published is None and run.collected is not None and run.collected.failed:
            log.warning("%s %s: undecided, since sources failed; asking them again later", slot.newsletter, slot.key)
            self.not_before[f"{slot.newsletter} {slot.key}"] = self.clock() + SOURCE_PATIENCE

    def _deliver(self, issue: int) -> None:
        delivered = self.app.deliver(issue, clock=self.clock, watch=self._watch())
        for line in delivered_lines(delivered):
            log.info("issue %s: %s", issue, line)
        if delivered.stopped:
            self.not_before[f"issue {issue}"] = self.clock() + PATIENCE

    def _watch(self) -> Watch:
        return Watch(stop=self.stopping.is_set)

    def _attempt(self, what: str, act: Callable[[], object]) -> None:
        """Do it, unless we are stopping or it failed a moment ago. Bugs are not caught: they end the daemon, loudly."""
        waits_until = self.not_before.get(what)
        if self.stopping.is_set() or (waits_until is not None and self.clock() < waits_until):
            return
        self.not_before.pop(what, None)
        try:
            act()
        except NewsletterError as error:
            self.not_before[what] = self.clock() + PATIENCE
            log.error("%s failed, will be tried again in %d s: %s", what, PATIENCE.total_seconds(), error)  # noqa: TRY400


def run_daemon(daemon: Daemon) -> None:
    """Tick until SIGTERM or SIGINT. Returns when everything in flight is finished; raises what a tick raised."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stopping.set())
    hangup = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: hangup.set())
    bugs: list[Exception] = []

    def loudly(act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as bug:  # noqa: BLE001  # not to go on: the main thread raises it
            bugs.append(bug)
            daemon.stopping.set()

    def tick() -> None:
        if hangup.is_set():
            hangup.clear()
            daemon.take_up_changes(asked=True)
        daemon.tick()
        systemd.tell("WATCHDOG=1")

    def look() -> None:
        try:
            daemon.look()
        except NewsletterError as error:
            log.error("collecting failed: %s", error)  # noqa: TRY400

    scheduler = BackgroundScheduler(timezone=UTC)
    for act, every in ((tick, TICK), (look, LOOK)):
        # One that is late is done (no grace time), several late ones are one, and never two at once.
        scheduler.add_job(
            loudly,
            "interval",
            [act],
            seconds=every.total_seconds(),
            next_run_time=utc_now(),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
    scheduler.start()
    log.info("started; looking every %d s for what is due", TICK.total_seconds())
    systemd.tell("READY=1")
    daemon.stopping.wait()
    log.info("stopping: finishing what is in flight")
    systemd.tell("STOPPING=1")
    scheduler.shutdown(wait=True)
    if bugs:
        raise bugs[0]
    log.info("stopped; what is left stays queued")
