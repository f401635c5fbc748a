# ruff: noqa: INP001, T201 - a script, not a package
"""What deciding who is due costs at each tick: `python benchmarks/due.py [DATABASE_URL] [--readers 100000]`.

Readers over 400 time zones, a newsletter that goes out at eight wherever each of them is, and a ledger of past issues.
Printed are the milliseconds (median and worst of many) of the questions that the daemon asks in a tick, in a quiet
hour and while an issue waits for most of its readers; and of freezing that issue's recipients, once a day.
The database must be empty; without one it is a SQLite file in a temporary folder.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from zoneinfo import available_timezones

import sqlalchemy as sa

from newsletter.model import Issue, Newsletter, Rendered, Schedule, Slot
from newsletter.schedule import slots
from newsletter.store import Store, migrate, open_store
from newsletter.store.issues import Audience
from newsletter.store.owner import is_gone
from newsletter.store.schema import deliveries, subscribers, subscriptions

NEWSLETTER = Newsletter(name="daily", title="Daily", sender="daily@example.org")
SCHEDULE = Schedule(name="morning", newsletter="daily", at=(clock_time(8),), timezone="subscriber")
TODAY = date(2026, 11, 20)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = 400
TIMES = 30


def fill(store: Store, readers: int, past: int) -> None:
    """The readers, and a ledger of so many issues before today's, all of it sent."""
    zones = sorted(available_timezones())[:ZONES]
    with store.db.writing() as connection:
        connection.execute(
            subscribers.insert(),
            [
                {
                    "id": number,
                    "email": f"reader{number}@example.org",
                    "mailbox": f"reader{number}@example.org",
                    "timezone": zones[number % ZONES],
                    "created_at": LONG_AGO,
                }
                for number in range(1, readers + 1)
            ],
        )
        everybody = sa.select(subscribers.c.id, sa.literal("daily"), sa.literal("confirmed"), _literal(LONG_AGO))
        names = ["subscriber", "newsletter", "state", "since"]
        connection.execute(subscriptions.insert().from_select(names, everybody))
    for days in range(past, 0, -1):
        publish(store, TODAY - timedelta(days=days))
        with store.db.writing() as connection:
            connection.execute(deliveries.update().values(state="sent"))
    with store.db.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _literal(moment: datetime) -> sa.ColumnElement[datetime]:
    return sa.literal(moment, subscriptions.c.since.type)


def audience(store: Store, slot: Slot) -> Audience:
    """As the app has it."""
    due = {zone: slots.due_at(slot, SCHEDULE, zone) for zone in places(store)}
    return Audience(at=slot.at, due=due, zone="UTC", apart=slots.apart(SCHEDULE))


def publish(store: Store, day: date) -> None:
    """An issue without stories, for everybody."""
    slot = slots.slot_on(SCHEDULE, day, zones=places(store))
    assert slot is not None  # noqa: S101 - every day has one
    issue = Issue(slot=slot, title="Daily", preheader="")
    rendered = Rendered(subject="Daily", fragments=())
    store.issues.publish(issue, rendered, newsletter=NEWSLETTER, audience=audience(store, slot), now=slot.at)


def places(store: Store) -> frozenset[str]:
    """The zones of the readers."""
    return frozenset(zone or "UTC" for zone in store.subscribers.timezones("daily"))


def tick(store: Store, now: datetime) -> None:
    """What a tick of the daemon asks before it knows whether there is anything to do."""
    store.ticks.list()
    store.deliveries.recover(now=now, is_gone=is_gone)
    zones = places(store)
    slots.lapsed(SCHEDULE, since=now - timedelta(hours=1, seconds=20), now=now - timedelta(hours=1), zones=zones)
    slot = slots.due(SCHEDULE, now=now, zones=places(store))
    if slot is not None:
        store.issues.find(slot)
    store.deliveries.unfinished(now=now)


def milliseconds(act: Callable[[datetime], object], now: datetime) -> str:
    """The median and the worst of many."""
    taken = []
    for number in range(TIMES):
        begun = time.perf_counter()
        act(now + number * timedelta(seconds=20))
        taken.append((time.perf_counter() - begun) * 1000)
    return f"{statistics.median(taken):.0f} (worst {max(taken):.0f})"


def main() -> None:
    """Fill a database, then ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", default="")
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--past", type=int, default=10, help="issues in the ledger")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{Path(folder) / 'due.db'}"
        with closing(open_store(url)) as store:
            migrate.upgrade(store.db)
            fill(store, options.readers, options.past)
            print(f"{options.readers:,} readers, {len(places(store))} zones, {options.past} issues in the ledger")
            quiet = datetime(2026, 11, 19, 17, tzinfo=UTC)
            print("a quiet hour, ms:", milliseconds(lambda now: tick(store, now), quiet))
            begun = time.perf_counter()
            publish(store, TODAY)
            print(f"freezing the recipients, s: {time.perf_counter() - begun:.1f}")
            eight = datetime(2026, 11, 19, 18, 1, tzinfo=UTC)
            print("all but the first zones wait, ms:", milliseconds(lambda now: tick(store, now), eight))
            print("everybody is due, ms:", milliseconds(lambda now: tick(store, now), eight + timedelta(hours=20)))
            print(
                "who is due of an issue (the first hundred), ms:", milliseconds(lambda now: _claim(store, now), eight)
            )


def _claim(store: Store, now: datetime) -> None:
    (issue, *_) = store.issues.list(limit=1)
    store.deliveries.claim(issue.id, owner="benchmark", now=now, lease_until=now + timedelta(hours=1), limit=100)


if __name__ == "__main__":
    main()
