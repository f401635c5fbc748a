# ruff: noqa: INP001, T201 - a script that prints, not a package
"""How long a search takes: `python benchmarks/search.py DATA [--stories 100000] [--archive FILE]`.

The archive is made up of the papers in DATA/arxiv/pool_dev.jsonl: each story has sentences of three of them and half of
the title of two, so that words are as common as in real ones. It goes the way of real entries: collected, filed,
embedded. What is timed is `search` as a whole: index of words, vectors, filters, and the stories themselves from the
database. With --archive it is kept in FILE, and used as it is the next time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import random
import re
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from newsletter.archive import Archive
from newsletter.model import Entry
from newsletter.search import Filters, search
from newsletter.store import migrate, open_store
from newsletter.store.schema import stories
from newsletter.topics.words import telling

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DAYS = 3_000
SOURCES = 8
TOPICS = 12  # at random: assigning them is not what is measured here
CHUNK = 5_000
ROUNDS = 60

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_SYLLABLES = ("an", "be", "chi", "do", "el", "fu", "gar", "hi", "jo", "ka", "lin", "mo", "ner", "o", "pet", "ro", "su")


@dataclass(frozen=True, slots=True)
class Paper:
    """What stories are made up of."""

    title: tuple[str, ...]
    sentences: tuple[str, ...]


def read(path: Path) -> list[Paper]:
    """The papers of a JSON Lines file."""
    found = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Paper(tuple(paper["title"].split()), tuple(_SENTENCE.split(paper["abstract"]))) for paper in found]


def made_up(papers: Sequence[Paper], count: int) -> Iterator[Entry]:
    """So many entries, spread over the days and the sources."""
    rng = random.Random(7)  # noqa: S311
    for number in range(count):
        some = [rng.choice(papers) for _ in range(3)]
        one, two = some[0].title, some[1].title
        share = max(len(some[0].sentences) // 3, 1)
        sentences = [sentence for paper in some for sentence in rng.sample(paper.sentences, _at_most(paper, share))]
        yield Entry(
            key=f"url:https://example.org/{number}",
            source=f"source-{number % SOURCES}",
            guid=str(number),
            url=f"https://example.org/{number}",
            title=" ".join([*one[: len(one) // 2 + 1], *two[len(two) // 2 :]]),
            summary=" ".join(sentences),
            authors=tuple(f"{_name(rng, 2)} {_name(rng, 3)}" for _ in range(4)),
            published=NOW - timedelta(days=DAYS - number * DAYS // count),
        )


def _at_most(paper: Paper, count: int) -> int:
    return min(count, len(paper.sentences))


def _name(rng: random.Random, syllables: int) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(syllables)).capitalize()


def build(file: Path, data: Path, count: int) -> None:
    """Collect, file and embed, with the time each takes."""
    store = open_store(f"sqlite:///{file}")
    migrate.upgrade(store.db)
    archive = Archive(store)
    spent = {"collect": 0.0, "file and embed": 0.0}
    entries = made_up(read(data / "arxiv" / "pool_dev.jsonl"), count)
    while chunk := list(itertools.islice(entries, CHUNK)):
        began = time.perf_counter()
        store.entries.add(chunk, now=max(entry.published or NOW for entry in chunk))
        collected = time.perf_counter()
        archive.catch_up()
        spent["collect"] += collected - began
        spent["file and embed"] += time.perf_counter() - collected
    with store.db.writing() as connection:
        connection.execute(
            stories.update().values(topic=sa.literal("topic-") + sa.cast(stories.c.id % TOPICS, sa.Text))
        )
    store.close()
    for step, seconds in spent.items():
        print(f"{step:16} {seconds:8.0f} s   {count / seconds:8,.0f} stories/s")


def queries(papers: Sequence[Paper]) -> Mapping[str, Callable[[Archive], object]]:
    """What is asked, anew each time."""
    rng = random.Random(11)  # noqa: S311

    def words(count: int) -> str:
        told = [word for word in telling(" ".join(rng.choice(papers).title)) if len(word) > 2]  # noqa: PLR2004
        return " ".join(told[:count])

    def month() -> Filters:
        since = (NOW - timedelta(days=rng.randrange(31, DAYS))).date()
        return Filters(since=since, until=since + timedelta(days=30))

    return {
        "a title": lambda archive: search(archive, words(20)),
        "three words": lambda archive: search(archive, words(3)),
        "one word": lambda archive: search(archive, words(1)),
        "of a month": lambda archive: search(archive, words(4), filters=month()),
        "of a topic": lambda archive: search(archive, words(4), filters=Filters(topics=("topic-3",))),
        "of a source": lambda archive: search(archive, words(4), filters=Filters(sources=("source-3",))),
        "by an author": lambda archive: search(archive, words(4), filters=Filters(author=_name(rng, 3))),
        "like a story": lambda archive: search(archive, like=[f"url:https://example.org/{rng.randrange(1000)}"]),
        "nothing": search,
    }


def ask(file: Path, data: Path) -> None:
    """Milliseconds of each kind of query, and the memory of the process that answers."""
    papers = read(data / "arxiv" / "pool_dev.jsonl")
    store = open_store(f"sqlite:///{file}")
    archive = Archive(store)
    before = _memory()
    began = time.perf_counter()
    index = archive.index()
    search(archive, "the first question makes what the others use")
    print(f"{len(index):,} stories, {file.stat().st_size / 1e6:,.0f} MB on disk, embedder {archive.embedder.version}")
    print(
        f"first answer after {time.perf_counter() - began:.1f} s; memory {before:,.0f} -> {_memory():,.0f} MB", end=""
    )
    print(f", at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    print(f"{'':14} {'p50':>8} {'p95':>8} {'CPU p50':>8} {'CPU p95':>8}   ms")
    for name, query in queries(papers).items():
        took, busy = [], []
        for _ in range(ROUNDS):
            began, used = time.perf_counter(), time.process_time()
            query(archive)
            took.append((time.perf_counter() - began) * 1_000)
            busy.append((time.process_time() - used) * 1_000)
        print(f"{name:14}", *(f"{value:8.1f}" for value in (*_percentiles(took), *_percentiles(busy))))
    store.close()


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    return statistics.median(values), sorted(values)[len(values) * 95 // 100]


def _memory() -> float:
    """Megabytes that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Build the archive unless it is there, then ask it, each in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--stories", type=int, default=100_000)
    parser.add_argument("--archive", type=Path)
    given = parser.parse_args()
    process = multiprocessing.get_context("spawn").Process
    with TemporaryDirectory() as folder:
        file = given.archive or Path(folder) / "archive.db"
        steps = [] if file.exists() else [(build, (file, given.data, given.stories))]
        for step, arguments in [*steps, (ask, (file, given.data))]:
            running = process(target=step, args=arguments)
            running.start()
            running.join()


if __name__ == "__main__":
    main()
