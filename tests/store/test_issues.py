from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from newsletter.errors import NotFound
from newsletter.model import Preferences, State
from newsletter.store import Store, open_store
from newsletter.store.issues import Audience
from newsletter.store.subscribers import Applicant
from tests.builders import DAY, HOUR, NOON, TODAY, a_newsletter, a_rendered, a_slot, a_story, an_issue


def publish(store: Store, *, audience: Audience | None = None, schedule: str = "morning") -> tuple[int, bool]:
    """Publish the issue of a slot."""
    issue = an_issue(slot=a_slot(schedule=schedule))
    audience = audience or Audience(at=NOON)
    return store.issues.publish(issue, a_rendered(), newsletter=a_newsletter(), audience=audience, now=NOON)


def subscribe(store: Store, *emails: str, confirmed: bool = True, **more: str) -> None:
    """Add readers of Daily Papers."""
    applicants = [Applicant(email=email, **more) for email in emails]
    store.subscribers.add(applicants, newsletter="daily-papers", confirmed=confirmed, how="test", now=NOON)


def test_a_slot_has_one_issue(store: Store) -> None:
    """Publishing a slot twice gives the first issue both times."""
    first, fresh = publish(store)
    second, again = publish(store)

    assert (first, fresh, again) == (second, True, False)


def test_what_was_published_comes_back(store: Store) -> None:
    """A published issue is loaded with everything its messages are made of."""
    translations = {"de": a_rendered("Tägliches"), "ar": a_rendered()}
    audience = Audience(at=NOON)
    number, _ = store.issues.publish(
        an_issue(),
        a_rendered(),
        newsletter=a_newsletter(),
        audience=audience,
        now=NOON,
        translations=translations,
    )
    plain, _ = publish(store, schedule="evening")

    frozen = store.issues.load(number)

    assert frozen.issue == an_issue()
    assert frozen.rendered == a_rendered()
    assert frozen.newsletter == a_newsletter()
    assert frozen.published_at == NOON
    assert len(frozen.nonce) == 16
    assert frozen.translations == translations
    assert store.issues.load(plain).translations == {}


def test_a_skipped_slot_may_still_get_an_issue(store: Store) -> None:
    """Skipping decides a slot once; publishing it later, on purpose, replaces that."""
    assert store.issues.skip(a_slot(), reason="nothing new", now=NOON)
    assert not store.issues.skip(a_slot(), reason="still nothing", now=NOON)
    skipped = store.issues.find(a_slot())
    number, fresh = publish(store)
    published = store.issues.find(a_slot())

    assert skipped is not None
    assert (skipped.state, skipped.reason) == ("skipped", "nothing new")
    assert fresh
    assert published is not None
    assert (published.id, published.state, published.reason) == (number, "published", "")


def test_a_published_slot_is_not_skipped(store: Store) -> None:
    """A slot that has its issue keeps it."""
    publish(store)

    assert not store.issues.skip(a_slot(), reason="nothing new", now=NOON)


def test_recipients_are_frozen_with_the_issue(store: Store) -> None:
    """Confirmed readers of the cadence are queued, suppressed ones excluded with the reason, others not in it."""
    subscribe(store, "a@example.org", "b@example.org", "bounced@example.org")
    subscribe(store, "pending@example.org", confirmed=False)
    subscribe(store, "weekly@example.org", cadence="weekly")
    subscribe(store, "left@example.org")
    store.subscribers.leave(store.subscribers.get("left@example.org"), newsletter="daily-papers", now=NOON)
    store.subscribers.suppress(store.subscribers.get("bounced@example.org"), reason="no such user", now=NOON)

    number, _ = publish(store)
    subscribe(store, "late@example.org")

    assert [(line.email, line.state, line.reason) for line in store.deliveries.list(number)] == [
        ("a@example.org", State.QUEUED, ""),
        ("b@example.org", State.QUEUED, ""),
        ("bounced@example.org", State.EXCLUDED, "no such user"),
    ]


def test_readers_are_due_in_their_own_zone(store: Store) -> None:
    """Each time zone has its own due time, everybody else the audience's."""
    subscribe(store, "tokyo@example.org", timezone="Asia/Tokyo")
    subscribe(store, "nowhere@example.org")
    early = NOON - 9 * HOUR

    number, _ = publish(store, audience=Audience(at=NOON, due={"Asia/Tokyo": early}))

    assert {line.email: line.due_at for line in store.deliveries.list(number)} == {
        "tokyo@example.org": early,
        "nowhere@example.org": NOON,
    }


