from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from newsletter.errors import NotFound
from newsletter.store import Store
from newsletter.store.owner import this_process
from tests.builders import NOON


@pytest.fixture
def anna(store: Store) -> int:
    """An operator."""
    return store.operators.add("anna", password="x", now=NOON)


def test_a_request_is_taken_on_once(store: Store, anna: int) -> None:
    """Who asks again under the key learns what the first was, and what it came to."""
    assert store.requests.begin("k", operator=anna, request="a", now=NOON) is None
    during = store.requests.begin("k", operator=anna, request="b", now=NOON)
    store.requests.finish("k", operator=anna, status=201, location="/x", body="{}")
    after = store.requests.begin("k", operator=anna, request="a", now=NOON)

    assert during is not None
    assert (during.request, during.status) == ("a", 0)
    assert after is not None
    assert (after.status, after.location, after.body) == (201, "/x", "{}")


@pytest.mark.parametrize(("status", "passed"), [(0, timedelta(minutes=2)), (201, timedelta(hours=25))])
def test_a_key_is_free_again_in_time(store: Store, anna: int, status: int, passed: timedelta) -> None:
    """A day after it was done, and a minute after a process that did not come to an end."""
    store.requests.begin("k", operator=anna, request="a", now=NOON)
    store.requests.finish("k", operator=anna, status=status, location="", body="{}")

    assert store.requests.begin("k", operator=anna, request="a", now=NOON + passed) is None


def test_what_was_dropped_or_pruned_is_free(store: Store, anna: int) -> None:
    """It is as if it had never been asked."""
    store.requests.begin("k", operator=anna, request="a", now=NOON)
    store.requests.drop("k", operator=anna)
    assert store.requests.begin("k", operator=anna, request="a", now=NOON) is None
    store.requests.prune(now=NOON + timedelta(hours=25))
    assert store.requests.begin("k", operator=anna, request="a", now=NOON) is None


def test_an_answer_is_erased_with_whom_it_is_about(store: Store, anna: int) -> None:
    """The key stays used, and nothing of them is in it."""
    (number,) = store.subscribers.ensure(["ada@example.org"], now=NOON)
    store.requests.begin("k", operator=anna, request="a", now=NOON)
    store.requests.finish("k", operator=anna, status=201, location="", body="ada", subscriber=number)

    store.subscribers.forget(number)

    kept = store.requests.begin("k", operator=anna, request="a", now=NOON)
    assert kept is not None
    assert (kept.status, kept.body) == (201, "")


def test_a_send_is_told_as_it_stands(store: Store) -> None:
    """Waiting, running, ended; or interrupted where its process is gone."""
    order = partial(
        store.sends.add, who="anna", newsletter="daily-papers", slot="_copy/2026-11-20", recipients=2, now=NOON
    )
    number = order(owner=this_process())
    orphan = order(owner=this_process().rpartition("/")[0] + "/1")

    states = [store.sends.get(number).state]
    store.sends.begin(number)
    states.append(store.sends.get(number).state)
    store.sends.end(number, state="done", now=NOON)
    states.append(store.sends.get(number).state)

    assert states == ["waiting", "running", "done"]
    assert store.sends.get(orphan).state == "interrupted"
    with pytest.raises(NotFound):
        store.sends.get(99)
