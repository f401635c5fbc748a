from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from newsletter.archive import Archive
from newsletter.compose import EVEN, MORE, choose, compose
from newsletter.model import Composed, Entry, Filters, Follow, Limits, Signals, Slot, Story, Topic, WhenEmpty
from newsletter.store import Store
from newsletter.store.issues import Audience
from newsletter.topics.assign import Assignment, Choice
from tests.builders import HOUR, NOON, TODAY, a_newsletter, a_rendered, a_slot, a_story, a_topic, an_entry

MODELS = a_topic("models", "LLM")
VISION = a_topic("vision", "image")
DAY = 24 * HOUR


def composed(store: Store, *entries: Entry, now: datetime = NOON, **changes: Any) -> Composed:
    """The composition of a newsletter after its source gave these entries."""
    store.entries.add(entries, now=min(now, NOON) - HOUR)
    return again(store, now=now, **changes)


def again(
    store: Store,
    *,
    now: datetime = NOON,
    slot: Slot | None = None,
    besides: int | None = None,
    weights: Mapping[str, float] = EVEN,
    topics: Sequence[Topic] = (MODELS, VISION),
    **changes: Any,
) -> Composed:
    """The composition of what is there."""
    archive = Archive(store)
    archive.catch_up()
    return compose(
        slot or a_slot(),
        newsletter=a_newsletter(**changes),
        topics=topics,
        store=store,
        archive=archive,
        now=now,
        besides=besides,
        weights=weights,
    )


def test_a_source_weighs_what_its_operator_says(store: Store) -> None:
    """A story of one that weighs five is worth five times the votes."""
    votes = [("blog", 10), ("hf-daily", 30)]
    entries = [an_entry(n, source=source, signals=Signals(upvotes=v)) for n, (source, v) in enumerate(votes, start=1)]
    both: dict[str, Any] = {"sources": ("blog", "hf-daily")}

    even = composed(store, *entries, **both)
    weighed = again(store, weights={"blog": 5.0}, **both)

    assert keys(even) == ["arxiv:2611.00002", "arxiv:2611.00001"]
    assert keys(weighed) == ["arxiv:2611.00001", "arxiv:2611.00002"]


def test_without_votes_what_is_near_the_topics_comes_first(store: Store) -> None:
    """A feed that counts nothing is ranked by what the operator says the newsletter is about."""
    bread = [an_entry(n, title=f"Bread {n}", summary="Flour, water, yeast and an oven.") for n in range(1, 6)]
    report = composed(store, *bread, an_entry(6, title="A language model", summary="An LLM that writes."))

    assert report.issue is not None
    assert report.issue.headline == "A language model"
    assert any(part.name == "topics" for story in report.issue.stories for part in story.parts)


def test_examples_of_a_topic_are_named_by_title_or_id(store: Store) -> None:
    """They draw stories like them into the topic, although no word of its description is theirs."""
    bakery = Topic(name="oven", title="From the oven", examples=("Loaves of rye", "2611.00002"))
    known = [
        an_entry(1, title="Loaves of rye", summary="Bakers knead dough of rye flour and let sourdough rise."),
        an_entry(2, title="Wheat", summary="Dough of wheat flour, yeast and water, kneaded by bakers."),
        *(an_entry(n, title=f"Star {n}", summary="Telescopes watch distant galaxies.") for n in range(10, 30)),
    ]
    store.entries.add(known, now=NOON - 20 * DAY)
    summary = "Bakers let dough of flour and yeast rise."
    news = [an_entry(n, title=f"News {n}", summary=summary) for n in (31, 32)]

    report = composed(store, *news, an_entry(33, title="Comets", summary="Telescopes watch comets."), topics=[bakery])

    assert report.issue is not None
    found = {section.topic: {story.key for story in section.stories} for section in report.issue.sections}
    assert found["oven"] == {"arxiv:2611.00031", "arxiv:2611.00032"}


def published(store: Store, report: Composed) -> int:
    """The number of the issue that was composed, after it went out."""
    assert report.issue is not None
    audience = Audience(at=NOON)
    number, _ = store.issues.publish(report.issue, a_rendered(), newsletter=a_newsletter(), audience=audience, now=NOON)
    return number


def keys(report: Composed) -> list[str]:
    """The stories of an issue, in reading order."""
    assert report.issue is not None
    return [story.key for story in report.issue.stories]


