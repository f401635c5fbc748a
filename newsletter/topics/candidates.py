"""Which stories are worth comparing: those that share rare words. Among thousands at hand, or by asking an index.

    near(texts, new=len(today))     pairs (i, j), i among the new ones, that may be twins: near linear in the stories
    rarest(text, rarity)            the words to ask a full-text index of the archive for
    holders(words, holding=…)       the stories that hold most of them, where the index is asked word by word

A pair that shares only common words is not looked at, but for stories of one title: of five thousand with the same
title no word is rare, and each is compared with the first of them only.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from newsletter.topics.rarity import Rarity
from newsletter.topics.similar import NO_LESS, Text

_TITLE_WORDS = 8
_SUMMARY_WORDS = 12
_POSTED = 20  # rare words of each story by which others are found
_COMMON = 50  # stories: a word of more finds nothing
_NEAREST = 8  # candidates of a story
_HOLDING = 200  # stories that one word brings, the latest: of more, a word is not rare
_LEAST = 0.02  # of all words, by worth, that two stories share of these

# A word, at most how many: the stories of the archive that hold it, by their ids.
Holding = Callable[[str, int], Sequence[int]]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def rarest(text: Text, rarity: Rarity) -> tuple[str, ...]:
    """The rarest words of the title and of the summary, rarest first: what a query for its like asks for, joined by OR.

    Words that no story of the archive has find nothing and are left out.
    """

    def pick(candidates: frozenset[str], number: int) -> list[str]:
        known = (word for word in candidates if word in rarity.counts)
        return sorted(known, key=lambda word: (-rarity(word), word))[:number]

    return (*pick(text.headline, _TITLE_WORDS), *pick(text.words - text.headline, _SUMMARY_WORDS))


def holders(words: Iterable[str], *, holding: Holding, rarity: Rarity) -> list[int]:
    """The stories that hold most of some words, each counting as much as it is rare: eight at most, the best first."""
    worth: dict[int, float] = defaultdict(float)
    for word in words:
        share = rarity(word)
        for story in holding(word, _HOLDING):
            worth[story] += share
    return heapq.nsmallest(_NEAREST, worth, key=lambda story: (-worth[story], -story))


def near(texts: Sequence[Text], *, new: int) -> tuple[list[tuple[int, int]], Rarity]:
    """Pairs of indices that may be one story, the first below `new`, in order; and the rarity of the words.

    The first `new` of `texts` are compared with each other and with the rest, the rest is not compared with itself.
    """
    corpus = _Corpus.of(texts)
    left, right, shared = _sharing(corpus, new)
    likely = np.flatnonzero(shared >= _LEAST * np.sqrt(corpus.mass[left] * corpus.mass[right]))
    nearest = likely[_among_nearest(left[likely], right[likely], shared[likely])]
    close = _close(corpus, left[nearest], right[nearest])
    return sorted({*close, *_namesakes(texts, new)}), corpus.rarity


@dataclass(frozen=True, eq=False, kw_only=True)
class _Corpus:
    """The words of texts as numbers, ascending in each text; in how many texts each is and what it is worth."""

    words: Sequence[Ints]
    documents: Ints
    worth: Floats
    mass: Floats  # of all words of each text
    rarity: Rarity

    @classmethod
    def of(cls, texts: Sequence[Text]) -> _Corpus:
        every = sorted(frozenset[str]().union(*(text.words for text in texts)))
        number = {word: at for at, word in enumerate(every)}
        words = [np.sort(np.fromiter(map(number.__getitem__, text.words), np.int64)) for text in texts]
        documents = np.bincount(_concatenated(words), minlength=len(every))
        worth = 1 + np.log((len(texts) + 1) / (documents + 1))
        return cls(
            words=words,
            documents=documents,
            worth=worth,
            mass=np.array([worth[own].sum() for own in words]),
            rarity=Rarity(len(texts), dict(zip(every, documents.tolist(), strict=True))),
        )


def _concatenated(arrays: Sequence[Ints]) -> Ints:
    return np.concatenate([*arrays, np.zeros(0, np.int64)])


def _sharing(corpus: _Corpus, new: int) -> tuple[Ints, Ints, Floats]:
    """The pairs with a rare word in common, ascending, and what the rare words they share are worth."""
    posted = [_rare(words, corpus.documents) for words in corpus.words]
    words = _concatenated(posted)
    stories = np.repeat(np.arange(len(posted)), [len(rare) for rare in posted])
    order = np.argsort(words, kind="stable")  # within a word the stories ascend: a new one is always the first of two
    words, stories = words[order], stories[order]
    ends = np.searchsorted(words, words, side="right")
    later = np.where(stories < new, ends - np.arange(len(words)) - 1, 0)
    first = np.repeat(np.arange(len(words)), later)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    count = max(len(posted), 1)
    pairs, place = np.unique(stories[first] * count + stories[second], return_inverse=True)
    shared = np.bincount(place, weights=corpus.worth[words[first]], minlength=len(pairs))
    return pairs // count, pairs % count, shared.astype(np.float64)


def _rare(words: Ints, documents: Ints) -> Ints:
    """The rarest of a story's words that another story has, too."""
    useful = words[(documents[words] > 1) & (documents[words] <= _COMMON)]
    return useful[np.argsort(documents[useful], kind="stable")[:_POSTED]]


def _among_nearest(left: Ints, right: Ints, shared: Floats) -> NDArray[np.bool_]:
    """Which pairs are among the best of either of the two."""
    kept = np.zeros(len(left), dtype=bool)
    for side in (left, right):
        order = np.lexsort((-shared, side))
        starts = np.searchsorted(side[order], side[order], side="left")
        kept[order[np.arange(len(order)) - starts < _NEAREST]] = True
    return kept


def _close(corpus: _Corpus, left: Ints, right: Ints) -> list[tuple[int, int]]:
    """The pairs that share enough of all their words; `left` ascends."""
    mass = corpus.mass.tolist()
    present = np.zeros(len(corpus.worth))
    found: list[tuple[int, int]] = []
    for start, end in pairwise([*np.flatnonzero(np.diff(left, prepend=-1)).tolist(), len(left)]):
        one = int(left[start])
        own = corpus.words[one]
        present[own] = corpus.worth[own]
        found += [
            (one, two)
            for two in right[start:end].tolist()
            if present[corpus.words[two]].sum() >= NO_LESS * math.sqrt(mass[one] * mass[two])
        ]
        present[own] = 0
    return found


def _namesakes(texts: Sequence[Text], new: int) -> list[tuple[int, int]]:
    """The first story of each title with each of the others."""
    first: dict[tuple[str, ...], int] = {}
    known = [first.setdefault(text.title_words, number) for number, text in enumerate(texts)]
    return [(one, two) for two, one in enumerate(known) if one < two and one < new]
