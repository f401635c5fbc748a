# ruff: noqa: INP001 - a script, not a package
"""Entries per CPU second on whole real feeds: `python benchmarks/parse.py FOLDER`, beside plain feedparser."""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import feedparser

from newsletter.errors import ReadError
from newsletter.model import Source
from newsletter.sources import Request, Response
from newsletter.sources.feed import FeedKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROUNDS = 3


def ours(body: bytes) -> int:
    """Read, resolve and sanitise; the number of entries."""
    url = "https://example.org/feed.xml"
    response = Response(request=Request(url=url), url=url, body=body)
    with suppress(ReadError):
        return len(FeedKind().read(response, Source(name="bench", kind="feed"), now=NOW))
    return 0


def plain(body: bytes) -> int:
    """Plain feedparser, sanitising and resolving; the number of entries."""
    return len(feedparser.parse(io.BytesIO(body)).entries)


READERS: Mapping[str, Callable[[bytes], int]] = {"newsletter": ours, "feedparser": plain}


def main(folder: Path) -> None:
    """Print the median over some rounds, in which the readers take turns."""
    bodies = [path.read_bytes() for path in sorted(folder.iterdir()) if not path.suffix]
    speeds: dict[str, list[float]] = {name: [] for name in READERS}
    for _ in range(ROUNDS):
        for name, read in READERS.items():
            began = time.process_time()
            entries = sum(map(read, bodies))
            speeds[name].append(entries / (time.process_time() - began))
    for name, found in speeds.items():
        print(f"{name:12} {statistics.median(found):8,.0f} entries/s")  # noqa: T201 - what it is for


if __name__ == "__main__":
    if not (place := Path(sys.argv[1])).is_dir():
        sys.exit(f"no folder {place}: `make bench DATA=…` names one with feeds/real_2026 in it")
    main(place)
