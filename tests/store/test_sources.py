from __future__ import annotations

from newsletter.store import Store
from newsletter.store.sources import Validators
from tests.builders import HOUR, NOON


def test_health_counts_failures_in_a_row(store: Store) -> None:
    """A source's failures are counted until it succeeds; its last success is remembered."""
    store.sources.mark("feed", error="", now=NOON)
    store.sources.mark("feed", error="503", now=NOON + HOUR)
    store.sources.mark("feed", error="timeout", now=NOON + 2 * HOUR)
    (failing,) = store.sources.list()
    store.sources.mark("feed", error="", now=NOON + 3 * HOUR)
    (healthy,) = store.sources.list()

    assert (failing.failures, failing.error, failing.succeeded_at) == (2, "timeout", NOON)
    assert (healthy.failures, healthy.error, healthy.succeeded_at) == (0, "", NOON + 3 * HOUR)


def test_a_source_that_never_succeeded(store: Store) -> None:
    """A first failure is one failure and no success."""
    store.sources.mark("feed", error="refused", now=NOON)

    (failing,) = store.sources.list()

    assert (failing.failures, failing.succeeded_at) == (1, None)


def test_validators_are_kept_by_address(store: Store) -> None:
    """What a server said last about an address is what it is asked with next."""
    said = Validators(etag='"1"', last_modified="Fri, 20 Nov 2026 12:00:00 GMT", digest="00")
    store.sources.mark_validators("https://example.org/feed", Validators(etag='"0"'))
    store.sources.mark_validators("https://example.org/feed", said)

    assert store.sources.validators("https://example.org/feed") == said
    assert store.sources.validators("https://example.org/other") == Validators()
