"""The names and numbers of a text. Two reports of one event agree on them, whatever words they choose.

    particulars("Quake of 6.4 off Sumatra", "The agency BMKG said …")   -> names {sumatra, bmkg}, numbers {6.4}

A name is what is written with a capital where nothing else asks for one; scripts without capitals give numbers only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from newsletter.topics.rarity import Rarity
from newsletter.topics.words import STOP, words

_SENTENCE_END = re.compile(r"[.!?:;]\s+|\n+|\s[-–—|]\s")
_TOKEN = re.compile(r"[^\W_][\w'’]*")
_NUMBER = re.compile(
    r"(?<![\w.,])(\d+(?:[.,]\d+)*)(?:[\s-]?(million|billion|millionen|milliarden|bn|mn|m|k)(?![^\W\d_]))?",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 15  # characters
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?!\d))")
_POWER = {"k": 3, "m": 6, "mn": 6, "million": 6, "millionen": 6, "bn": 9, "billion": 9, "milliarden": 9}
_HEADLINE_CAPITALS = 0.7  # of the words of a headline: where so many have a capital, a capital says nothing
_NUMBER_WEIGHT = 2.0  # a number agrees by chance less often than a name


@dataclass(frozen=True, slots=True)
class Particulars:
    """Names, folded as `words` folds them, and numbers, written out: `1.1 million` is `1.1e+06`."""

    names: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two texts agree on particulars, in units of what an unknown word is worth.

    `shared` is what both have, `contrary` what each has that the other lacks: the lesser of the two, since a longer
    report simply says more.
    """

    shared: float
    contrary: float

    @property
    def share(self) -> float:
        """Between 0 and 1; two texts without particulars agree on nothing."""
        return self.shared / (self.shared + self.contrary + 1)


def particulars(title: str, summary: str) -> Particulars:
    """The names and numbers of a story."""
    names = {word for token in _capitals(summary) for word in _names(token)}
    if not _is_headline_case(title):
        names |= {word for token in _capitals(title) for word in _names(token)}
    return Particulars(frozenset(names), frozenset(_numbers(f"{title}\n{summary}")))


def agreement(
    one: Particulars, two: Particulars, *, one_words: AbstractSet[str], two_words: AbstractSet[str], rarity: Rarity
) -> Agreement:
    """How far two stories agree; a name is shared where the other text has the word, with a capital or without."""

    def worth(names: AbstractSet[str], numbers: AbstractSet[str]) -> float:
        return (rarity.mass(names) + _NUMBER_WEIGHT * rarity.mass(numbers)) / rarity.highest

    return Agreement(
        shared=worth((one.names & two_words) | (two.names & one_words), one.numbers & two.numbers),
        contrary=min(
            worth(one.names - two_words, one.numbers - two.numbers),
            worth(two.names - one_words, two.numbers - one.numbers),
        ),
    )


def _capitals(text: str) -> Iterator[str]:
    """Tokens with a capital that is not simply the first letter of a sentence."""
    for sentence in _SENTENCE_END.split(text):
        for number, token in enumerate(_TOKEN.findall(sentence)):
            if token[0].isalpha() and any(char.isupper() for char in (token if number else token[1:])):
                yield token


def _names(token: str) -> Iterator[str]:
    return (word for word in words(token) if word not in STOP and not word.isdigit())


def _is_headline_case(title: str) -> bool:
    found: list[str] = _TOKEN.findall(title)
    tokens = [token for token in found[1:] if token.lower() not in STOP and token[0].isalpha()]
    return sum(token[0].isupper() for token in tokens) >= max(2, _HEADLINE_CAPITALS * len(tokens))


def _numbers(text: str) -> Iterator[str]:
    for digits, scale in _NUMBER.findall(text):
        plain = _THOUSANDS.sub("", digits).replace(",", ".")
        if plain.count(".") > 1 or len(plain) > _LONGEST_NUMBER:  # a date, a version, an identifier
            yield plain
        else:
            yield f"{float(plain) * 10 ** _POWER.get(scale.lower(), 0):g}"