def test_named_recipients_only(store: Store) -> None:
    """An issue for named people goes to them alone, and its stories do not count as told."""
    subscribe(store, "reader@example.org")
    guests = store.subscribers.ensure(["guest@example.org"], now=NOON)

    number, _ = publish(store, audience=Audience(at=NOON, only=tuple(guests)))

    assert [line.email for line in store.deliveries.list(number)] == ["guest@example.org"]
    assert store.issues.told("daily-papers", {"arxiv:2611.00001"}) == {}


def test_further_recipients_join_once(store: Store) -> None:
    """Somebody added to a published issue gets one delivery, however often they are added."""
    number, _ = publish(store)
    audience = Audience(at=NOON, only=tuple(store.subscribers.ensure(["guest@example.org"], now=NOON)))

    for _ in range(2):
        store.issues.add_recipients(number, newsletter="daily-papers", audience=audience)

    assert [line.email for line in store.deliveries.list(number)] == ["guest@example.org"]


def test_told_stories_are_known_by_every_name(store: Store) -> None:
    """A story that was published is known again under its key and its aliases, by this newsletter only."""
    issue = an_issue(a_story(1, aliases=("doi:10.1/one",)))
    number, _ = store.issues.publish(
        issue, a_rendered(), newsletter=a_newsletter(), audience=Audience(at=NOON), now=NOON
    )
    keys = {"arxiv:2611.00001", "doi:10.1/one", "arxiv:2611.00002"}

    assert set(store.issues.told("daily-papers", keys)) == {"arxiv:2611.00001", "doi:10.1/one"}
    assert store.issues.told("another", keys) == {}
    assert store.issues.told("daily-papers", keys, besides=number) == {}


def test_two_processes_publish_one_slot(store: Store, database_url: str) -> None:
    """Of several that publish the same slot at once exactly one does, and all get its issue."""
    subscribe(store, *(f"reader{number}@example.org" for number in range(20)))
    barrier = threading.Barrier(4)
    results: list[tuple[int, bool]] = []

    def race() -> None:
        racer = open_store(database_url)
        barrier.wait()
        results.append(publish(racer))
        racer.close()

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({number for number, _ in results}) == 1
    assert sorted(fresh for _, fresh in results) == [False, False, False, True]
    assert store.deliveries.counts(results[0][0]) == {State.QUEUED: 20}


def test_the_last_published_slot(store: Store) -> None:
    """The newest published slot before another is found; skipped ones do not count."""
    publish(store)
    store.issues.skip(a_slot(NOON.date() + timedelta(days=1)), reason="nothing", now=NOON)

    assert store.issues.last_published("daily-papers", before=NOON + timedelta(days=5)) == a_slot().at
    assert store.issues.last_published("daily-papers", before=a_slot().at) is None


def test_an_unknown_issue(store: Store) -> None:
    """Asking for an issue there is not says so, and where to look."""
    with pytest.raises(NotFound, match="issues list"):
        store.issues.get(7)
    with pytest.raises(NotFound):
        store.issues.load(7)


def test_who_paused_is_left_out_until_that_day(store: Store) -> None:
    """With the reason in the ledger; the day they named is the first they get again."""
    subscribe(store, "a@example.org", "b@example.org")
    paused, other = (store.subscribers.get(f"{letter}@example.org") for letter in "ab")
    for reader, until in ((paused, TODAY + DAY), (other, TODAY)):
        wanted = Preferences(paused_until=until)
        store.subscribers.choose(reader, "daily-papers", wanted, how="test", now=NOON)

    number, _ = publish(store)

    assert [(line.email, line.state, line.reason) for line in store.deliveries.list(number)] == [
        ("a@example.org", State.EXCLUDED, f"paused until {TODAY + DAY}"),
        ("b@example.org", State.QUEUED, ""),
    ]


def test_who_wants_an_hour_gets_it_then(store: Store) -> None:
    """By the zone they named and the hour; it expires that much later. Everybody else has the audience's moment."""
    zones = {"six@example.org": "Asia/Tokyo", "nowhere@example.org": "", "other@example.org": "Asia/Tokyo"}
    for email, zone in zones.items():
        subscribe(store, email, timezone=zone)
        hour = None if email == "other@example.org" else 6
        wanted = Preferences(timezone=zone, hour=hour)
        store.subscribers.choose(store.subscribers.get(email), "daily-papers", wanted, how="test", now=NOON)
    hours = {("Asia/Tokyo", 6): NOON + 9 * HOUR, ("", 6): NOON + 18 * HOUR}

    number, _ = publish(store, audience=Audience(at=NOON, hours=hours, expires=HOUR))

    assert {line.email: line.due_at for line in store.deliveries.list(number)} == {
        "six@example.org": NOON + 9 * HOUR,
        "nowhere@example.org": NOON + 18 * HOUR,
        "other@example.org": NOON,
    }
    assert store.deliveries.expire(number, reason="late", now=NOON + 9 * HOUR) == 1
