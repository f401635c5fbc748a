# ruff: noqa: INP001, T201 - a script, not a package
"""What importing, exporting and paging cost: `python benchmarks/people.py [DATABASE]`, an empty one, SQLite by default.

A list of made-up people with a name, a time zone and the day they agreed, one in a hundred of whom left, as a file that
is imported twice and exported. The memory is the most of the process so far.
"""

from __future__ import annotations

import argparse
import csv
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from newsletter.cli.enrol import enrol
from newsletter.roster import Refused, Roster, written
from newsletter.sheets import open_sheet
from newsletter.store import migrate, open_store

ZONES = ("Europe/Paris", "America/New_York", "Asia/Tokyo", "")


def write(path: Path, people: int) -> None:
    """The list."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Email", "Name", "Timezone", "Status", "Created at"])
        for number in range(people):
            status = "active" if number % 100 else "unsubscribed"
            row = (f"reader{number}@mail{number % 997}.example.org", f"Reader {number}", ZONES[number % 4], status)
            writer.writerow([*row, "2025-01-02 03:04:05"])


def rate(what: str, count: int, act: Callable[[], object]) -> None:
    """Do it once, and say how many a second."""
    begun, cpu = time.perf_counter(), time.process_time()
    act()
    taken, cpu = time.perf_counter() - begun, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what:<34}{taken:8.1f} s {count / taken:>9,.0f} rows/s  {cpu:8.1f} s CPU  at most {memory} MB")


def main() -> None:
    """Write the list, read it, import it twice, export it, page through it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", default="")
    parser.add_argument("--people", type=int, default=1_000_000)
    options = parser.parse_args()
    people = options.people
    with tempfile.TemporaryDirectory() as folder:
        listed, exported = Path(folder) / "people.csv", Path(folder) / "exported.csv"
        write(listed, people)
        print(f"{people:,} people, {listed.stat().st_size / 1e6:.0f} MB of CSV")

        def read() -> None:
            with listed.open("rb") as file:
                assert not any(isinstance(row, Refused) for row in Roster(open_sheet(file), file="people.csv").read())  # noqa: S101

        with closing(open_store(options.database or f"sqlite:///{Path(folder) / 'people.db'}")) as store:
            migrate.upgrade(store.db)

            def into() -> None:
                enrol(
                    store,
                    listed,
                    barred=lambda _: {},
                    newsletter="daily",
                    confirmed=True,
                    columns={},
                    state="",
                    encoding="",
                    rejects=None,
                )

            def export() -> None:
                with exported.open("w", encoding="utf-8", newline="") as file:
                    csv.writer(file).writerows(written(store.subscribers.choosing("daily")))

            rate("reading the file alone", people, read)
            rate("importing it", people, into)
            rate("importing it again", people, into)
            rate("exporting it", people, export)
            for what, wanted in {
                "a page of 100 from the middle": {"after": people // 2},
                "the first 100 who left": {"state": "left"},
                "a part of an address, the last one": {"like": f"reader{people - 1}@"},
            }.items():
                begun = time.perf_counter()
                store.subscribers.page(newsletter="daily", **wanted)  # type: ignore[arg-type]
                print(f"{what:<34}{(time.perf_counter() - begun) * 1000:8.1f} ms")


if __name__ == "__main__":
    main()
