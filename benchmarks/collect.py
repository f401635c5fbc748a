# ruff: noqa: INP001, T201 - a script, not a package
"""What collecting many feeds costs, beside a script of urllib and feedparser.

    python benchmarks/collect.py 1000 --unchanged 5000

    new           nothing is known yet: every feed is fetched, read and stored
    304           a day later; every server says that nothing changed (all that is measured for `--unchanged`)
    same bytes    another day later; servers that cannot say so send everything again
    script        the new ones fetched and read by urllib in 20 threads and feedparser, which stores nothing

The feeds come from this machine, each from a host of its own. Every line is measured in a new process, on the
workspace that the one before it left. The figures are

    start         CPU seconds until the first feed: interpreter, imports, database and plan
    plan          of those, for reading schedules.yaml and opening everything
    collect       CPU seconds of collecting, without
    reading       CPU seconds of the process that reads documents
    seconds       of collecting, by the clock
    MB            the most resident memory at one time, of the process that collects and of the one that reads
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
from feed_server import ENTRIES, PROCESSES, FeedServer, Habit, open_server

from newsletter.app import open_app
from newsletter.config import load_config

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
DAY = timedelta(days=1)
SETTINGS = {"NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8", "NEWSLETTER_SECRET_KEY": "signs nothing here"}
NEWSLETTER = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it took, in seconds and bytes, and what came of it."""

    start: float
    plan: float = 0.0
    collect: float
    reading: float = 0.0
    wall: float
    memory: int
    reading_memory: int = 0
    entries: int
    unchanged: int = 0


# --- what is measured -----------------------------------------------------------------------------------------------


def ours(workspace: Path, now: datetime) -> Cost:
    """Collect every feed of the workspace's plan, into its database."""
    _open_no_more_than(1024)
    began = time.process_time()
    with open_app(load_config(workspace, SETTINGS), migrated=True) as app:
        start, clock = time.process_time(), time.perf_counter()
        collected = app.collect(NEWSLETTER, now=now)
        collect, wall = time.process_time() - start, time.perf_counter() - clock
        reading_memory = max(map(_most_memory, _children()), default=0)
    if collected.failed:
        raise RuntimeError(f"{len(collected.failed)} feeds failed, the first: {collected.failed[0]}")
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # the app has waited for its child
    return Cost(
        start=start,
        plan=start - began,
        collect=collect,
        reading=ended.ru_utime + ended.ru_stime,
        wall=wall,
        memory=_most_memory("self"),
        reading_memory=reading_memory,
        entries=sum(source.entries for source in collected.sources),
        unchanged=sum(source.unchanged for source in collected.sources),
    )


def script(urls: Sequence[str]) -> Cost:
    """Fetch and read feeds as a script would. A JSON Feed has no entries for feedparser."""
    start, clock = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(20) as threads:
        entries = sum(threads.map(_entries, urls))
    collect, wall = time.process_time() - start, time.perf_counter() - clock
    return Cost(start=start, collect=collect, wall=wall, memory=_most_memory("self"), entries=entries)


def _entries(url: str) -> int:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server
        return len(feedparser.parse(io.BytesIO(answer.read())).entries)


def _open_no_more_than(files: int) -> None:
    """The limit that most systems set to begin with, whatever it is here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


def _most_memory(process: str) -> int:
    # Not `ru_maxrss`: that begins with what the parent had when it forked.
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def _children() -> Iterator[str]:
    for task in Path("/proc/self/task").iterdir():
        yield from (task / "children").read_text(encoding="ascii").split()


# --- the lines ------------------------------------------------------------------------------------------------------


def main(sizes: Sequence[int], unchanged: Sequence[int]) -> None:
    """Print a line for each number of feeds and each case, as soon as it is known."""
    print("                   ----------- CPU seconds ----------              -------- MB -------")
    print(" feeds              start    plan  collect  reading    seconds     collect   reading    entries")
    with open_server() as server:
        for feeds in sizes:
            for case, cost in cases(feeds, server):
                _print(feeds, case, cost)
        for feeds in unchanged:
            _print(feeds, "304", nothing_new(feeds, server))


def cases(feeds: int, server: FeedServer) -> Iterator[tuple[str, Cost]]:
    """Collect so many feeds three times, and once by a script."""
    server.become(Habit.WHOLE)
    with _workspace(feeds, server) as workspace:
        yield "new", _expected(_alone(ours, workspace, NOW), entries=feeds * ENTRIES)
        yield "304", _expected(_alone(ours, workspace, NOW + DAY), unchanged=feeds)
        server.become(Habit.FORGETFUL)
        yield "same bytes", _expected(_alone(ours, workspace, NOW + 2 * DAY), unchanged=feeds)
    yield "script", _alone(script, [*map(server.url, range(feeds))])


def nothing_new(feeds: int, server: FeedServer) -> Cost:
    """Collect so many feeds that have not changed; they have become known by a short answer each."""
    server.become(Habit.SHORT)
    with _workspace(feeds, server) as workspace:
        _expected(_alone(ours, workspace, NOW), entries=feeds)
        return _expected(_alone(ours, workspace, NOW + DAY), unchanged=feeds)


@contextmanager
def _workspace(feeds: int, server: FeedServer) -> Iterator[Path]:
    """A folder with a plan of so many feeds."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        (workspace / "schedules.yaml").write_text(_schedules(map(server.url, range(feeds))), encoding="utf-8")
        yield workspace


def _schedules(urls: Iterable[str]) -> str:
    sources = [f"  feed-{number}: {{kind: feed, url: '{url}'}}\n" for number, url in enumerate(urls)]
    names = ", ".join(f"feed-{number}" for number in range(len(sources)))
    return (
        f"newsletters:\n  {NEWSLETTER}: {{title: Bench, from: bench@example.org, sources: [{names}]}}\n"
        f"sources:\n{''.join(sources)}"
    )


def _alone(measured: Callable[..., Cost], *arguments: object) -> Cost:
    """In a process of its own, so that its memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=PROCESSES) as process:
        return process.submit(measured, *arguments).result()


def _expected(cost: Cost, *, entries: int = 0, unchanged: int = 0) -> Cost:
    """The cost. RuntimeError where something else than expected was measured."""
    if (cost.entries, cost.unchanged) != (entries, unchanged):
        raise RuntimeError(f"expected {entries} entries and {unchanged} unchanged feeds: {cost}")
    return cost


def _print(feeds: int, case: str, cost: Cost) -> None:
    seconds = f"{cost.start:8.1f}{cost.plan:8.1f}{cost.collect:9.1f}{cost.reading:9.1f}{cost.wall:11.1f}"
    megabytes = f"{cost.memory / 1e6:12.0f}{cost.reading_memory / 1e6:10.0f}"
    print(f"{feeds:6,}  {case:10}{seconds}{megabytes}{cost.entries:11,}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage="collect.py [FEEDS ...] [--unchanged FEEDS ...]")
    parser.add_argument("feeds", type=int, nargs="*")
    parser.add_argument("--unchanged", type=int, nargs="*", default=[])
    asked = parser.parse_args()
    main(asked.feeds, asked.unchanged)
