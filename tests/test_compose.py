from __future__ import annotations

from datetime import timedelta

from newsletter.compose import choose, compose
from newsletter.model import Composed, Entry, Limits, Signals, WhenEmpty
from newsletter.store import Store
from newsletter.store.issues import Audience
from tests.builders import HOUR, NOON, TODAY, a_newsletter, a_rendered, a_slot, a_story, a_topic, an_entry

MODELS = a_topic("models", "LLM")
VISION = a_topic("vision", "image")
DAY = timedelta(days=1)


def composed(store: Store, *entries: Entry, now: object = NOON, **changes: object) -> Composed:
    """The composition of a newsletter after its source gave these entries."""
    store.entries.add(entries, now=NOON - HOUR)
    return compose(
        a_slot(),
        newsletter=a_newsletter(**changes),
        topics=[MODELS, VISION],
        store=store,
        now=now,  # type: ignore[arg-type]
    )


def test_sections_in_the_order_of_topics(store: Store) -> None:
    """Stories stand under their topics in the operator's order, best first; what fits none comes last."""
    report = composed(
        store,
        an_entry(1, title="An image"),
        an_entry(2, title="Cooking"),
        an_entry(3, title="An LLM", signals=Signals(upvotes=1)),
        an_entry(4, title="A better LLM", signals=Signals(upvotes=50)),
    )

    assert report.issue is not None
    assert [(section.title, [story.title for story in section.stories]) for section in report.issue.sections] == [
        ("Models", ["A better LLM", "An LLM"]),
        ("Vision", ["An image"]),
        ("More papers", ["Cooking"]),
    ]
    assert report.issue.headline == "A better LLM"
    assert report.issue.preheader == "4 papers: Models, Vision"


def test_nothing_is_told_twice(store: Store) -> None:
    """A story of an earlier issue is left out, under whatever name it comes back, and the report counts it."""
    first = composed(store, an_entry(1, aliases=("doi:10.1/x",)))
    assert first.issue is not None
    store.issues.publish(first.issue, a_rendered(), newsletter=a_newsletter(), audience=Audience(at=NOON), now=NOON)
    again = composed(store, an_entry(7, key="doi:10.1/x"), an_entry(2))

    assert again.issue is not None
    assert [story.key for story in again.issue.stories] == ["arxiv:2611.00002"]
    assert again.left_out == {"already sent": 1}


def test_an_issue_being_replaced_may_be_told_again(store: Store) -> None:
    """What only the issue in question told is told again when it is replaced on purpose."""
    first = composed(store, an_entry(1))
    assert first.issue is not None
    number, _ = store.issues.publish(
        first.issue, a_rendered(), newsletter=a_newsletter(), audience=Audience(at=NOON), now=NOON
    )

    again = compose(a_slot(), newsletter=a_newsletter(), topics=[], store=store, now=NOON, besides=number)

    assert again.issue is not None
    assert len(again.issue.stories) == 1


def test_an_empty_day_has_a_reason(store: Store) -> None:
    """Without anything new there is no issue, and the report says which kind of nothing it was."""
    nothing = composed(store)
    first = composed(store, an_entry(1))
    assert first.issue is not None
    store.issues.publish(first.issue, a_rendered(), newsletter=a_newsletter(), audience=Audience(at=NOON), now=NOON)
    stale = composed(store, an_entry(1))

    assert (nothing.issue, nothing.reason) == (None, "no new entries in its sources")
    assert (stale.issue, stale.reason) == (None, "nothing new: its only story was sent before")


def test_an_empty_issue_on_request(store: Store) -> None:
    """A newsletter may want to be sent although there is nothing new."""
    report = composed(store, when_empty=WhenEmpty.SEND)

    assert report.issue is not None
    assert report.issue.sections == ()


def test_old_entries_are_no_news(store: Store) -> None:
    """What was first seen longer ago than the newsletter's limit is no candidate."""
    report = composed(store, an_entry(1), now=NOON + 8 * DAY)

    assert report.issue is None


def test_after_a_pause_everything_since_the_last_issue(store: Store) -> None:
    """An issue after a long pause carries what the missed ones would have."""
    first = composed(store, an_entry(1))
    assert first.issue is not None
    store.issues.publish(first.issue, a_rendered(), newsletter=a_newsletter(), audience=Audience(at=NOON), now=NOON)
    store.entries.add([an_entry(2)], now=NOON + DAY)

    late = compose(a_slot(TODAY + 30 * DAY), newsletter=a_newsletter(), topics=[], store=store, now=NOON + 30 * DAY)

    assert late.issue is not None
    assert [story.key for story in late.issue.stories] == ["arxiv:2611.00002"]


def test_duplicates_are_merged_and_counted(store: Store) -> None:
    """One paper from two sources is one story, and the report says how many entries went into others."""
    report = composed(store, an_entry(1), an_entry(1, source="arxiv"), sources=("hf-daily", "arxiv"))

    assert report.issue is not None
    assert (len(report.issue.stories), report.candidates, report.merged) == (1, 2, 1)


def test_limits_take_the_best() -> None:
    """The best stories get in until the issue is full; each section counts what it left out."""
    ranked = [(a_story(number), topic) for number, topic in enumerate([MODELS, MODELS, MODELS, VISION, VISION, MODELS])]

    sections = choose(ranked, (VISION, MODELS), Limits(stories=3, per_topic=2))

    assert [(section.topic, len(section.stories), section.more) for section in sections] == [
        ("vision", 1, 1),
        ("models", 2, 2),
    ]


def test_composing_writes_nothing(store: Store) -> None:
    """Composing twice gives the same issue twice."""
    assert composed(store, an_entry(1)) == composed(store, an_entry(1))
