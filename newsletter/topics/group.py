"""The stories of one issue -> its sections: no heading for a single story, and none for what belongs nowhere.

    three stories of a topic    a section of their own
    fewer                       with the other such topics under their umbrella, if that makes two stories
    alone even so               with the second choice, if it fits nearly as well and has a section
    else                        nowhere: "More papers", with the topic as a tag

Decided from the assignments alone, in their order: the same issue is grouped the same way every time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from newsletter.model import Topic
from newsletter.topics.assign import Assignment, Choice

OWN = 3  # stories that make a section of their own
SHARED = 2  # stories that make a section under an umbrella
NEARLY = 1.0  # how much worse than the first a second choice may fit

_NOT_IN_NAMES = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands over a section: a topic, or an umbrella over several."""

    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Sections in the order of the topics, each with its stories in the order they came; `rest` are in none."""

    sections: Mapping[Heading, tuple[Assignment, ...]]
    rest: tuple[Assignment, ...] = ()


def group(
    assignments: Sequence[Assignment], topics: Sequence[Topic], *, most: int | None = None, nearly: float = NEARLY
) -> Grouped:
    """Group the stories of an issue, the best first.

    A section holds `most` at most: those that came first stay, later ones go to their second choice or to the rest.
    """
    headings = _headings(assignments, topics)
    sections: dict[Heading, list[Assignment]] = {heading: [] for heading in headings.values()}
    homeless = []
    for assignment in assignments:
        heading = headings.get(assignment.topic) if assignment.topic else None
        if heading is None or (most is not None and len(sections[heading]) >= most):
            homeless.append(assignment)
        else:
            sections[heading].append(assignment)
    rest: list[Assignment] = []
    for assignment in homeless:
        open_ = [heading for heading in _second(assignment, headings, nearly) if _has_room(sections[heading], most)]
        (sections[open_[0]] if open_ else rest).append(assignment)
    place = {id(assignment): at for at, assignment in enumerate(assignments)}
    return Grouped(
        sections={
            heading: tuple(sorted(stories, key=lambda assignment: place[id(assignment)]))
            for heading, stories in sections.items()
        },
        rest=tuple(rest),
    )


def _headings(assignments: Sequence[Assignment], topics: Sequence[Topic]) -> Mapping[Topic, Heading]:
    """The heading of each topic that has one today, in the order of the topics."""
    own = Counter(assignment.topic for assignment in assignments if assignment.topic)
    shared: Counter[str] = Counter()
    for topic in topics:
        if own[topic] < OWN:
            shared[_umbrella(topic).name] += own[topic]
    headings: dict[Topic, Heading] = {}
    for topic in topics:
        if own[topic] >= OWN:
            headings[topic] = Heading(topic.name, topic.title)
        elif shared[_umbrella(topic).name] >= SHARED:
            headings[topic] = _umbrella(topic)
    return headings


def _umbrella(topic: Topic) -> Heading:
    """A topic without an umbrella is one of its own."""
    if not topic.umbrella:
        return Heading(topic.name, topic.title)
    return Heading("umbrella-" + _NOT_IN_NAMES.sub("-", topic.umbrella.casefold()).strip("-"), topic.umbrella)


def _second(assignment: Assignment, headings: Mapping[Topic, Heading], nearly: float) -> list[Heading]:
    """The sections a story could stand in, were it not for its first choice."""
    others: tuple[Choice, ...] = assignment.choices[1:] if assignment.topic else ()
    enough = max(assignment.least, assignment.score - nearly)
    return [headings[other.topic] for other in others if other.score >= enough and other.topic in headings]


def _has_room(stories: Sequence[Assignment], most: int | None) -> bool:
    return most is None or len(stories) < most
