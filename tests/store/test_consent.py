"""What readers decide, and what forms asked, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from newsletter.store import Store
from newsletter.store.applications import Full, Taking, Wish
from newsletter.store.consent import Joined
from newsletter.store.subscribers import Applicant
from tests.builders import DAY, HOUR, MINUTE, NOON

READER = "reader@example.org"


def ask(store: Store, email: str = READER) -> int:
    """Somebody is asked; their number."""
    return store.consent.ask(email, email, newsletter="daily-papers", language="en", how="test", now=NOON)


def apply(store: Store, email: str = READER, *, network: str = "10.0.0.0/24") -> Full | None:
    """A form is sent; two are taken from a network, three in all."""
    return store.applications.add(
        Wish.SUBSCRIBE,
        newsletter="daily-papers",
        email=email,
        mailbox=email,
        language="en",
        network=network,
        taking=Taking(since=NOON - HOUR, of_network=2, in_all=3),
        now=NOON,
    )


def test_asking_makes_nobody_a_reader(store: Store) -> None:
    """A stranger waits, however often they are asked; a reader stays one, and whoever left stays away."""
    number = ask(store)
    again = ask(store)
    pending = store.consent.standing(READER, "daily-papers")
    store.consent.confirm(number, "daily-papers", made=NOON, how="link", now=NOON)
    ask(store)
    confirmed = store.consent.standing(READER, "daily-papers")
    store.subscribers.leave(number, newsletter="daily-papers", now=NOON + HOUR)
    ask(store)
    left = store.consent.standing(READER, "daily-papers")

    assert number == again
    assert [standing.state for standing in (pending, confirmed, left) if standing] == ["pending", "confirmed", "left"]
    assert store.consent.standing("nobody@example.org", "daily-papers") is None


def test_confirming_at_once_is_one_welcome(store: Store) -> None:
    """One of several calls does it; a link from before somebody left does nothing, one from after brings them back."""
    number = ask(store)

    def confirm(_: int) -> Joined:
        return store.consent.confirm(number, "daily-papers", made=NOON, how="link", now=NOON)

    with ThreadPoolExecutor(4) as pool:
        joined = sorted(pool.map(confirm, range(8)))
    store.subscribers.leave(number, newsletter="daily-papers", now=NOON + HOUR)
    late = confirm(0)
    back = store.consent.confirm(number, "daily-papers", made=NOON + 2 * HOUR, how="link", now=NOON + 3 * HOUR)

    assert joined == [Joined.CONFIRMED, *[Joined.KNOWN] * 7]
    assert (late, back) == (Joined.LEFT, Joined.CONFIRMED)
    assert store.consent.confirm(999, "daily-papers", made=NOON, how="link", now=NOON) is Joined.GONE
    assert [one["wish"] for one in store.applications.of(READER)] == [Wish.WELCOME] * 2
    assert store.consent.confirmed(since=NOON - HOUR) == 2


def test_limits_hold_when_all_come_at_once(store: Store) -> None:
    """So many of a network, so many in all; what was asked before counts no more."""
    with ThreadPoolExecutor(4) as pool:
        near = list(pool.map(lambda number: apply(store, f"{number}@example.org"), range(4)))
    far = [apply(store, network=f"10.0.{number}.0/24") for number in (1, 2)]

    assert sorted(str(each) for each in near) == ["None", "None", "network", "network"]
    assert far == [None, Full.ALL]
    assert store.applications.count(since=NOON - MINUTE) == 3
    assert store.applications.count(since=NOON) == 0


def test_an_application_is_held_by_one(store: Store) -> None:
    """Until it is settled, put off, or its lease is over."""
    apply(store)

    def claim(owner: str, after: int = 0) -> list[int]:
        now = NOON + after * MINUTE
        claimed = store.applications.claim(owner=owner, now=now, lease_until=now + 5 * MINUTE, limit=10)
        return [application.id for application in claimed]

    with ThreadPoolExecutor(4) as pool:
        held = [number for numbers in pool.map(claim, "abcd") for number in numbers]
    (number,) = held
    taken_over = claim("e", after=6)
    store.applications.decide(number, letter="confirmation", now=NOON)
    store.applications.put_off(number, until=NOON + 30 * MINUTE)
    too_early, later = claim("f", after=29), claim("f", after=30)
    store.applications.settle(number, outcome="sent", now=NOON + HOUR)

    assert (taken_over, too_early, later) == ([number], [], [number])
    assert claim("g", after=120) == []
    assert store.applications.letters(READER, wishes=[Wish.SUBSCRIBE], since=NOON - HOUR, besides=0) == [NOON]
    assert store.applications.letters(READER, wishes=[Wish.SUBSCRIBE], since=NOON - HOUR, besides=number) == []
    assert store.applications.letters(READER, wishes=[Wish.ACCOUNT], since=NOON - HOUR, besides=0) == []
    assert store.applications.asked(since=NOON - HOUR, until=NOON) == 1
    assert store.applications.prune(before=NOON) == 0
    assert store.applications.prune(before=NOON + 2 * HOUR) == 1


def test_pruning_leaves_everybody_else(store: Store) -> None:
    """Nothing stays of who never confirmed; who reads something else, or got a mail, keeps that."""
    gone, elsewhere = ask(store, "gone@example.org"), ask(store, "elsewhere@example.org")
    other = [Applicant(email="elsewhere@example.org")]
    store.subscribers.add(other, newsletter="another", confirmed=True, how="test", now=NOON)
    joined = ask(store, "joined@example.org")
    store.consent.confirm(joined, "daily-papers", made=NOON, how="link", now=NOON)

    assert store.consent.prune(before=NOON) == 0
    assert store.consent.prune(before=NOON + DAY) == 2
    assert store.subscribers.find("gone@example.org") is None
    assert store.events.list(subscriber=gone) == []
    assert store.subscribers.of(elsewhere, "daily-papers") is None
    assert store.subscribers.of(elsewhere, "another") is not None
    assert store.subscribers.of(joined, "daily-papers") is not None


def test_who_is_blocked_is_known_by_any_key(store: Store) -> None:
    """Once, however often it is said."""
    for _ in range(2):
        store.consent.block("abc", now=NOON)

    assert store.consent.is_blocked(["new", "abc"])
    assert not store.consent.is_blocked(["new"])


def test_who_is_erased_is_not_brought_back_by_lists(store: Store) -> None:
    """Of newsletters that they read or left a keyed mark stays, and nothing of those they never confirmed."""
    reader = ask(store)
    store.consent.confirm(reader, "daily-papers", made=NOON, how="link", now=NOON)
    store.subscribers.leave(reader, newsletter="another", now=NOON)
    store.consent.ask(READER, READER, newsletter="asked", language="en", how="test", now=NOON)
    store.consent.depart(reader, "abc", now=NOON)
    store.consent.depart(ask(store, "waiting@example.org"), "def", now=NOON)

    marked = {
        name: store.consent.departed(["old", "abc", "def"], name) for name in ("daily-papers", "another", "asked")
    }
    assert marked == {"daily-papers": {"abc"}, "another": {"abc"}, "asked": set()}
    assert store.subscribers.list() == []
    assert not store.consent.is_blocked(["abc", "def"])


def test_who_comes_back_after_erasing_is_a_reader_like_others(store: Store) -> None:
    """Confirming takes the mark away, of that newsletter; leaving and erasing sets it again."""
    first = ask(store)
    for name in ("daily-papers", "another"):
        store.subscribers.leave(first, newsletter=name, now=NOON)
    store.consent.depart(first, "abc", now=NOON)
    again = ask(store)
    store.consent.confirm(again, "daily-papers", made=NOON, how="link", now=NOON, fingerprints=["new", "abc"])
    back = [store.consent.departed(["abc"], name) for name in ("daily-papers", "another")]
    store.consent.depart(again, "abc", now=NOON)

    assert back == [set(), {"abc"}]
    assert store.consent.departed(["abc"], "daily-papers") == {"abc"}


def test_an_address_that_takes_no_mail_takes_none_after_erasing(store: Store) -> None:
    """Erasing somebody is no way to get mail to an address that was suppressed."""
    reader = ask(store)
    store.subscribers.suppress(reader, reason="550 no such user", now=NOON)
    store.consent.depart(reader, "abc", now=NOON)

    assert store.consent.is_blocked(["abc"])
