"""How well texts answer a question by their words: BM25, and how common a word is in the archive.

S. Robertson, H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3, with the
logarithm of 1 + odds, which is never negative.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from newsletter.topics.vectors import Vector

_K1, _B = 1.2, 0.75  # how soon a word repeated stops counting, how much a long text is marked down

# A question's net is made of few words that are not common: what a database does for each grows with its matches.
_NET_WORDS = 8
_COMMON = 0.1  # of the archive


@dataclass(frozen=True, slots=True)
class Usage:
    """How the archive uses words, told by a sample of its texts: in how many of them each is, and their length."""

    texts: int = 0
    holding: Mapping[str, int] = field(default_factory=dict)
    length: float = 1.0  # words, on average

    def share(self, word: str) -> float:
        """The share of the archive that has the word; something above zero for one that is not in the sample."""
        return self.holding.get(word, 0.5) / max(self.texts, 1)

    def rarest(self, words: Iterable[str], *, most: int = _NET_WORDS) -> list[str]:
        """The words to look for, the rarest first, common ones only if there is no other."""
        ordered = sorted(words, key=self.share)
        return [word for word in ordered if self.share(word) <= _COMMON][:most] or ordered[:1]

    def worth(self, word: str, *, share: float | None = None) -> float:
        """Inverse document frequency of a word, of which `share` may be known better than from the sample."""
        held = min(self.share(word) if share is None else share, 1.0)
        return math.log1p((1 - held) / max(held, 1e-9))


def usage(texts: Iterable[str]) -> Usage:
    """What a sample of texts, each its words with spaces between, tells of the archive."""
    holding: Counter[str] = Counter()
    count = words = 0
    for text in texts:
        found = text.split()
        holding.update(set(found))
        words += len(found)
        count += 1
    return Usage(count, holding, words / count if words else 1.0)


def weigh(texts: Sequence[str], worth: Mapping[str, float], *, length: float) -> Vector:
    """The score of each text for the words of a question; `length` is the average number of words."""
    scores = np.zeros(len(texts), np.float32)
    for at, text in enumerate(texts):
        words = text.split()
        counts: dict[str, int] = {}
        for word in words:
            if word in worth:
                counts[word] = counts.get(word, 0) + 1
        slack = _K1 * (1 - _B + _B * len(words) / length)
        scores[at] = sum(worth[word] * count * (_K1 + 1) / (count + slack) for word, count in counts.items())
    return scores
