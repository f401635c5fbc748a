"""Stage 2: merge, rank, group by topic, choose -> an Issue, or None with the reason.

    store.entries.candidates | merge | minus what was told | rank | assign | choose -> Issue

Nothing is written here: composing twice gives the same issue twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from newsletter.model import Composed, Issue, Limits, Newsletter, Section, Slot, Story, Topic, WhenEmpty
from newsletter.sources.identity import title_key
from newsletter.store import Store
from newsletter.store.entries import Seen
from newsletter.store.issues import names
from newsletter.topics.assign import assign
from newsletter.topics.merge import TITLE, Sighting, merge
from newsletter.topics.rank import rank

MORE = Topic(name="more", title="More papers")


def compose(
    slot: Slot,
    *,
    newsletter: Newsletter,
    topics: Sequence[Topic],
    store: Store,
    now: datetime,
    besides: int | None = None,
) -> Composed:
    """The issue for a slot from what was collected until `now`, without what earlier issues told.

    Candidates are the entries of the newsletter's sources first seen within its `max_age`, or since its last issue if
    that is longer ago: after a long pause one issue carries what the missed ones would have. The stories of the issue
    `besides` may be told again: it is being replaced on purpose.
    """
    last = store.issues.last_published(newsletter.name, before=slot.at)
    since = min(now - newsletter.max_age, last or now)
    seen = store.entries.candidates(newsletter.sources, since=since, until=now)
    stories = merge(_sighting(found) for found in seen)
    fresh = _untold(stories, newsletter, store, besides)
    ranked = [(story, assign(story, topics).topic or MORE) for story in rank(fresh)]
    sections = choose(ranked, (*topics, MORE), newsletter.limits)
    chosen = sum(len(section.stories) for section in sections)
    left_out = {"already sent": len(stories) - len(fresh), "over the limit": len(fresh) - chosen}
    is_empty = not chosen and newsletter.when_empty is WhenEmpty.SKIP
    return Composed(
        issue=None if is_empty else _issue(slot, newsletter, sections, headline=ranked[0][0].title if ranked else ""),
        reason=_nothing(len(stories)) if is_empty else "",
        candidates=len(seen),
        merged=len(seen) - len(stories),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def choose(ranked: Iterable[tuple[Story, Topic]], topics: Sequence[Topic], limits: Limits) -> tuple[Section, ...]:
    """Sections in the order of `topics`: the best stories, as many as the issue and each section may hold.

    `ranked` are the stories, best first, each with its topic. What a limit leaves out is counted in its section's
    `more`; a topic none of whose stories got in has no section.
    """
    kept: dict[Topic, list[Story]] = {topic: [] for topic in topics}
    more: Counter[Topic] = Counter()
    room = limits.stories
    for story, topic in ranked:
        if room and len(kept[topic]) < limits.per_topic:
            kept[topic].append(story)
            room -= 1
        else:
            more[topic] += 1
    return tuple(
        Section(topic=topic.name, title=topic.title, stories=tuple(stories), more=more[topic])
        for topic, stories in kept.items()
        if stories
    )


def _sighting(found: Seen) -> Sighting:
    return Sighting(entry=found.entry, first_seen=found.first_seen, title_name=TITLE + title_key(found.entry.title))


def _untold(stories: Sequence[Story], newsletter: Newsletter, store: Store, besides: int | None) -> list[Story]:
    every_name = {name for story in stories for name in names(story)}
    told = store.issues.told(newsletter.name, every_name, besides=besides)
    return [story for story in stories if told.isdisjoint(names(story))]


def _issue(slot: Slot, newsletter: Newsletter, sections: tuple[Section, ...], *, headline: str) -> Issue:
    return Issue(
        headline=headline,
        slot=slot,
        title=newsletter.title,
        preheader=_preheader(sections),
        sections=sections,
        language=newsletter.language,
    )


def _preheader(sections: Sequence[Section]) -> str:
    """What a mail client shows beside the subject: how much there is, and the topics with most of it."""
    count = sum(len(section.stories) for section in sections)
    if not count:
        return "Nothing new today."
    busiest = sorted((section for section in sections if section.topic != MORE.name), key=lambda s: -len(s.stories))
    papers = f"{count} {'paper' if count == 1 else 'papers'}"
    return f"{papers}: {', '.join(section.title for section in busiest[:3])}" if busiest else papers


def _nothing(stories: int) -> str:
    if not stories:
        return "no new entries in its sources"
    told = "its only story was" if stories == 1 else f"all {stories} stories of its sources were"
    return f"nothing new: {told} sent before"
