# ruff: noqa: INP001, T201 - a script, not a package
"""What a great many recipients cost: `python benchmarks/million.py [DATABASE_URL] [--readers 1000000] [--send 200000]`.

Printed are how many recipients a second are frozen when an issue is published, and the most resident memory of a
process of its own that delivers to so many of them, assembled and kept in the ledger, to a sender that takes each
message and drops it. What the network costs is not in here (see send.py).

The database must be empty; without one it is a SQLite file in a temporary folder.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import assemble
import sqlalchemy as sa

from newsletter.deliver import deliver
from newsletter.links import Links
from newsletter.mail import Record
from newsletter.model import Message, Newsletter, Outcome, Verdict
from newsletter.store import Store, migrate, open_store
from newsletter.store.issues import Audience
from newsletter.store.schema import subscribers, subscriptions

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
NEWSLETTER = Newsletter(name="daily", title="Daily Papers", sender="Daily Papers <papers@example.org>")
AT_ONCE = 10_000
CONNECTIONS = 16


def fill(store: Store, readers: int) -> None:
    """So many readers, confirmed."""
    with store.db.writing() as connection:
        for start in range(1, readers + 1, AT_ONCE):
            connection.execute(
                subscribers.insert(),
                [
                    {
                        "id": number,
                        "email": f"reader{number}@example.org",
                        "mailbox": f"reader{number}@example.org",
                        "name": f"Reader {number}",
                        "created_at": NOW,
                    }
                    for number in range(start, min(start + AT_ONCE, readers + 1))
                ],
            )
        since = sa.literal(NOW, subscriptions.c.since.type)
        everybody = sa.select(subscribers.c.id, sa.literal("daily"), sa.literal("confirmed"), since)
        names = ["subscriber", "newsletter", "state", "since"]
        connection.execute(subscriptions.insert().from_select(names, everybody))
    with store.db.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def freeze(store: Store) -> tuple[int, float, float]:
    """Publish for all; the issue, the seconds it took, and the CPU seconds of this process."""
    issue, rendered = assemble.an_issue(4), assemble.rendered()
    began, spent = time.perf_counter(), time.process_time()
    number, _ = store.issues.publish(issue, rendered, newsletter=NEWSLETTER, audience=Audience(at=NOW), now=NOW)
    return number, time.perf_counter() - began, time.process_time() - spent


def dropping(most: int) -> Callable[..., None]:
    """A sender that takes up to so many messages, a turn of all connections at a time."""

    def send(messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:  # noqa: ARG001
        waiting = islice(messages, most)
        ended: list[Outcome] = []
        while turn := list(islice(waiting, CONNECTIONS)):
            record(ended, [message.delivery for message in turn])
            ended = [_sent(message) for message in turn]
        record(ended, ())

    return send


def _sent(message: Message) -> Outcome:
    return Outcome(delivery=message.delivery, verdict=Verdict.SENT, code=250, text="2.0.0 taken", phase="dot")


def _deliver(there: Connection, url: str, number: int, most: int) -> None:
    links = Links(base_url="https://papers.example.org", keys=("a key of this benchmark",))
    with closing(open_store(url)) as store:
        before = time.process_time()
        delivered = deliver(number, send=dropping(most), links=links, store=store, clock=lambda: NOW)
        cpu = time.process_time() - before
    there.send((delivered.outcomes[Verdict.SENT], cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def in_a_process(url: str, number: int, most: int) -> Sequence[float]:
    """How many were sent, CPU seconds, MB."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_deliver, args=(there, url, number, most))
    process.start()
    told: Sequence[float] = here.recv()
    process.join()
    return told


def main() -> None:
    """Fill, freeze, then deliver to a tenth of it and to all that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", default="")
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--send", type=int, default=200_000, help="to how many of them mails are made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{Path(folder) / 'million.db'}"
        with closing(open_store(url)) as store:
            migrate.upgrade(store.db)
            fill(store, options.readers)
            number, seconds, cpu = freeze(store)
        rate = options.readers / seconds
        print(f"freezing {options.readers:,} recipients: {seconds:.1f} s ({cpu:.1f} of CPU here), {rate:,.0f} a second")
        for most in (options.send // 10, options.send):
            sent, cpu, memory = in_a_process(url, number, most)
            print(f"delivering to {sent:,}: {cpu / sent * 1e6:.0f} CPU µs each, {memory:.0f} MB at most", flush=True)


if __name__ == "__main__":
    main()
