"""Which stories a reader would like, given some that they liked.

    interests = Interests(candidates, known)      # once a day: known are the stories that anybody liked or disliked
    interests.of([3, 17], disliked=[4])           # for each reader: a number for each candidate, the higher the better

    meaning   cosine of the vectors, off the mean of all: what every story has in common is nobody's taste
    words     cosine of words and pairs of neighbouring words, each as much as it is rare
    each averaged over the stories liked, standardised over the candidates | the mean of both
    minus half of the same for the stories disliked | drawn to the candidates most like each

The average of cosines is the cosine with the centroid but for a factor. Nothing is trained: with so few likes the
centroid was as good as a classifier. `make bench-quality` measures it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Story
from newsletter.topics.embed import LONGEST, Embedded, Matrix, text_of, unit_rows
from newsletter.topics.neighbours import with_neighbours
from newsletter.topics.rarity import Rarity, count
from newsletter.topics.stem import stems
from newsletter.topics.words import telling

_DISLIKED = 0.5  # of what a story liked counts
_ROUNDING = 1e-9

Scores = NDArray[np.float64]


class Interests:
    """How like some candidates are to the stories that readers liked or disliked; for any number of readers."""

    def __init__(self, candidates: Embedded, known: Embedded) -> None:
        """Vectors of both are of one version of an embedder."""
        centre = candidates.vectors.mean(axis=0) if len(candidates.vectors) else np.float32(0)
        self._vectors = _off(centre, candidates.vectors)
        self._meaning: Matrix = self._vectors @ _off(centre, known.vectors).T
        self._words = _shared_words(candidates.stories, known.stories)

    def of(self, liked: Sequence[int], *, disliked: Sequence[int] = ()) -> Scores:
        """A number for each candidate, 0 on average; `liked` and `disliked` are positions in `known`.

        Without either all are 0.
        """
        scores = self._near(liked) - _DISLIKED * self._near(disliked)
        return with_neighbours(scores[:, None], self._vectors, len(scores))[:, 0]

    def _near(self, stories: Sequence[int]) -> Scores:
        if not stories:
            return np.zeros(len(self._meaning))
        chosen = list(stories)
        near: Scores = (_standard(self._meaning[:, chosen]) + _standard(self._words[:, chosen])) / 2
        return near


def _off(centre: NDArray[np.float32] | np.float32, rows: Matrix) -> Matrix:
    """The rows as seen from the centre; a row of zeros, which says nothing, stays so."""
    return unit_rows(np.where(rows.any(axis=1, keepdims=True), rows - centre, 0))


def _standard(cosines: Matrix) -> Scores:
    """The mean of each row, as standard deviations from the mean of all rows."""
    means: Scores = cosines.mean(axis=1, dtype=np.float64)
    spread = float(means.std()) if len(means) else 0.0
    return (means - means.mean()) / spread if spread > _ROUNDING else np.zeros(len(means))


def _shared_words(candidates: Sequence[Story], known: Sequence[Story]) -> Matrix:
    """The cosines of the weighed words of candidates and known stories (candidates, known)."""
    counted = [Counter(_words(story)) for story in (*candidates, *known)]
    rarity = count(counted)
    holding: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, counts in enumerate(counted[len(candidates) :]):
        for word, weight in _weighed(counts, rarity).items():
            holding[word].append((number, weight))
    cosines = np.zeros((len(candidates), len(known)), np.float32)
    for row, counts in zip(cosines, counted, strict=False):
        for word, weight in _weighed(counts, rarity).items():
            for number, other in holding.get(word, ()):
                row[number] += weight * other
    return cosines


def _words(story: Story) -> list[str]:
    found = stems(telling(text_of(story.title, story.summary[:LONGEST])))
    return [*found, *map(" ".join, pairwise(found))]


def _weighed(counts: Mapping[str, int], rarity: Rarity) -> Mapping[str, float]:
    """Weights whose squares add up to one; a word said ten times counts for about three."""
    weights = {word: (1 + math.log(number)) * rarity(word) for word, number in counts.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {word: weight / length for word, weight in weights.items()}
