"""How much a story is like what a topic is about: more than is usual, or less."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Story, Topic
from newsletter.topics.embed import Embedded, Embedder, Matrix, text_of, unit_rows
from newsletter.topics.words import words

_FEW = 50  # stories; fewer tell little of a topic by themselves
_EXAMPLES = 5  # so many weigh half of what the topic's text weighs
_ROUNDING = 1e-6


def vectors_of(topics: Sequence[Topic], known: Embedded, embedder: Embedder) -> Matrix:
    """A row for each topic: what its text means, drawn to its examples.

    An example is the key or title of a story that is `known`; another title stands for itself.
    """
    rows = embedder.embed([f"{topic.title}. {topic.about} {', '.join(topic.keywords)}" for topic in topics])
    if not any(topic.examples for topic in topics):
        return rows
    places = {name: at for at, story in enumerate(known.stories) for name in _names(story)}
    for at, topic in enumerate(topics):
        examples = _examples(topic.examples, places, known, embedder)
        if len(examples):
            weight = len(examples) / (len(examples) + _EXAMPLES)
            rows[at] += weight * unit_rows(examples.sum(axis=0, keepdims=True))[0]
    return unit_rows(rows)


def fit(day: Embedded, topics: Sequence[Topic], *, embedder: Embedder, background: Embedded) -> list[float]:
    """How well the best topic fits each story of the day, in standard deviations; 0 where there are no topics."""
    known = day.joined(background)
    if not topics:
        return [0.0] * len(day.stories)
    best = standing(known.vectors, vectors_of(topics, known, embedder)).max(axis=1, initial=-np.inf)
    fitting: list[float] = best[: len(day.stories)].tolist()
    return fitting


def standing(vectors: Matrix, topics: Matrix) -> NDArray[np.float64]:
    """Cosines (stories, topics), as standard deviations from the mean of each topic.

    As long as few stories are known, mean and deviation are drawn to those of all topics together, as if these had
    been seen in fifty stories. A row of zeros stands at zero.
    """
    cosines = (vectors @ topics.T).astype(np.float64)
    if not cosines.size:
        return cosines
    own = len(cosines) / (len(cosines) + _FEW)
    mean = own * cosines.mean(axis=0) + (1 - own) * cosines.mean()
    deviation = own * cosines.std(axis=0) + (1 - own) * cosines.std()
    told = vectors.any(axis=1, keepdims=True) & (deviation > _ROUNDING)
    standings: NDArray[np.float64] = np.divide(cosines - mean, deviation, out=np.zeros_like(cosines), where=told)
    return standings


def _examples(names: Sequence[str], places: dict[str, int], known: Embedded, embedder: Embedder) -> Matrix:
    there = [places[_name(name)] for name in names if _name(name) in places]
    titles = [text_of(name, "") for name in names if _name(name) not in places and " " in name]
    rows: Matrix = np.vstack([known.vectors[there], embedder.embed(titles)])
    return rows


def _names(story: Story) -> tuple[str, ...]:
    return (story.key, *story.aliases, _name(story.title))


def _name(example: str) -> str:
    """A key as it is; a title by its words."""
    return " ".join(words(example)) if " " in example else example