def test_sections_in_the_order_of_topics(store: Store) -> None:
    """Stories stand under their topics in the operator's order, best first; what fits none comes last."""
    report = composed(
        store,
        an_entry(1, title="An image of a map"),
        an_entry(2, title="Cooking"),
        an_entry(3, title="An LLM", signals=Signals(upvotes=1)),
        an_entry(4, title="A better LLM", signals=Signals(upvotes=50)),
        an_entry(5, title="Better image sensors", signals=Signals(upvotes=2)),
    )

    assert report.issue is not None
    assert [(section.title, [story.title for story in section.stories]) for section in report.issue.sections] == [
        ("Models", ["A better LLM", "An LLM"]),
        ("Vision", ["Better image sensors", "An image of a map"]),
        ("More papers", ["Cooking"]),
    ]
    assert report.issue.headline == "A better LLM"
    assert report.issue.preheader == "5 papers: Models, Vision"


def test_a_single_story_has_no_heading(store: Store) -> None:
    """It stands among the rest, with its topic beside it."""
    report = composed(store, an_entry(1, title="An image of a map"), an_entry(2, title="Cooking"))

    assert report.issue is not None
    assert [section.topic for section in report.issue.sections] == ["more"]
    assert {story.title: story.topic for story in report.issue.stories} == {
        "An image of a map": "Vision",
        "Cooking": "",
    }


def test_nothing_is_told_twice(store: Store) -> None:
    """A story of an earlier issue is left out, under whatever name it comes back, and the report counts it."""
    published(store, composed(store, an_entry(1, aliases=("doi:10.1/x",))))
    report = composed(store, an_entry(7, key="doi:10.1/x"), an_entry(2))

    assert keys(report) == ["arxiv:2611.00002"]
    assert report.left_out == {"already sent": 1}


WALKERS = {
    "title": "Maps for walkers: how people on foot find their way through unknown cities",
    "summary": "We draw maps for people who walk through unknown cities, and let four hundred of them find museums, "
    "stations and fountains. Those who were given landmarks in place of street names arrived eleven minutes earlier "
    "and looked at the map half as often. The maps, the routes and a program that draws such maps of any city from "
    "public geographic data are free.",
}


def test_what_was_told_under_another_name_is_not_told_again(store: Store) -> None:
    """The same text from another source, with another key, is no news."""
    published(store, composed(store, an_entry(1, **WALKERS)))
    copy = an_entry(2, key="url:https://example.org/maps", url="https://example.org/maps", source="blog", **WALKERS)
    report = composed(store, copy, an_entry(3, title="Cooking"), sources=("hf-daily", "blog"))

    assert keys(report) == ["arxiv:2611.00003"]
    assert report.left_out["sent before under another name"] == 1


def test_one_story_under_two_names_is_told_once(store: Store) -> None:
    """The other place it was found is listed under it, and the report counts it as merged."""
    copy = an_entry(2, key="url:https://example.org/maps", url="https://example.org/maps", source="blog", **WALKERS)
    report = composed(store, an_entry(1, **WALKERS), copy, sources=("hf-daily", "blog"))

    assert report.issue is not None
    (story,) = report.issue.stories
    assert [mention.source for mention in story.mentions] == ["hf-daily", "blog"]
    assert report.merged == 1


def test_what_has_become_news_again_is_told_again_once(store: Store) -> None:
    """A paper that a listing shows anew with many more votes comes back, and says why."""
    first = composed(store, an_entry(1, listed=TODAY, signals=Signals(upvotes=9)))
    published(store, first)
    later = NOON + 6 * DAY
    risen = an_entry(1, listed=later.date(), signals=Signals(upvotes=90))
    store.entries.add([risen], now=later - HOUR)
    slot = a_slot(later.date())
    report = again(store, now=later, slot=slot)

    assert keys(report) == ["arxiv:2611.00001"]
    assert report.issue is not None
    assert report.issue.stories[0].again == "rising again: 90 upvotes, 9 when it was sent"
    store.issues.publish(report.issue, a_rendered(), newsletter=a_newsletter(), audience=Audience(at=later), now=later)
    assert again(store, now=later + HOUR, slot=a_slot(later.date() + DAY)).issue is None


def test_an_issue_being_replaced_may_be_told_again(store: Store) -> None:
    """What only the issue in question told is told again when it is replaced on purpose."""
    number = published(store, composed(store, an_entry(1)))

    assert keys(again(store, besides=number)) == ["arxiv:2611.00001"]


def test_an_empty_day_has_a_reason(store: Store) -> None:
    """Without anything new there is no issue, and the report says which kind of nothing it was."""
    nothing = composed(store)
    published(store, composed(store, an_entry(1)))
    stale = again(store)
    unwanted = composed(store, an_entry(2), filters=Filters(include=("cooking",)))

    assert (nothing.issue, nothing.reason) == (None, "no new entries in its sources")
    assert (stale.issue, stale.reason) == (None, "nothing new: its only story was sent before")
    assert unwanted.reason == "nothing that is wanted: 2 has none of the included words"


def test_an_empty_issue_on_request(store: Store) -> None:
    """A newsletter may want to be sent although there is nothing new."""
    report = composed(store, when_empty=WhenEmpty.SEND)

    assert report.issue is not None
    assert report.issue.sections == ()


