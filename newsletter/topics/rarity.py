"""How rare words are among the stories we know: what sharing one of them is worth.

rarity = count(texts)       # one collection of words a story
rarity("quake")             # 1.0 where every story has it, up to rarity.highest where none does
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rarity:
    """The inverse document frequency of words: 1 + ln((N + 1) / (n + 1)) of a word that n of N stories have.

    Without stories it is 1 for every word: a fresh install compares texts by how many words they share.
    """

    documents: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, word: str) -> float:
        """What the word is worth."""
        return 1 + math.log((self.documents + 1) / (self.counts.get(word, 0) + 1))

    @property
    def highest(self) -> float:
        """What a word is worth that no story has had so far."""
        return 1 + math.log(self.documents + 1)

    def mass(self, words: Iterable[str]) -> float:
        """What some words are worth together, to the last digit whatever their order: sets have none."""
        return math.fsum(map(self, words))


def count(texts: Iterable[Collection[str]]) -> Rarity:
    """The rarity of words in texts, each given by its distinct words."""
    counts: Counter[str] = Counter()
    documents = 0
    for text in texts:
        counts.update(text)
        documents += 1
    return Rarity(documents, counts)
