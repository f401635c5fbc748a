from __future__ import annotations

from newsletter.store import Store


def test_nothing_is_known_at_first(store: Store) -> None:
    """Revision 0, no bytes."""
    assert store.learned.get("embedder") == (0, b"")
    assert store.learned.revision("embedder") == 0


def test_what_was_put_is_kept(store: Store) -> None:
    """Under its name, with a revision that grows."""
    assert store.learned.put("embedder", b"\0one", after=0)
    assert store.learned.put("embedder", b"two", after=1)
    assert store.learned.put("other", b"three", after=0)

    assert store.learned.get("embedder") == (2, b"two")
    assert store.learned.revision("embedder") == 2


def test_of_two_that_learn_at_once_the_first_is_kept(store: Store) -> None:
    """Who put after a revision that is past hears that nothing was kept."""
    assert store.learned.put("embedder", b"first", after=0)
    assert not store.learned.put("embedder", b"second", after=0)
    assert store.learned.put("embedder", b"third", after=1)
    assert not store.learned.put("embedder", b"fourth", after=1)

    assert store.learned.get("embedder") == (2, b"third")
