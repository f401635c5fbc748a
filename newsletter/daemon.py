"""The clock: ticks, and at each tick does what is due.

    tick:  every schedule's due slot -> App.run
           every issue with something left to send -> App.deliver
    look:  every source whose time has come -> App.collect_sources
    watch: every trouble there is -> a mail to the operator

By a clock that is in doubt (see `clock`) nothing of the first two is done.

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

from apscheduler.schedulers.background import BackgroundScheduler

from newsletter import alarms, systemd
from newsletter.app import App, Watch
from newsletter.clock import Running, doubt, horizon, running
from newsletter.deliver import Clock
from newsletter.errors import ConfigError, NewsletterError
from newsletter.health import Health
from newsletter.model import Composed, Delivered, Hold, Run, Slot
from newsletter.report import delivered_lines, hold_line, run_lines, source_line
from newsletter.schedule import slots
from newsletter.schedule.plan import Stamp, stamp
from newsletter.store import Store
from newsletter.store.issues import Audience
from newsletter.store.owner import is_gone
from newsletter.store.ticks import Tick

TICK = timedelta(seconds=20)
PATIENCE = timedelta(minutes=2)  # between two attempts at the same thing after it failed
LOOK = timedelta(minutes=1)  # between two looks whether a source's time has come
WATCH = timedelta(minutes=1)  # between two looks for troubles
SOURCES_AT_ONCE = 20  # a look is soon over, so that a slot that is due waits for little
_LOOKING = timedelta(minutes=15)  # longer no look takes: whoever holds the turn then is dead
SOURCE_PATIENCE = timedelta(minutes=10)  # before sources are asked again that failed on a day without other news

log = logging.getLogger("newsletter.daemon")


SETTLED = timedelta(hours=1)  # after which no other daemon is still at a slot that it took up in time
MISSED = "missed: no daemon ran while it could have gone out; what is new comes with the next issue"
NOT_APPROVED = "nobody approved it in time; what it would have told comes with the next issue"
FAILED_TOO_LONG = "given up: it could not be made in time; the reports before this one say why"
SILENCE = timedelta(minutes=5)  # without a sign of life, and something hangs
_HEARTBEAT = timedelta(seconds=10)
_COLLECTING = "collecting"  # the turn's name


def utc_now() -> datetime:
    """The time. Only the daemon and the commands ask for it; everything below them is told."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Daemon:
    """Ticks until it is asked to stop; then finishes what is in flight and leaves the rest queued."""

    app: App
    clock: Clock = utc_now
    plans: bool = True  # no: it is a worker, which delivers what others have published, and nothing else
    machine: Callable[[], Running] = running
    stopping: threading.Event = field(default_factory=threading.Event)
    not_before: dict[str, datetime] = field(default_factory=dict)  # what failed, and when to attempt it again
    schedules: Stamp | None = None  # which state of schedules.yaml the app knows
    doubt: str = ""  # what is wrong with the clock
    planned_until: datetime | None = None  # slots up to here were looked at
    seen_until: datetime | None = None  # slots before this are decided, can still be taken up, or are not our fault
    alive_at: datetime | None = None  # the last sign of life
    ticked_at: datetime | None = None  # when the last tick began
    told: frozenset[Hold] = frozenset()  # paused issues that were spoken of

    def __post_init__(self) -> None:
        self.schedules = stamp(self.app.config.schedules)

    def tick(self) -> None:
        """Do everything that is due now. What fails is logged, and attempted again after a while."""
        self._live()
        if not self.trusts_its_clock():
            return
        self.ticked_at = self.clock()
        self.take_up_changes()
        ledger = self.app.store.deliveries
        self._attempt("the ledger", lambda: ledger.recover(now=self.clock(), is_gone=is_gone))
        self._tell_of_holds()
        if self.plans:
            self._plan()
        for issue in ledger.unfinished(now=self.clock()):
            self._attempt(f"issue {issue}", partial(self._deliver, issue))
        self._live()

    def _plan(self) -> None:
        self._give_up_what_was_missed()
        for slot, audience in self.app.due(now=self._horizon()):
            self._attempt(f"{slot.newsletter} {slot.key}", partial(self._run, slot, audience))

    def _give_up_what_was_missed(self) -> None:
        """Decide the slots that cannot be taken up any more, so that they too have a report that says why."""
        store = self.app.store
        for draft in store.drafts.list():
            if draft.approved_at is None and draft.until is not None and draft.until < self._horizon():
                self._give_up(draft.slot, NOT_APPROVED)
        settled = self._horizon() - SETTLED
        since = self.seen_until or settled
        until = max(since, settled)
        for schedule in self.app.plan.schedules.values():
            zones = self.app.places(schedule)
            for slot in slots.lapsed(schedule, since=since, now=until, zones=zones):
                tried = store.runs.list(slot.newsletter, slot=slot.key, limit=1)
                if store.issues.find(slot) is None and store.drafts.find(slot) is None:
                    self._give_up(slot, FAILED_TOO_LONG if tried else MISSED)
        self.seen_until = until

    def _give_up(self, slot: Slot, reason: str) -> None:
        now, store = self.clock(), self.app.store
        if store.issues.skip(slot, reason=reason, now=now):
            log.warning("%s %s: %s", slot.newsletter, slot.key, reason)
            store.runs.add(Run(slot=slot, composed=Composed(issue=None, reason=reason)), now=now)

    def _tell_of_holds(self) -> None:
        """Say once of each paused issue that it is left alone."""
        holds = self.app.store.holds.waiting()
        for hold in holds:
            if hold not in self.told:
                log.warning("issue %d is left alone: %s", hold.issue, hold_line(hold))
        self.told = frozenset(holds)

    def _horizon(self) -> datetime:
        """The time that slots are planned by: never earlier than it was at the last tick, whatever the clock does."""
        return max(self.clock(), self.planned_until or self.clock())

    def trusts_its_clock(self) -> bool:
        """Whether the clock is right as far as can be told; remembers this tick if it is, and the doubt if not."""
        now, here, ticks = self.clock(), self.machine(), self.app.store.ticks
        known = ticks.list()
        why = doubt(now, here, known)
        if why:
            if not self.doubt:
                log.error("%s: nothing is sent until it is right or `newsletter daemon --confirm-clock` says so", why)
                ticks.doubt(here.boot)
            self.doubt = why
            return False
        if self.doubt:
            log.warning("the clock is right again: going on")
        self.doubt = ""
        if here.boot not in known and any(tick.doubted for tick in known.values()):
            ticks.settle()
        self.planned_until = horizon(now, here, known)
        if self.seen_until is None:
            # The first daemon ever has missed nothing.
            self.seen_until = min(now, max(tick.at for tick in known.values())) - SETTLED if known else now
        ticks.add(here.boot, Tick(at=now, uptime=here.uptime))
        return True

    def look(self) -> None:
        """Collect some of the sources whose time has come, unless another daemon is at it."""
        now = self.clock()
        if doubt(now, self.machine(), self.app.store.ticks.list()):
            return
        names = self.app.sources_due(now=now)[:SOURCES_AT_ONCE]
        if not names or self.stopping.is_set():
            return
        turns = self.app.store.turns
        if turns.take(_COLLECTING, until=now + _LOOKING, now=now) is not None:
            return
        try:
            collected = self.app.collect_sources(names, now=now)
        finally:
            turns.pass_on(_COLLECTING, free_at=now)
        for report in collected.sources:
            log.log(logging.WARNING if report.error else logging.INFO, "%s", source_line(report))

    def watch(self) -> None:
        """Look for troubles, and tell the operator of those that are new or over."""
        if self.doubt:
            found = alarms.doubted(self.app, self.doubt, self.machine().boot)
        else:
            found = alarms.troubles(self.app, now=self.clock())
        alarms.sound(self.app, found, now=self.clock())

    def take_up_changes(self, *, asked: bool = False) -> None:
        """Read schedules.yaml again when it has changed, or when somebody asked. One with mistakes changes nothing."""
        now = stamp(self.app.config.schedules)
        if now == self.schedules and not asked:
            return
        self.schedules = now
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
        if run.delivered is not None:
            self._wait_for(run.delivered)
        if run.published is None and run.collected is not None and run.collected.failed:
            log.warning("%s %s: undecided, since sources failed; asking them again later", slot.newsletter, slot.key)
            self.not_before[f"{slot.newsletter} {slot.key}"] = self.clock() + SOURCE_PATIENCE

    def _deliver(self, issue: int) -> None:
        delivered = self.app.deliver(issue, clock=self.clock, watch=self._watch())
        for line in delivered_lines(delivered):
            log.info("issue %s: %s", issue, line)
        self._wait_for(delivered)

    def _wait_for(self, delivered: Delivered) -> None:
        """After a delivery that was stopped: a while, but no longer than it is paused."""
        if delivered.stopped and not delivered.held:
            self.not_before[f"issue {delivered.issue}"] = self.clock() + PATIENCE

    def _watch(self) -> Watch:
        return Watch(stop=self.stopping.is_set, source=lambda _: self._live(), outcome=lambda _: self._live())

    def _live(self) -> None:
        """Give a sign of life: a tick can take as long as an issue has readers."""
        now = self.clock()
        if self.alive_at is None or abs(now - self.alive_at) > _HEARTBEAT:
            systemd.tell("WATCHDOG=1")
            self.alive_at = now

    def health(self) -> Health:
        """How it is, for a monitor. StoreError when the database cannot be asked."""
        now, store = self.clock(), self.app.store
        problems = [self.doubt] if self.doubt else []
        if self.alive_at is None or abs(now - self.alive_at) > SILENCE:
            since = f"since {self.alive_at:%Y-%m-%d %H:%M:%S} UTC" if self.alive_at else "yet"
            problems.append(f"there was no sign of life {since}")
        problems += [
            f"nothing of {issue.newsletter} {issue.slot} goes out since {issue.due_at:%Y-%m-%d %H:%M} UTC"
            for issue in store.pulse.stuck(before=now - alarms.LATE)
        ]
        return Health(
            last_tick=self.ticked_at,
            oldest_due=store.pulse.oldest_due(now=now),
            uncertain=store.pulse.uncertain(),
            alarms=tuple(alarm.trouble.title for alarm in store.alarms.list() if alarm.over_at is None),
            problems=tuple(problems),
        )

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


