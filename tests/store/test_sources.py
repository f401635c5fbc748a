from __future__ import annotations

from datetime import datetime

from newsletter.store import Store
from newsletter.store.sources import Answered, Attempt
from tests.builders import HOUR, NOON

FEED = "https://example.org/feed"


def tried(store: Store, *, now: datetime, error: str = "", size: int | None = None) -> None:
    """One attempt at the source `feed`, which rests an hour for each failure."""
    attempt = Attempt(
        name="feed",
        error=error,
        rest=lambda failures: now + failures * HOUR if failures else None,
        size=size,
        milliseconds=size,
    )
    store.sources.mark([attempt], now=now)


def test_health_counts_failures_in_a_row(store: Store) -> None:
    """A source's failures are counted until it succeeds; its last success is remembered."""
    tried(store, now=NOON)
    tried(store, now=NOON + HOUR, error="503")
    tried(store, now=NOON + 2 * HOUR, error="timeout")
    (failing,) = store.sources.list()
    tried(store, now=NOON + 3 * HOUR)
    (healthy,) = store.sources.list()

    assert (failing.failures, failing.error, failing.succeeded_at) == (2, "timeout", NOON)
    assert failing.rests_until == NOON + 4 * HOUR
    assert (healthy.failures, healthy.error, healthy.succeeded_at) == (0, "", NOON + 3 * HOUR)
    assert healthy.rests_until is None


def test_a_source_that_never_succeeded(store: Store) -> None:
    """A first failure is one failure and no success."""
    tried(store, now=NOON, error="refused")

    (failing,) = store.sources.list()

    assert (failing.failures, failing.succeeded_at) == (1, None)


def test_many_attempts_are_one_transaction(store: Store) -> None:
    """More sources than fit a query are marked together, each with its own failures."""
    names = [f"feed-{number:04}" for number in range(1200)]
    for moment in (NOON, NOON + HOUR):
        store.sources.mark([Attempt(name=name, error="503") for name in names], now=moment)
    store.sources.mark([], now=NOON)

    assert [(health.name, health.failures) for health in store.sources.list()] == [(name, 2) for name in names]


def test_what_the_last_answer_cost_is_kept(store: Store) -> None:
    """An answer without a body costs nothing, and does not hide what one with a body did."""
    tried(store, now=NOON, size=4200)
    tried(store, now=NOON + HOUR)

    assert [(health.size, health.milliseconds) for health in store.sources.list()] == [(4200, 4200)]


def test_answers_are_kept_by_address(store: Store) -> None:
    """What an address said last is what it is asked with next."""
    said = Answered(
        etag='"1"',
        last_modified="Fri, 20 Nov 2026 12:00:00 GMT",
        digest="00",
        hints="{}",
        moved_to="https://example.net/feed",
        moved_seen=2,
        moved_at=NOON,
    )
    store.sources.remember({FEED: Answered(etag='"0"'), "other": Answered(etag='"2"')})
    store.sources.remember({FEED: said})
    store.sources.remember({})

    assert store.sources.answered([FEED, "nothing known"]) == {FEED: said}
