from __future__ import annotations

import threading

from newsletter.store import Store
from tests.builders import MINUTE, NOON


def test_a_turn_is_taken_once(store: Store) -> None:
    """Who comes second is told from when on the turn may be free; other domains are not held up."""
    assert store.turns.take("arxiv.org", until=NOON + MINUTE, now=NOON) is None
    assert store.turns.take("arxiv.org", until=NOON + 2 * MINUTE, now=NOON) == NOON + MINUTE
    assert store.turns.take("example.org", until=NOON + MINUTE, now=NOON) is None


def test_a_turn_is_passed_on(store: Store) -> None:
    """Given back early, it is free from the moment its holder named."""
    store.turns.take("arxiv.org", until=NOON + 9 * MINUTE, now=NOON)
    store.turns.pass_on("arxiv.org", free_at=NOON + MINUTE)

    assert store.turns.take("arxiv.org", until=NOON + 9 * MINUTE, now=NOON) == NOON + MINUTE
    assert store.turns.take("arxiv.org", until=NOON + 9 * MINUTE, now=NOON + MINUTE) is None


def test_a_turn_outlives_no_dead_holder(store: Store) -> None:
    """Whoever took it and died holds it until its time is over, and no longer."""
    store.turns.take("arxiv.org", until=NOON + MINUTE, now=NOON)

    assert store.turns.take("arxiv.org", until=NOON + 2 * MINUTE, now=NOON + MINUTE) is None


def test_of_many_at_once_one_has_the_turn(store: Store) -> None:
    """However many ask in the same moment, one gets it."""
    barrier = threading.Barrier(4)
    answers: list[object] = []

    def ask() -> None:
        barrier.wait()
        answers.append(store.turns.take("arxiv.org", until=NOON + MINUTE, now=NOON))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers, key=str) == [NOON + MINUTE] * 3 + [None]
