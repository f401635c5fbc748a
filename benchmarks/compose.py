# ruff: noqa: INP001, T201 - a script, not a package
"""What composing an issue costs: `python benchmarks/compose.py POOL.jsonl 1000 10000`.

Papers of the pool (title, abstract), then such as are put together from its sentences, are the news of one source.
Printed for each number of candidates: the seconds of one `compose` in a process that has the archive
open, the seconds that the archive took to take them in, and the most resident memory.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from newsletter.app import load_plugins
from newsletter.archive import Archive
from newsletter.compose import compose
from newsletter.model import Entry, Newsletter, Signals, Slot
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


def measured(pool: Path, count: int) -> tuple[float, float, int]:
    """Seconds of composing, seconds of taking in, bytes."""
    kinds = load_plugins()
    plan = read(example_text(), file="schedules.yaml", kinds=kinds.source_kinds, themes=kinds.themes)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/bench.db")
        migrate.upgrade(store.db)
        store.entries.add(entries(pool, count), now=NOW - timedelta(hours=1))
        archive = Archive(store, topics=tuple(plan.topics.values()))
        began = time.perf_counter()
        archive.catch_up()
        taken = time.perf_counter() - began
        began = time.perf_counter()
        composed = compose(
            Slot(newsletter="bench", schedule="bench", date=NOW.date(), at=NOW),
            newsletter=Newsletter(name="bench", title="Bench", sender="a@example.org", sources=("pool",)),
            topics=tuple(plan.topics.values()),
            store=store,
            archive=archive,
            now=NOW,
        )
        seconds = time.perf_counter() - began
        assert composed.issue is not None  # noqa: S101
        assert composed.candidates == count  # noqa: S101
    return seconds, taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(pool: Path, counts: list[int]) -> None:
    """A line for each number of candidates, each in a process of its own."""
    print(f"{'candidates':>10} {'compose s':>10} {'archive s':>10} {'MB':>6}")
    for count in counts:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            seconds, taken, memory = process.submit(measured, pool, count).result()
        print(f"{count:>10,} {seconds:>10.2f} {taken:>10.1f} {memory / 1e6:>6,.0f}")


if __name__ == "__main__":
    if len(sys.argv) < 2 or not (given := Path(sys.argv[1])).is_file():  # noqa: PLR2004
        sys.exit("which pool? `make bench DATA=…` names one with arxiv/pool_dev.jsonl in it")
    main(given, [int(number) for number in sys.argv[2:]] or [1_000, 10_000])
