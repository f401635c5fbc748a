"""How long work shows itself: a bar on a terminal, plain lines elsewhere, nothing when a script reads along."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TextIO

import click

from newsletter.app import ALONE, Watch
from newsletter.errors import StoreError
from newsletter.model import Outcome, SourceReport
from newsletter.store.deliveries import Standing

_DRAW_EVERY = 0.2  # seconds
_LINE_EVERY = 10.0
_WINDOW = 20.0  # what "of late" means, for the rate
_SHARE = 50  # so many times as long as the ledger takes to answer it is left alone
_ROWS_EVERY = 100_000


@contextmanager
def sources_bar(count: int, *, quiet: bool = False) -> Iterator[Watch]:
    """Looks on while `count` sources are read."""
    if quiet or not sys.stderr.isatty():
        yield ALONE
        return
    with click.progressbar(length=count, label="reading sources", file=sys.stderr) as bar:

        def done(_: SourceReport) -> None:
            bar.update(1)

        yield Watch(source=done)


@contextmanager
def deliveries_bar(*, quiet: bool = False) -> Iterator[Watch]:
    """Looks on while messages are sent: how many of how many, how fast, how long it will take."""
    if quiet:
        yield ALONE
        return
    with closing(Telling(sys.stderr)) as telling:
        yield Watch(outcome=telling.finished, standing=telling.begin)


class Telling:
    """Tells how far an issue has come, from a thread of its own: a server that makes us wait stops no clock.

    The ledger is asked now and then, since other processes may send the same issue; between that our own count.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._drawn = file.isatty()
        self._ask: Callable[[], Standing] | None = None
        self._meter = Meter()
        self._sent = 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, ask: Callable[[], Standing]) -> None:
        """An issue is about to go; `ask` tells how it stands."""
        self._ask = ask
        if self._thread is None:
            self._look()
            self._thread = threading.Thread(target=self._tell, name="progress", daemon=True)
            self._thread.start()

    def finished(self, _: Outcome) -> None:
        """A message is through, one way or another."""
        self._sent += 1
        self._meter.one_more()

    def close(self) -> None:
        """Tell how it stands at the end, if anything went."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._sent:
            self._look()
            self._write(self._meter.end(), end="\n")

    def _tell(self) -> None:
        pause = _DRAW_EVERY if self._drawn else _LINE_EVERY
        asks_at = 0.0
        if self._drawn:
            self._write(self._meter.bar(time.monotonic(), self._width()))
        while not self._over.wait(pause):
            begun = time.monotonic()
            if begun >= asks_at:
                self._look()
                asks_at = time.monotonic() + _SHARE * (time.monotonic() - begun)
            now = time.monotonic()
            self._write(self._meter.bar(now, self._width()) if self._drawn else self._meter.line(now))

    def _look(self) -> None:
        with suppress(StoreError):  # a database that is away for a moment is asked again
            if self._ask is not None:
                self._meter.saw(self._ask(), time.monotonic())

    def _write(self, text: str, *, end: str = "") -> None:
        before, after = ("\r\033[K", end) if self._drawn else ("", "\n")
        self._file.write(f"{before}{text}{after}")
        self._file.flush()

    @staticmethod
    def _width() -> int:
        return shutil.get_terminal_size().columns - 1  # the last column would wrap


class Meter:
    """How far, how fast and how long yet. Times are seconds of a clock that only goes forward."""

    def __init__(self) -> None:
        self._standing = Standing()
        self._since = 0  # messages through since the ledger was asked
        self._first: tuple[float, int] | None = None
        self._samples: deque[tuple[float, int]] = deque()

    def saw(self, standing: Standing, now: float) -> None:
        """What the ledger says."""
        self._standing = standing
        self._since = 0
        self._sample(now)

    def one_more(self) -> None:
        """A message of ours is through."""
        self._since += 1

    @property
    def done(self) -> int:
        """Messages that are through."""
        return min(self._standing.done + self._since, self._standing.done + self._standing.due)

    def rate(self, now: float) -> float:
        """Messages a second, of late; 0 where none came through."""
        self._sample(now)
        began, before = self._samples[0]
        return max(0, self.done - before) / (now - began) if now > began else 0.0

    def line(self, now: float) -> str:
        """How it stands, in words."""
        share = f" ({100 * self.done // self._standing.total} %)" if self._standing.total else ""
        return f"{self.done} of {self._standing.total} messages{share}" + "".join(
            f", {word}" for word in self._words(now)
        )

    def bar(self, now: float, width: int) -> str:
        """How it stands, drawn, in so many columns."""
        words = f"{self.done}/{self._standing.total}  " + "  ".join(self._words(now))
        room = min(30, width - len(words) - 4)
        if room < 5:  # noqa: PLR2004  # a bar of four dashes says nothing
            return words[:width].rstrip()
        full = room * self.done // self._standing.total if self._standing.total else room
        return f"[{'#' * full}{'-' * (room - full)}] {words}".rstrip()

    def end(self) -> str:
        """What it came to."""
        began, before = self._first or (0.0, 0)
        now, done = self._samples[-1] if self._samples else (0.0, 0)
        rate = f", {_rate((done - before) / (now - began))}" if now > began and done > before else ""
        return f"{done} of {self._standing.total} messages{rate}{self._waiting(', ')}"

    def _words(self, now: float) -> Iterator[str]:
        rate = self.rate(now)
        left = self._standing.done + self._standing.due - self.done
        if rate:
            yield _rate(rate)
        if rate and left:
            yield f"{_duration(left / rate)} left"
        if self._standing.later:
            yield self._waiting("")

    def _waiting(self, before: str) -> str:
        later = self._standing.later
        return f"{before}{later} {'waits' if later == 1 else 'wait'} for a later time" if later else ""

    def _sample(self, now: float) -> None:
        self._samples.append((now, self.done))
        self._first = self._first or self._samples[0]
        while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW:  # noqa: PLR2004
            self._samples.popleft()


def _rate(rate: float) -> str:
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.1f}/min"  # noqa: PLR2004


def _duration(seconds: float) -> str:
    """`50 s`, `12 min`, `3 h 20 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:  # noqa: PLR2004
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004


@contextmanager
def rows_bar(size: int) -> Iterator[Callable[[int, int], None]]:
    """Looks on while a file of so many bytes is read: told how many bytes and how many rows are done."""
    lines = 0
    if not sys.stderr.isatty():

        def told(_: int, rows: int) -> None:
            nonlocal lines
            if rows // _ROWS_EVERY > lines:
                lines = rows // _ROWS_EVERY
                click.echo(f"{rows} rows", err=True)

        yield told
        return
    with click.progressbar(length=size, label="importing", file=sys.stderr) as bar:
        yield lambda done, _: bar.update(done - bar.pos)
