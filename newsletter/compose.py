"""Stage 2: merge, filter, rank, group by topic, choose -> an Issue, or None with the reason.

    store.entries.candidates | merge | minus what is hidden | what is wanted | minus what was told | rank by signals
                             | the best of them | what is the same under another name | rank | spread | assign | choose
                             | readable, as the editor says it -> Issue

Nothing is written here: composing twice gives the same issue twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from newsletter import editing
from newsletter.archive import Archive
from newsletter.editing import Editing
from newsletter.language import speak
from newsletter.model import Change, Composed, Issue, Limits, Link, Newsletter, Section, Slot, Story, Topic, WhenEmpty
from newsletter.render import phrases
from newsletter.render.phrases import REST
from newsletter.sources.identity import title_key
from newsletter.store import Store
from newsletter.store.entries import Seen
from newsletter.store.issues import names
from newsletter.summaries import Summaries, nobody
from newsletter.topics.assign import Assignment, assign
from newsletter.topics.diversity import by_vectors, spread
from newsletter.topics.embed import Embedded
from newsletter.topics.filters import followed, keep, rising
from newsletter.topics.group import Heading, group
from newsletter.topics.interests import Interests
from newsletter.topics.likeness import fit
from newsletter.topics.merge import TITLE, Sighting, merge
from newsletter.topics.rank import rank
from newsletter.topics.summarize import readable
from newsletter.topics.trending import Known, Snapshots
from newsletter.topics.twins import find_twins

MORE = Heading(REST, "More papers")  # of what fits no topic; readers see it in their language
REMEMBERED = timedelta(days=30)  # what was told so long ago is compared with what is new
LIKED = timedelta(days=60)  # what readers liked longer ago says little of what they like now
_MOST_LIKED = 50  # stories, to tell what readers like
WEIGHED = 1_000  # stories, the best by their signals, whose words and meaning are looked at
BACKGROUND = 1_000  # stories of the archive that show what is usual
_SENT_UNDER_ANOTHER_NAME = "sent before under another name"
EVEN: Mapping[str, float] = MappingProxyType({})  # every source weighs the same
CHOICE = 5  # stories to choose from, for each that the issue holds


def compose(
    slot: Slot,
    *,
    newsletter: Newsletter,
    topics: Sequence[Topic],
    store: Store,
    archive: Archive,
    now: datetime,
    besides: int | None = None,
    summaries: Summaries = nobody,
    weights: Mapping[str, float] = EVEN,
) -> Composed:
    """The issue for a slot from what was collected until `now`, without what earlier issues told.

    Candidates are the entries of the newsletter's sources first seen within its `max_age`, or since its last issue if
    that is longer ago: after a long pause one issue carries what the missed ones would have. The stories of the issue
    `besides` may be told again: it is being replaced on purpose. `weights` are those of the sources, by name. What the
    editor pinned is told in any case, and what the editor hid is not.
    """
    edits = _edits(slot, store, besides=besides)
    last = store.issues.last_published(newsletter.name, before=slot.at)
    since = min(now - newsletter.max_age, last or now)
    seen = _with_pinned(store.entries.candidates(newsletter.sources, since=since, until=now), edits, store)
    stories = merge(map(_sighting, seen))
    left_out: Counter[str] = Counter()
    shown = [story for story in stories if not edits.is_hidden(story)]
    left_out[editing.HIDDEN] += len(stories) - len(shown)
    pinned = [story for story in shown if edits.is_pinned(story)]
    wanted, refused = keep([story for story in shown if not edits.is_pinned(story)], newsletter.filters)
    left_out.update(one.reason for one in refused)
    snapshots = store.entries.snapshots([story.key for story in (*pinned, *wanted)])
    fresh = _untold(wanted, newsletter, store, snapshots, besides=besides, now=now)
    left_out["already sent"] += len(wanted) - len(fresh)
    fresh = [*pinned, *fresh]
    pins = edits.first(fresh)
    votes = store.votes.counts(newsletter.name, [story.key for story in fresh]) if newsletter.votes else {}
    by_whom = _followed(fresh, newsletter)
    known = Known(snapshots=snapshots, pins=pins, followed=by_whom, weights=weights, votes=votes)
    by_signals = rank(fresh, known, now=now)
    told = store.issues.stories(newsletter.name, since=now - REMEMBERED, besides=besides)
    distinct = _distinct(by_signals[:WEIGHED], told, left_out, pins=pins)
    pins = edits.first(distinct)
    background = _background(topics, archive)
    fitting = _fitting(distinct, topics, archive, background)
    known = replace(known, pins=pins, topics=fitting, novelty=_novelty(distinct, told, archive))
    if newsletter.votes:
        known = replace(known, interest=_interest(distinct, newsletter, archive, now=now))
    ranked = rank(distinct, known, now=now, language=speak(newsletter.language))
    sections = _sections(ranked, topics, archive, background, newsletter, pins=pins)
    chosen = sum(len(section.stories) for section in sections)
    left_out["over the limit"] += len(ranked) + len(by_signals[WEIGHED:]) - chosen
    sections = _readable(sections, summaries, edits)
    doubles = len(by_signals[:WEIGHED]) - len(distinct) - left_out[_SENT_UNDER_ANOTHER_NAME]
    is_empty = not chosen and newsletter.when_empty is WhenEmpty.SKIP
    headline = ranked[0].title if ranked else ""
    return Composed(
        issue=None if is_empty else _issue(slot, newsletter, sections, headline=headline, intro=edits.intro),
        reason=_nothing(len(stories), left_out) if is_empty else "",
        candidates=len(seen),
        merged=len(seen) - len(stories) + doubles,
        left_out={reason: count for reason, count in left_out.items() if count},
    )


# --- which stories ------------------------------------------------------------------------------------------------


def _edits(slot: Slot, store: Store, *, besides: int | None) -> Editing:
    said = store.edits.list(slot.newsletter)
    pins = {edit.key for edit in said if edit.kind is Change.PIN}
    return editing.in_force(said, slot, told=store.issues.told(slot.newsletter, pins, besides=besides))


def _with_pinned(seen: Sequence[Seen], edits: Editing, store: Store) -> Sequence[Seen]:
    """The candidates, and what is pinned and is none any more, from the archive."""
    if not edits.pins:
        return seen
    known = {(one.entry.source, one.entry.key) for one in seen}
    ids = store.stories.find(edits.pins)
    found = store.stories.told(list(ids.values()))
    return [*seen, *(one for some in found.values() for one in some if (one.entry.source, one.entry.key) not in known)]


def _untold(
    stories: Sequence[Story],
    newsletter: Newsletter,
    store: Store,
    snapshots: Mapping[str, Snapshots],
    *,
    besides: int | None,
    now: datetime,
) -> list[Story]:
    """Those that were not sent before, and those that have become news again, which say so."""
    told = store.issues.told(newsletter.name, {name for story in stories for name in names(story)}, besides=besides)
    fresh = []
    for story in stories:
        before = max((told[name] for name in names(story) if name in told), default=None)
        if before is None:
            fresh.append(story)
        elif again := rising(
            story, told=before, snapshots=snapshots.get(story.key, ()), now=now, language=speak(newsletter.language)
        ):
            fresh.append(replace(story, again=again))
    return fresh


def _distinct(
    fresh: Sequence[Story], told: Sequence[Story], left_out: Counter[str], *, pins: Sequence[str]
) -> list[Story]:
    """The stories without those that are another one, or were sent, under another name; related ones are linked."""
    twins = find_twins(fresh, archive=told)
    distinct = []
    for story in twins.stories:
        if story.key in twins.told and not story.again and story.key not in pins:
            left_out[_SENT_UNDER_ANOTHER_NAME] += 1
            continue
        related = [match.other.url for match in twins.related.get(story.key, ()) if match.other.url]
        links = (*story.links, *(Link(rel="related", url=url) for url in related[:1]))
        distinct.append(replace(story, links=links))
    return distinct


def _sighting(found: Seen) -> Sighting:
    return Sighting(entry=found.entry, first_seen=found.first_seen, title_name=TITLE + title_key(found.entry.title))


# --- in which order -----------------------------------------------------------------------------------------------


def _fitting(
    stories: Sequence[Story], topics: Sequence[Topic], archive: Archive, background: Embedded
) -> dict[str, float]:
    """How well each story fits the topics: what ranks stories that nobody counts votes of."""
    told = fit(archive.embedded(stories), topics, embedder=archive.embedder, background=background)
    return {story.key: fitting for story, fitting in zip(stories, told, strict=True)}


def _novelty(stories: Sequence[Story], told: Sequence[Story], archive: Archive) -> dict[str, float]:
    """How unlike what readers got of late each story is."""
    if not told or not stories:
        return {}
    likest = (archive.embedded(stories).vectors @ archive.embedded(told).vectors.T).max(axis=1)
    return {story.key: 1.0 - float(like) for story, like in zip(stories, likest, strict=True)}


def _interest(stories: Sequence[Story], newsletter: Newsletter, archive: Archive, *, now: datetime) -> dict[str, float]:
    """How like what readers of this newsletter liked of late each story is."""
    keys = archive.store.votes.liked(newsletter.name, since=now - LIKED, limit=_MOST_LIKED)
    liked = list(archive.stories(list(archive.store.stories.find(keys).values())).values()) if keys else []
    if not liked or not stories:
        return {}
    interests = Interests(archive.embedded(stories), archive.embedded(liked))
    scores = interests.of(range(len(liked)))
    return {story.key: float(score) for story, score in zip(stories, scores, strict=True)}


def _followed(stories: Sequence[Story], newsletter: Newsletter) -> dict[str, str]:
    return {story.key: who for story in stories if (who := followed(story, newsletter.filters))}


def _sections(
    ranked: Sequence[Story],
    topics: Sequence[Topic],
    archive: Archive,
    background: Embedded,
    newsletter: Newsletter,
    *,
    pins: Sequence[str],
) -> tuple[Section, ...]:
    """The sections of the issue, chosen from the best; from more where those are too many of few topics to fill it."""
    limits, count = newsletter.limits, CHOICE * newsletter.limits.stories
    while True:
        assigned = _assigned(ranked[:count], topics, archive, background)
        sections = choose(assigned, topics, limits, rest=_rest(newsletter), pins=pins)
        if count >= len(ranked) or sum(len(section.stories) for section in sections) >= limits.stories:
            return sections
        count *= CHOICE


def _assigned(
    ranked: Sequence[Story], topics: Sequence[Topic], archive: Archive, background: Embedded
) -> list[Assignment]:
    """The topic of each story that may get in, in an order in which neighbours differ."""
    best = archive.embedded(ranked)
    order = spread([story.standing / 100 for story in best.stories], by_vectors(best.vectors), count=len(best.stories))
    day = Embedded(tuple(best.stories[at] for at in order), best.vectors[order])
    return assign(day, topics, embedder=archive.embedder, background=background)


def _background(topics: Sequence[Topic], archive: Archive) -> Embedded:
    """Stories of the archive that show what is usual, and those that topics name as theirs."""
    named = archive.find([example for topic in topics for example in topic.examples])
    examples = archive.stories([story for stories in named.values() for story in stories])
    return archive.recent(BACKGROUND).joined(archive.embedded(list(examples.values())))


# --- where they stand ---------------------------------------------------------------------------------------------


def choose(
    assignments: Iterable[Assignment],
    topics: Sequence[Topic],
    limits: Limits,
    *,
    rest: Heading = MORE,
    pins: Sequence[str] = (),
) -> tuple[Section, ...]:
    """Sections in the order of `topics`: the first stories, as many as the issue and each topic may hold.

    What a limit leaves out is counted in the `more` of the section it would have stood in. Within a section the best
    stands first. What fits no topic stands under the heading `rest`. The stories of `pins` are in whatever the limits
    say, and before all others.
    """
    place = {key: number for number, key in enumerate(pins)}
    chosen: list[Assignment] = []
    left: Counter[Topic | None] = Counter()
    held: Counter[Topic] = Counter()
    for assignment in sorted(assignments, key=lambda assignment: assignment.story.key not in place):
        topic, is_pinned = assignment.topic, assignment.story.key in place
        if is_pinned or (len(chosen) < limits.stories and (topic is None or held[topic] < limits.per_topic)):
            chosen.append(assignment)
            held.update([topic] if topic else [])
        else:
            left[topic] += 1
    chosen.sort(key=lambda one: (place.get(one.story.key, len(place)), -one.story.standing))
    grouped = group(chosen, topics, most=limits.per_topic)
    placed = {**grouped.sections, rest: grouped.rest}
    more = _more(left, placed, rest)
    return tuple(
        Section(
            topic=heading.name,
            title=heading.title,
            stories=tuple(_shown(assignment, heading) for assignment in some),
            more=more[heading],
        )
        for heading, some in placed.items()
        if some
    )


def _more(
    left: Mapping[Topic | None, int], placed: Mapping[Heading, Sequence[Assignment]], rest: Heading
) -> Counter[Heading]:
    """Under which heading each story that was left out would have stood; where it had none, under no topic's."""
    where = {assignment.topic: heading for heading, some in placed.items() for assignment in some if heading != rest}
    more: Counter[Heading] = Counter()
    for topic, count in left.items():
        more[where.get(topic, rest)] += count
    return more


