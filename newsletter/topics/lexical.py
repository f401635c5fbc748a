"""Vectors from the words of the archive alone: latent semantic analysis on up to a thousand stories.

    learn(texts) -> Lexical     texts -> words -> TF-IDF -> the 256 directions in which the stories differ most

What tells no stories apart is dropped with the other directions, so that texts are alike by what the archive is about
and not by every chance word. S. Deerwester et al., "Indexing by Latent Semantic Analysis", JASIS 41 (1990); the
directions are found from the stories' likeness to each other, a thousand by a thousand numbers, however many words
there are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from newsletter.topics.embed import Arrays, Matrix, digest, unit_rows
from newsletter.topics.stem import stems
from newsletter.topics.words import telling

NAME = "lexical-1"  # the number changes with the words, the weights or the directions
DIMENSIONS = 256

Weighed = tuple[NDArray[np.intp], Matrix]  # the known words of a text, by position, and their weights


@dataclass(frozen=True, eq=False, kw_only=True)
class Lexical:
    """What was learned from `stories` stories: their words, how much each is worth, and where it points."""

    stories: int
    words: tuple[str, ...]
    rarity: Matrix  # (words,)
    directions: Matrix  # (words, dimensions)

    @property
    def version(self) -> str:
        """Its name, the number of stories it learned from, and a digest of what it learned."""
        return self._version

    @property
    def dimensions(self) -> int:
        """256, also where there were fewer stories to learn from."""
        return DIMENSIONS

    def embed(self, texts: Sequence[str]) -> Matrix:
        """One row of length one for each text; a text without a known word gives a row of zeros."""
        rows = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, text in zip(rows, texts, strict=True):
            known, weights = _weighed(_counts(text), self._position, self.rarity)
            row[:] = weights @ self.directions[known]
        return unit_rows(rows)

    def learned(self) -> Arrays:
        """All of it as arrays, for `restore`."""
        return {
            "stories": np.array(self.stories),
            "words": np.array("\n".join(self.words)),
            "rarity": self.rarity,
            "directions": self.directions.astype(np.float16),
        }

    @cached_property
    def _version(self) -> str:
        parts = (array.tobytes() for array in self.learned().values())
        return f"{NAME}/{self.stories}-{digest(parts)}"

    @cached_property
    def _position(self) -> Mapping[str, int]:
        return {word: position for position, word in enumerate(self.words)}


def learn(texts: Sequence[str]) -> Lexical:
    """Learn from the texts of an archive. From none nothing is learned: every text then gives a row of zeros."""
    counted = [_counts(text) for text in texts]
    stories_with = Counter(word for counts in counted for word in counts)
    words = tuple(sorted(stories_with))
    position = {word: at for at, word in enumerate(words)}
    rarity = np.array([math.log((len(texts) + 1) / (stories_with[word] + 0.5)) for word in words], np.float32)
    matrix = np.zeros((len(texts), len(words)), np.float32)
    for row, counts in zip(matrix, counted, strict=True):
        known, weights = _weighed(counts, position, rarity)
        row[known] = weights / (np.linalg.norm(weights) or 1)  # here, since a copy of the matrix is 80 MB
    return Lexical(stories=len(texts), words=words, rarity=rarity, directions=_directions(matrix))


def restore(learned: Arrays) -> Lexical:
    """What `Lexical.learned` gave. KeyError or ValueError where the arrays are something else."""
    joined = str(learned["words"])
    return Lexical(
        stories=int(learned["stories"]),
        words=tuple(joined.split("\n")) if joined else (),
        rarity=learned["rarity"],
        directions=learned["directions"].astype(np.float32),
    )


def _directions(matrix: Matrix) -> Matrix:
    """The right singular vectors of the largest singular values, as columns; zeros where there are fewer."""
    directions = np.zeros((matrix.shape[1], DIMENSIONS), np.float32)
    values, vectors = np.linalg.eigh((matrix @ matrix.T).astype(np.float64))
    strongest = [at for at in np.argsort(-values, kind="stable")[:DIMENSIONS] if values[at] > _NOTHING]
    right = (vectors[:, strongest] / np.sqrt(values[strongest])).astype(np.float32)
    directions[:, : len(strongest)] = matrix.T @ right
    # As they are kept: what is learned here and what is restored later must give the same vectors.
    return directions.astype(np.float16).astype(np.float32)


_NOTHING = 1e-6  # a squared singular value that is rounding


def _counts(text: str) -> Counter[str]:
    return Counter(stems(telling(text)))


def _weighed(counts: Mapping[str, int], position: Mapping[str, int], rarity: Matrix) -> Weighed:
    """A word said ten times counts for about three."""
    known = [(position[word], 1 + math.log(count)) for word, count in counts.items() if word in position]
    at = np.array([where for where, _ in known], np.intp)
    return at, _array(weight for _, weight in known) * rarity[at]


def _array(numbers: Iterable[float]) -> Matrix:
    return np.fromiter(numbers, np.float32)
