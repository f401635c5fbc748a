"""Each story -> the topic it belongs to, and why.

    likeness    how much more the story is like the topic's text than the archive is, in standard deviations
    keywords    the topic's share of all the keywords found in the story
    neighbours  what the stories most like it come to

    score = likeness + 4 * share, drawn to the scores of the neighbours; below `LEAST` a story belongs nowhere

Everything is measured against the archive: a topic whose text is like everything gains nothing by it, and a keyword
that every other story has decides little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsletter.model import Story, Topic
from newsletter.topics.embed import Embedded, Embedder
from newsletter.topics.hits import Hit, look
from newsletter.topics.likeness import standing, vectors_of
from newsletter.topics.neighbours import with_neighbours

LEAST = 1.0  # of a score
CHOICES = 3  # that are told of each story

_KEYWORDS = 4.0  # what all the keywords found are worth together
_NEVER = -10.0  # the score of a topic that is ruled out


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A topic that a story might belong to: its score, and the three parts that add up to it."""

    topic: Topic
    score: float
    likeness: float
    keywords: float
    neighbours: float
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The topics that fit a story, the best first; `barred` are those it cannot belong to, each with the word found."""

    story: Story
    choices: tuple[Choice, ...] = ()
    barred: tuple[tuple[Topic, str], ...] = ()
    least: float = LEAST

    @property
    def topic(self) -> Topic | None:
        """The topic it belongs to; None where none fits well enough."""
        return self.choices[0].topic if self.score >= self.least else None

    @property
    def score(self) -> float:
        """How well the best topic fits, whether well enough or not."""
        return self.choices[0].score if self.choices else _NEVER

    @property
    def runner_up(self) -> Choice | None:
        """The second best."""
        return self.choices[1] if len(self.choices) > 1 else None


def assign(
    day: Embedded,
    topics: Sequence[Topic],
    *,
    embedder: Embedder,
    background: Embedded | None = None,
    least: float = LEAST,
) -> list[Assignment]:
    """One assignment for each story of the day, in their order.

    `background` are stories of the archive, up to a thousand, and those that topics name as examples; its vectors and
    the day's are the embedder's. Of topics that fit alike the earlier is chosen; an `exclude` word rules a topic out.
    """
    count = len(day.stories)
    known = day if background is None else day.joined(background)
    hits, barred = look(known.stories, topics)
    never = np.zeros((len(known.stories), len(topics)), bool)
    for at, said in enumerate(barred):
        never[at] = [said != () and topic in dict(said) for topic in topics]
    likeness = standing(known.vectors, vectors_of(topics, known, embedder))
    keywords = _KEYWORDS * hits.shares()
    alone = np.where(never, _NEVER, likeness + keywords)
    scores = np.where(never[:count], _NEVER, with_neighbours(alone, known.vectors, count))
    return [
        Assignment(
            story=story,
            choices=tuple(
                _choice(topics[at], scores[number, at], likeness[number, at], keywords[number, at], found[at])
                for at in np.argsort(-scores[number], kind="stable")[:CHOICES]
                if scores[number, at] > _NEVER
            ),
            barred=barred[number],
            least=least,
        )
        for number, story in enumerate(day.stories)
        for found in (hits.of(number),)
    ]


def _choice(topic: Topic, score: float, likeness: float, keywords: float, hits: tuple[Hit, ...]) -> Choice:
    whole, part, other = round(float(score), 4), round(float(likeness), 4), round(float(keywords), 4)
    return Choice(
        topic=topic,
        score=whole,
        likeness=part,
        keywords=other,
        neighbours=round(whole - part - other, 4),
        hits=hits,
    )
