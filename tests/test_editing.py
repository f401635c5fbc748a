"""What an editor says, and what an issue makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.archive import Archive
from newsletter.back_issues import BackIssues, period_of
from newsletter.compose import compose
from newsletter.editing import in_force, paragraphs
from newsletter.errors import NotFound
from newsletter.model import Change, Composed, Edit, Filters, Issue, Limits, Signals
from newsletter.store import Store, open_store
from newsletter.store.issues import Audience
from newsletter.store.schema import events
from tests.builders import HOUR, NOON, TODAY, a_newsletter, a_rendered, a_slot, a_story, a_topic, an_entry
from tests.databases import build

DAY = timedelta(days=1)
FIRST, SECOND, THIRD = (f"arxiv:2611.0000{number}" for number in (1, 2, 3))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Three papers, of which the third has most votes."""
    opened = open_store(f"sqlite:///{tmp_path / 'test.db'}")
    build(opened)
    opened.entries.add([an_entry(n, signals=Signals(upvotes=10 * n)) for n in (1, 2, 3)], now=NOON - HOUR)
    yield opened
    opened.close()


def said(kind: Change, key: str = FIRST, text: str = "", until: date | None = None, at: Any = NOON) -> Edit:
    """What Ann said at noon."""
    return Edit(newsletter="daily-papers", kind=kind, key=key, text=text, who="ann", at=at, until=until)


def composed(store: Store, *edits: Edit, day: date = TODAY, **changes: Any) -> Composed:
    """The composition of a day after some edits."""
    for edit in edits:
        store.edits.add(edit)
    archive = Archive(store)
    archive.catch_up()
    return compose(
        a_slot(day),
        newsletter=a_newsletter(**changes),
        topics=[a_topic("models", "LLM")],
        store=store,
        archive=archive,
        now=NOON + (day - TODAY),
    )


def keys(report: Composed) -> list[str]:
    """The stories of an issue, in reading order."""
    assert report.issue is not None
    return [story.key for story in report.issue.stories]


def published(store: Store, report: Composed) -> Issue:
    """The issue, after it went out."""
    assert report.issue is not None
    audience = Audience(at=NOON + HOUR)
    store.issues.publish(
        report.issue, a_rendered(), newsletter=a_newsletter(), audience=audience, now=report.issue.slot.at + 5 * HOUR
    )
    return report.issue


def test_what_is_hidden_is_left_out_with_the_reason(store: Store) -> None:
    """The report counts it."""
    report = composed(store, said(Change.HIDE, THIRD))

    assert keys(report) == [SECOND, FIRST]
    assert report.left_out["hidden by the editor"] == 1


def test_what_is_hidden_up_to_a_day_comes_after_it(store: Store) -> None:
    """On that day it is still hidden."""
    hidden = said(Change.HIDE, THIRD, until=TODAY)

    assert THIRD not in keys(composed(store, hidden))
    assert THIRD in keys(composed(store, day=TODAY + DAY))


def test_what_is_pinned_comes_first_and_says_so(store: Store) -> None:
    """The subject is its title, too."""
    report = composed(store, said(Change.PIN, FIRST))

    assert keys(report) == [FIRST, THIRD, SECOND]
    assert report.issue is not None
    assert report.issue.stories[0].why[0] == "chosen by the editor"
    assert report.issue.headline == "Paper number 1"


def test_pins_stand_in_the_order_in_which_they_were_made(store: Store) -> None:
    """Whatever votes they have."""
    pins = [said(Change.PIN, SECOND), said(Change.PIN, FIRST, at=NOON + HOUR)]

    assert keys(composed(store, *pins)) == [SECOND, FIRST, THIRD]


def test_a_pin_is_above_limits_and_filters(store: Store) -> None:
    """An issue of one story has the two that are pinned."""
    pins = [said(Change.PIN, FIRST), said(Change.PIN, SECOND)]
    filters = Filters(exclude=("number 1",))

    assert keys(composed(store, *pins, limits=Limits(stories=1, per_topic=1), filters=filters)) == [FIRST, SECOND]


def test_a_pin_is_told_again_and_then_used_up(store: Store) -> None:
    """For one issue; the day after it is a story that was told."""
    published(store, composed(store))
    tomorrow = TODAY + DAY

    report = composed(store, said(Change.PIN, FIRST, at=NOON + DAY), day=tomorrow)
    assert keys(report) == [FIRST]
    published(store, report)

    assert composed(store, day=tomorrow + DAY).issue is None


def test_a_pin_up_to_a_day_is_in_each_issue_until_then(store: Store) -> None:
    """And not after it."""
    pin = said(Change.PIN, FIRST, until=TODAY + DAY)

    published(store, composed(store, pin))
    again = composed(store, day=TODAY + DAY)
    assert keys(again) == [FIRST]
    published(store, again)
    assert composed(store, day=TODAY + 2 * DAY).issue is None


def test_a_pin_brings_back_what_is_too_old_to_be_a_candidate(store: Store) -> None:
    """From the archive."""
    later = TODAY + timedelta(days=60)
    store.entries.add([an_entry(9)], now=NOON + timedelta(days=60) - HOUR)
    published(store, composed(store))

    report = composed(store, said(Change.PIN, SECOND, at=NOON + timedelta(days=59)), day=later)

    assert SECOND in keys(report)
    assert FIRST not in keys(report)


