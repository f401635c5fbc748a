"""Sends that somebody orders and does not wait for: one after the other, in a thread of this process.

order -> the recipients are remembered, the send waits -> its turn -> App.run -> done, skipped or failed

What a process that ended has left is told as interrupted; ordered again it goes on where it was, since the ledger has
one line for each recipient.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from datetime import date, datetime

from newsletter.app import App, Watch
from newsletter.by_hand import Order, order
from newsletter.errors import NewsletterError
from newsletter.model import Run, Verdict
from newsletter.store.owner import this_process
from newsletter.store.sends import DONE, FAILED, SKIPPED, Ordered

log = logging.getLogger("newsletter.orders")

_WAITING = 100  # sends; who orders more is told to come back


class Full(NewsletterError):
    """So many sends wait already that no more are taken."""


class Orders:
    """The sends of this process. Its thread starts with the first of them; close it when done."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._over = threading.Event()
        self._queue: queue.Queue[tuple[App, int, Order] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def place(self, app: App, newsletter: str, *, to: tuple[str, ...], day: date, who: str) -> Ordered:
        """Order a copy of a day's issue for these addresses, checked already. NotFound, Unwilling, Full."""
        if self._queue.qsize() >= _WAITING:
            raise Full(f"{_WAITING} sends are waiting already")
        now = self._clock()
        wanted = order(app, newsletter, day=day, now=now, to=to)
        number = app.store.sends.add(
            who=who,
            newsletter=newsletter,
            slot=wanted.slot.key,
            recipients=len(wanted.audience.only or ()),
            owner=this_process(),
            now=now,
        )
        self._queue.put((app, number, wanted))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="orders", daemon=True)
                self._thread.start()
        return app.store.sends.get(number)

    def finish(self) -> None:
        """Wait until everything is done that was ordered so far."""
        self._queue.join()

    def close(self) -> None:
        """Let what is being sent come to a stop, and end what waits."""
        self._over.set()
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (ordered := self._queue.get()) is not None:
            self._send(*ordered)
            self._queue.task_done()

    def _send(self, app: App, number: int, wanted: Order) -> None:
        """Run one, unless this process is ending; whatever comes of it is written down."""
        state, reason, issue = FAILED, "the server was ended", None
        try:
            if not self._over.is_set():
                app.store.sends.begin(number)
                watch = Watch(stop=self._over.is_set)
                run = app.run(wanted.slot, audience=wanted.audience, clock=self._clock, watch=watch)
                state, reason, issue = _came_to(run)
        except NewsletterError as error:
            reason = str(error)
        except Exception:
            log.exception("send %d failed", number)
            reason = "something went wrong on our side; it was noted"
        app.store.sends.end(number, state=state, reason=reason, issue=issue, now=self._clock())


def _came_to(run: Run) -> tuple[str, str, int | None]:
    """The state, reason and issue of a send that was run."""
    if run.delivered is None:
        return SKIPPED, run.composed.reason if run.composed else "", None
    failed = sum(count for verdict, count in run.delivered.outcomes.items() if verdict is not Verdict.SENT)
    reason = run.delivered.stopped or (f"{failed} were not taken; the ledger says why" if failed else "")
    return (FAILED if run.delivered.stopped else DONE), reason, run.delivered.issue