def test_what_is_not_wanted_is_counted_by_reason(store: Store) -> None:
    """Filters leave stories out, those of followed authors excepted, and the report says why."""
    report = composed(
        store,
        an_entry(1, title="Cooking"),
        an_entry(2, title="An LLM", authors=("Ada Noether",)),
        an_entry(3, title="Gardening", authors=("Ada Noether",)),
        filters=Filters(include=("gardens",), exclude=("cooking",), follow=Follow(authors=("Ada Noether",))),
    )

    assert sorted(keys(report)) == ["arxiv:2611.00002", "arxiv:2611.00003"]
    assert report.left_out == {"has the excluded word 'cooking'": 1}
    assert report.issue is not None
    assert all("by Ada Noether" in story.why for story in report.issue.stories)


def test_old_entries_are_no_news(store: Store) -> None:
    """What was first seen longer ago than the newsletter's limit is no candidate."""
    report = composed(store, an_entry(1), now=NOON + 8 * DAY)

    assert report.issue is None


def test_after_a_pause_everything_since_the_last_issue(store: Store) -> None:
    """An issue after a long pause carries what the missed ones would have."""
    published(store, composed(store, an_entry(1)))
    store.entries.add([an_entry(2)], now=NOON + DAY)

    assert keys(again(store, now=NOON + 30 * DAY, slot=a_slot(TODAY + 30 * DAY))) == ["arxiv:2611.00002"]


def test_duplicates_are_merged_and_counted(store: Store) -> None:
    """One paper from two sources is one story, and the report says how many entries went into others."""
    report = composed(store, an_entry(1), an_entry(1, source="arxiv"), sources=("hf-daily", "arxiv"))

    assert report.issue is not None
    assert (len(report.issue.stories), report.candidates, report.merged) == (1, 2, 1)


def test_stories_are_made_readable(store: Store) -> None:
    """What a card shows is there: a title without TeX, one or two sentences, the grounds of its place."""
    report = composed(store, an_entry(1, title=r"Sorting in $O(n \log n)$ \emph{again}", signals=Signals(upvotes=7)))

    assert report.issue is not None
    (story,) = report.issue.stories
    assert story.title == "Sorting in O(n log n) again"
    assert story.brief == "We propose method 1."
    assert "7 upvotes" in story.why


def test_a_summary_that_was_written_is_shown(store: Store) -> None:
    """Where somebody summarises the chosen stories, theirs takes the place of the abstract's sentences."""
    store.entries.add([an_entry(1)], now=NOON - HOUR)
    report = compose(
        a_slot(),
        newsletter=a_newsletter(),
        topics=[],
        store=store,
        archive=Archive(store),
        now=NOON,
        summaries=lambda stories: {story.key: "Somebody wrote this sentence about it." for story in stories},
    )

    assert report.issue is not None
    assert report.issue.stories[0].brief == "Somebody wrote this sentence about it."


# --- choosing -----------------------------------------------------------------------------------------------------


def assigned(number: int, topic: Topic | None) -> Assignment:
    """A story whose topic is known; the first stands best."""
    choice = (Choice(topic=topic, score=5.0, likeness=5.0, keywords=0.0, neighbours=0.0),) if topic else ()
    story: Story = dataclasses.replace(a_story(number), standing=100 - number)
    return Assignment(story=story, choices=choice)


def test_limits_take_the_best() -> None:
    """The first stories get in until issue and topics are full; each section counts what it left out."""
    order = [MODELS, MODELS, MODELS, VISION, VISION, VISION, MODELS]
    assignments = [assigned(number, topic) for number, topic in enumerate(order)]

    sections = choose(assignments, (VISION, MODELS), Limits(stories=4, per_topic=2))

    assert [(section.topic, len(section.stories), section.more) for section in sections] == [
        ("vision", 2, 1),
        ("models", 2, 2),
    ]


def test_what_has_no_topic_fills_the_issue() -> None:
    """A newsletter without topics is one list, as long as the issue may be."""
    sections = choose([assigned(number, None) for number in range(30)], (), Limits(stories=20, per_topic=6))

    assert [(section.topic, len(section.stories), section.more) for section in sections] == [(MORE.name, 20, 10)]


def test_a_section_is_in_the_order_of_rank() -> None:
    """The order in which stories were chosen spreads them; the one in which they are read is by rank."""
    assignments = [assigned(number, MODELS) for number in (3, 1, 2)]

    (section,) = choose(assignments, (MODELS,), Limits())

    assert [story.key for story in section.stories] == [f"arxiv:2611.0000{number}" for number in (1, 2, 3)]


def test_composing_writes_nothing(store: Store) -> None:
    """Composing twice gives the same issue twice."""
    assert composed(store, an_entry(1)) == again(store)