def test_a_pin_takes_back_that_a_story_is_hidden(store: Store) -> None:
    """And the other way round: what was said last holds."""
    composed(store, said(Change.HIDE), said(Change.PIN))
    assert [edit.kind for edit in store.edits.list("daily-papers")] == [Change.PIN]

    store.edits.add(said(Change.HIDE))
    assert [edit.kind for edit in store.edits.list("daily-papers")] == [Change.HIDE]


def test_a_blurb_is_said_in_place_of_a_summary(store: Store) -> None:
    """One sentence of it where there is room for one."""
    report = composed(store, said(Change.BLURB, THIRD, "Read this. It is short."))

    assert report.issue is not None
    story = report.issue.stories[0]
    assert (story.brief, story.tldr, story.line) == ("Read this. It is short.",) * 2 + ("Read this.",)


def test_an_intro_is_that_of_its_day(store: Store) -> None:
    """In paragraphs."""
    intro = said(Change.INTRO, TODAY.isoformat(), "Good morning.\n\nTwo\nlines.")

    first, second = composed(store, intro).issue, composed(store, day=TODAY + DAY).issue

    assert first is not None
    assert second is not None
    assert first.intro == ("Good morning.", "Two lines.")
    assert second.intro == ()


def test_a_story_is_meant_by_any_of_its_names() -> None:
    """Another source may lead tomorrow."""
    story = a_story(1, key="doi:10.1/x", aliases=(FIRST,))

    edits = in_force([said(Change.PIN)], a_slot(), told={})
    hides = in_force([said(Change.HIDE)], a_slot(), told={})
    words = in_force([said(Change.BLURB, text="So.")], a_slot(), told={})

    assert edits.first([story]) == ("doi:10.1/x",)
    assert hides.is_hidden(story)
    assert words.worded(story).brief == "So."


def test_what_was_said_is_taken_back_by_its_number(store: Store) -> None:
    """And every step is remembered with who took it."""
    store.edits.add(said(Change.HIDE))
    (edit,) = store.edits.list("daily-papers")

    with pytest.raises(NotFound):
        store.edits.undo("another", edit.id, who="ben", now=NOON)
    store.edits.undo("daily-papers", edit.id, who="ben", now=NOON)

    assert store.edits.list("daily-papers") == []
    with store.db.reading() as connection:
        details = list(connection.execute(sa.select(events.c.detail).order_by(events.c.id)).scalars())
    assert details == [f"hide {FIRST}, by ann", f"no hide {FIRST}, by ben"]


@pytest.mark.parametrize(
    ("text", "found"), [("", ()), (" \n\n \n", ()), ("a\r\nb\r\n\r\nc", ("a b", "c")), ("\n\na", ("a",))]
)
def test_paragraphs_are_parted_by_empty_lines(text: str, found: tuple[str, ...]) -> None:
    """Whatever ends lines."""
    assert paragraphs(text) == found


def test_what_readers_like_draws_what_is_like_it(store: Store) -> None:
    """And is told among the grounds; where nobody may vote nothing changes."""
    store.subscribers.ensure(["a@example.org", "b@example.org"], now=NOON)
    bread = [an_entry(n, title=f"Bread {n}", summary="Flour, yeast, an oven.", signals=Signals()) for n in (11, 12, 13)]
    stars = [an_entry(n, title=f"Stars {n}", summary="Telescopes, galaxies.", signals=Signals()) for n in (14, 15, 16)]
    store.entries.add([*bread, *stars], now=NOON - HOUR)
    for subscriber in (1, 2):
        store.votes.add("daily-papers", "arxiv:2611.00015", subscriber, now=NOON)
        store.votes.add("daily-papers", "arxiv:2611.00015", subscriber, now=NOON)

    deaf, hears = composed(store).issue, composed(store, votes=True).issue

    assert deaf is not None
    assert hears is not None
    parts = {story.title: {part.name: part.points for part in story.parts} for story in hears.stories}
    assert parts["Stars 14"].get("interest", 0) > parts["Bread 11"].get("interest", 0)
    assert parts["Stars 15"]["readers"] == round(100 * 0.5 * 1.0986)
    assert "liked by 2 readers" in next(story.why for story in hears.stories if story.title == "Stars 15")
    assert not any(part.name in {"readers", "interest"} for story in deaf.stories for part in story.parts)


def test_the_best_of_a_day_counts_readers_too(store: Store) -> None:
    """Fifteen of them are more than the ten upvotes that another one has more."""
    issue = published(store, composed(store))
    day = period_of(issue.slot.date, "day")
    before = [ranked.story.key for ranked in BackIssues(store).best("daily-papers", day, limit=10)[0]]
    for subscriber in store.subscribers.ensure([f"r{n}@example.org" for n in range(15)], now=NOON):
        store.votes.add("daily-papers", SECOND, subscriber, now=NOON)

    assert before[0] == THIRD
    assert BackIssues(store).best("daily-papers", day, limit=10)[0][0].story.key == SECOND