def confirm_clock(store: Store, *, now: datetime, machine: Running) -> None:
    """Somebody says that the clock of this machine is right as it is: a running daemon goes on at its next tick."""
    store.ticks.trust(machine.boot, Tick(at=now, uptime=machine.uptime))


def run_daemon(daemon: Daemon) -> None:
    """Tick until SIGTERM or SIGINT. Returns when everything in flight is finished; raises what a tick raised."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stopping.set())
    hangup = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: hangup.set())
    bugs: list[Exception] = []

    def attempt(what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except NewsletterError as error:
            log.error("%s failed: %s", what, error)  # noqa: TRY400
        except Exception as bug:  # noqa: BLE001  # not to go on: the main thread raises it
            bugs.append(bug)
            daemon.stopping.set()

    def tick() -> None:
        if hangup.is_set():
            hangup.clear()
            daemon.take_up_changes(asked=True)
        daemon.tick()

    scheduler = BackgroundScheduler(timezone=UTC)
    begun = utc_now()
    # What is late when it starts has time to be caught up with before it is an alarm.
    jobs: tuple[tuple[str, Callable[[], None], timedelta, datetime], ...] = (
        ("a tick", tick, TICK, begun),
        ("collecting", daemon.look, LOOK, begun),
        ("looking for troubles", daemon.watch, WATCH, begun + WATCH),
    )
    for what, act, every, first in jobs if daemon.plans else jobs[:1]:
        # One that is late is done (no grace time), several late ones are one, and never two at once.
        scheduler.add_job(
            attempt,
            "interval",
            [what, act],
            seconds=every.total_seconds(),
            next_run_time=first,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
    scheduler.start()
    log.info("started; looking every %d s for what is due", TICK.total_seconds())
    systemd.tell("READY=1")
    # The system may give a signal to another thread than this one, the only one that acts on it: so it looks up.
    while not daemon.stopping.wait(1):
        pass
    log.info("stopping: finishing what is in flight")
    systemd.tell("STOPPING=1")
    scheduler.shutdown(wait=True)
    if bugs:
        raise bugs[0]
    log.info("stopped; what is left stays queued")
