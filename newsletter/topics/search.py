"""Finding stories by words and by meaning together. Knows no database: it is handed what holds a word, and texts.

    question(["graph neural networks"], embedder)
      | two nets: the stories that hold its rarest words, the vectors nearest to it      (both minus filters)
      | each catch weighed on both scales: BM25 / best + cosine (standardised) / 5
      | weighed again with the vector drawn half-way to the three best (J. Rocchio, 1971)
      -> the best first

The nets are wide and cheap; only what is in them is weighed by all its words. `benchmarks/quality/search.py` compares
this with words alone, meaning alone and reciprocal rank fusion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from newsletter.topics.bm25 import weigh
from newsletter.topics.embed import Embedder
from newsletter.topics.index import Index, Wanted
from newsletter.topics.stem import stems
from newsletter.topics.vectors import Mask, Positions, Vector, largest, unit
from newsletter.topics.words import telling

Holding = Callable[[str, int], Sequence[int]]  # a word, at most how many: ids of stories that hold it, the latest
Texts = Callable[[Sequence[int]], Mapping[int, str]]  # ids: the words of each, with spaces between

_LONGEST = 2_000  # characters of a question that are looked at
_NET = 100  # stories, by words and by meaning each, or four for each answer: more finds no more
_MATCHES = 30_000  # that the words of a question may have together; fewer words are looked for if it were more
_MEANING = 0.2  # what a standard deviation of the cosine is worth beside the best score by words
_DRAWING = 3  # of the best, that draw the question half-way to their mean


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: distinct stems, and a vector of length one (or zeros, where nothing is known)."""

    words: tuple[str, ...]
    vector: Vector

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.words and not self.vector.any()


def question(texts: Sequence[str], embedder: Embedder) -> Question:
    """One question from what somebody typed, or from the texts of stories to find more of."""
    # A command line may hand over bytes that are no text, as surrogates: what reads texts natively refuses them.
    asked = [text[:_LONGEST].encode(errors="replace").decode() for text in texts if text.strip()]
    if not asked:
        return Question((), np.zeros(embedder.dimensions, np.float32))
    words = dict.fromkeys(word for text in asked for word in indexed(text))
    return Question(tuple(words), unit(embedder.embed(asked).sum(axis=0)))


def indexed(text: str) -> list[str]:
    """The words of a text as the archive keeps them and a question asks for them: telling, without endings."""
    return stems(telling(text))


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer: which story, and how good it is beside the others of the same question."""

    id: int
    score: float


def search(asked: Question, index: Index, *, holding: Holding, texts: Texts, wanted: Wanted, most: int) -> list[Hit]:
    """The stories that answer a question best, the best first; for an empty question the latest."""
    if asked.is_empty:
        return [Hit(story, 0.0) for story in index.latest(wanted, most)]
    mask = index.marked(wanted)
    wide = max(_NET, 4 * most)
    matches = _matches(asked, index, holding)
    caught = [_by_words(matches, index, mask, wide)]
    if asked.vector.any():
        caught.append(index.vectors.nearest(asked.vector, wide, among=mask))
    rows = np.unique(np.concatenate(caught))
    if not len(rows):
        return []
    by_words = _weighed(asked, index, matches, rows, texts)
    scores = _fused(by_words, asked.vector, index, rows)
    drawn = unit(asked.vector + index.vectors.mean(rows[largest(scores, _DRAWING)]))
    scores = _fused(by_words, drawn, index, rows)
    return [Hit(int(index.ids[rows[at]]), float(scores[at])) for at in largest(scores, most)]


def _matches(asked: Question, index: Index, holding: Holding) -> dict[str, Positions]:
    """The rows that hold each of the question's rarest words, as many words as stay within the bound."""
    matches: dict[str, Positions] = {}
    left = _MATCHES
    for word in index.usage.rarest(asked.words):
        if matches and index.usage.share(word) * len(index) > left:
            break
        matches[word] = index.places(holding(word, _MATCHES))
        left -= len(matches[word])
    return matches


def _by_words(matches: Mapping[str, Positions], index: Index, mask: Mask | None, most: int) -> Positions:
    """The rows that hold most of the words, each counting as much as it is rare; of equals the later."""
    if not any(map(len, matches.values())):
        return np.empty(0, np.intp)
    worth = [np.full(len(rows), _worth(word, matches, index)) for word, rows in matches.items()]
    held = np.bincount(np.concatenate(list(matches.values())), np.concatenate(worth), len(index))
    if mask is not None:
        held[~mask] = 0
    rows = np.flatnonzero(held)
    return rows[largest(held[rows] + 1e-6 * rows / len(index), most)]


def _weighed(asked: Question, index: Index, matches: Mapping[str, Positions], rows: Positions, texts: Texts) -> Vector:
    """BM25 by all words of the question, relative to the best."""
    ids = index.ids[rows].tolist()
    held = texts(ids)
    worth = {word: _worth(word, matches, index) for word in asked.words}
    scores = weigh([held.get(story, "") for story in ids], worth, length=index.usage.length)
    best = scores.max()
    return scores / best if best else scores


def _worth(word: str, matches: Mapping[str, Positions], index: Index) -> float:
    """By how many hold it where that was counted, else by the sample."""
    share = (len(matches[word]) + 0.5) / (len(index) + 1) if word in matches else None
    return index.usage.worth(word, share=share)


def _fused(by_words: Vector, vector: Vector, index: Index, rows: Positions) -> Vector:
    return by_words + np.float32(_MEANING) * index.vectors.standard(vector, rows)