def _rest(newsletter: Newsletter) -> Heading:
    return Heading(MORE.name, phrases.rest(speak(newsletter.language), newsletter.noun))


def _shown(assignment: Assignment, heading: Heading) -> Story:
    """The story as it stands in its section: with its topic where the heading does not say it."""
    story, topic = assignment.story, assignment.topic
    return replace(story, topic=topic.title, topic_name=topic.name) if topic and topic.name != heading.name else story


def _readable(sections: Sequence[Section], summaries: Summaries, edits: Editing) -> tuple[Section, ...]:
    """The same sections, their stories ready to be read."""
    told = summaries([story for section in sections for story in section.stories])
    return tuple(
        replace(
            section,
            stories=tuple(
                edits.worded(readable(replace(story, tldr=told.get(story.key, story.tldr))))
                for story in section.stories
            ),
        )
        for section in sections
    )


# --- the issue ----------------------------------------------------------------------------------------------------


def _issue(
    slot: Slot, newsletter: Newsletter, sections: tuple[Section, ...], *, headline: str, intro: tuple[str, ...]
) -> Issue:
    return Issue(
        intro=intro,
        headline=headline,
        slot=slot,
        title=newsletter.title,
        preheader=phrases.preheader(speak(newsletter.language), sections, newsletter.noun),
        sections=sections,
        language=newsletter.language,
    )


def _nothing(stories: int, left_out: Mapping[str, int]) -> str:
    if not stories:
        return "no new entries in its sources"
    told = left_out.get("already sent", 0) + left_out.get(_SENT_UNDER_ANOTHER_NAME, 0)
    if told == stories:
        sent = "its only story was" if stories == 1 else f"all {stories} stories of its sources were"
        return f"nothing new: {sent} sent before"
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
    return f"nothing that is wanted: {reasons}"
