# ruff: noqa: INP001, T201 - a script, not a package
"""What composing an issue costs: `python benchmarks/compose.py POOL.jsonl 1000 10000`.

Papers of the pool (title, abstract), then such as are put together from its sentences, are the news of one source.
Printed for each number of candidates: the seconds of one `compose` in a new process, from opening the archive on, and
its most resident memory; then what the archive took to take them in, with what it learned of them.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from newsletter.app import load_plugins
from newsletter.archive import Archive
from newsletter.compose import compose
from newsletter.model import Entry, Newsletter, Plan, Signals, Slot
from newsletter.schedule.example import example_text
from newsletter.schedule.plan import read
from newsletter.store import migrate, open_store

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def entries(pool: Path, count: int) -> Iterator[Entry]:
    """So many papers: those of the pool, then such as have each sentence from another one."""
    papers = [json.loads(line) for line in pool.read_text("utf-8").splitlines()]
    sentences = [sentence for paper in papers for sentence in paper["abstract"].split(". ")]
    chance = random.Random(1)  # noqa: S311 - the same papers every time
    for number in range(count):
        title, abstract = f"{chance.choice(sentences)[:80]}", ". ".join(chance.choices(sentences, k=8))
        if number < len(papers):
            title, abstract = papers[number]["title"], papers[number]["abstract"]
        key = f"arxiv:26{number // 10_000 % 12 + 1:02}.{number % 100_000:05}"
        yield Entry(
            key=key,
            source="pool",
            guid=key,
            url=f"https://example.org/{number}",
            title=title,
            summary=abstract,
            published=NOW - timedelta(hours=chance.randrange(72)),
            signals=Signals(upvotes=int(chance.expovariate(0.2))),
        )


def take_in(pool: Path, count: int, database: str) -> tuple[float, int]:
    """Collect so many papers and let the archive follow: seconds of the archive, bytes."""
    with closing(open_store(database)) as store:
        migrate.upgrade(store.db)
        store.entries.add(entries(pool, count), now=NOW - timedelta(hours=1))
        archive = Archive(store, topics=tuple(_plan().topics.values()))
        began = time.perf_counter()
        archive.catch_up()
        return time.perf_counter() - began, _memory()


def measured(count: int, database: str) -> tuple[float, int]:
    """Seconds of one `compose`, bytes."""
    with closing(open_store(database)) as store:
        topics = tuple(_plan().topics.values())
        archive = Archive(store, topics=topics)
        began = time.perf_counter()
        composed = compose(
            Slot(newsletter="bench", schedule="bench", date=NOW.date(), at=NOW),
            newsletter=Newsletter(name="bench", title="Bench", sender="a@example.org", sources=("pool",)),
            topics=topics,
            store=store,
            archive=archive,
            now=NOW,
        )
        seconds = time.perf_counter() - began
        assert composed.issue is not None  # noqa: S101
        assert composed.candidates == count  # noqa: S101
        return seconds, _memory()


def _plan() -> Plan:
    registry = load_plugins()
    return read(example_text(), file="schedules.yaml", kinds=registry.source_kinds, themes=registry.themes)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(pool: Path, counts: list[int]) -> None:
    """A line for each number of candidates, each step in a process of its own."""
    print(f"{'candidates':>10} {'compose s':>10} {'MB':>6} {'archive s':>10} {'MB':>6}")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            database = f"sqlite:///{folder}/bench.db"
            taken, teaching = _alone(take_in, pool, count, database)
            seconds, memory = _alone(measured, count, database)
        print(f"{count:>10,} {seconds:>10.2f} {memory / 1e6:>6,.0f} {taken:>10.1f} {teaching / 1e6:>6,.0f}")


def _alone(step: Callable[..., tuple[float, int]], *given: object) -> tuple[float, int]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(step, *given).result()


if __name__ == "__main__":
    if len(sys.argv) < 2 or not (given := Path(sys.argv[1])).is_file():  # noqa: PLR2004
        sys.exit("which pool? `make bench DATA=…` names one with arxiv/pool_dev.jsonl in it")
    main(given, [int(number) for number in sys.argv[2:]] or [1_000, 10_000])
