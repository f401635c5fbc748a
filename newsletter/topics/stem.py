"""English words without their endings, so that a search for `quantized models` finds `a quantized model`.

    stem("generalizations") -> "gener"        stem("hopping") -> "hop"        stem("模型") -> "模型"

M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980) 130-137, and the author's two later departures
from it (`-bli` and `-logi` in step 2, https://tartarus.org/martin/PorterStemmer/). Words of other languages lose an
ending now and then; since the archive and the question lose the same, they still meet.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

_SHORTEST, _LONGEST = 3, 64  # characters of a word that is looked at
_FIRM = "wxy"  # a short syllable does not end in one of these
_VOWELS = frozenset("aeiou")

# Endings of each step and what replaces them, the longest first: the first that fits decides.
_STEP_2 = {
    "ational": "ate",
    "ization": "ize",
    "iveness": "ive",
    "fulness": "ful",
    "ousness": "ous",
    "tional": "tion",
    "biliti": "ble",
    "entli": "ent",
    "ousli": "ous",
    "ation": "ate",
    "alism": "al",
    "aliti": "al",
    "iviti": "ive",
    "enci": "ence",
    "anci": "ance",
    "izer": "ize",
    "alli": "al",
    "ator": "ate",
    "logi": "log",
    "bli": "ble",
    "eli": "e",
}
_STEP_3 = {"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ness": "", "ful": ""}
_STEP_4 = (
    *("ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion"),
    *("al", "er", "ic", "ou"),
)


def stems(words: Iterable[str]) -> list[str]:
    """Each word without its ending, in the same order."""
    return [stem(word) for word in words]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """A word in lower case without its ending; in another script, or too short or long, as it is."""
    if not _SHORTEST <= len(word) <= _LONGEST or not (word.isascii() and word.isalnum()):
        return word
    word = _without_plural(word)
    word = _without_past(word)
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(word, _STEP_2)
    word = _replaced(word, _STEP_3)
    word = _without_suffix(word)
    return _without_last(word)


def _without_plural(word: str) -> str:
    """Step 1a: caresses, ponies, cats."""
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _without_past(word: str) -> str:
    """Step 1b: agreed, plastered, motoring; with an `e` put back where it was taken off (conflated, filing)."""
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    ending = next((ending for ending in ("ed", "ing") if word.endswith(ending)), "")
    rest = word.removesuffix(ending)
    if not ending or not _has_vowel(rest):
        return word
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if rest[-2:-1] == rest[-1] and _is_consonant(rest, len(rest) - 1) and rest[-1] not in "lsz":
        return rest[:-1]
    return rest + "e" if _measure(rest) == 1 and _ends_short(rest) else rest


def _replaced(word: str, endings: dict[str, str]) -> str:
    """Steps 2 and 3: a double suffix becomes a single one."""
    for ending, other in endings.items():
        if word.endswith(ending):
            rest = word.removesuffix(ending)
            return rest + other if _measure(rest) else word
    return word


def _without_suffix(word: str) -> str:
    """Step 4: the last suffix goes, if enough is left."""
    for ending in _STEP_4:
        if word.endswith(ending):
            rest = word.removesuffix(ending)
            fits = _measure(rest) > 1 and (ending != "ion" or rest.endswith(("s", "t")))
            return rest if fits else word
    return word


def _without_last(word: str) -> str:
    """Step 5: a last `e`, and one of two `l`."""
    if word.endswith("e"):
        rest = word[:-1]
        measure = _measure(rest)
        if measure > 1 or (measure == 1 and not _ends_short(rest)):
            word = rest
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word


def _is_consonant(word: str, at: int) -> bool:
    """Not a, e, i, o, u; a `y` is one unless it follows a consonant."""
    letter = word[at]
    if letter == "y":
        return at == 0 or not _is_consonant(word, at - 1)
    return letter not in _VOWELS


def _has_vowel(word: str) -> bool:
    return any(not _is_consonant(word, at) for at in range(len(word)))


def _measure(word: str) -> int:
    """Porter's m: how often consonants follow vowels, [C](VC){m}[V]."""
    consonants = [_is_consonant(word, at) for at in range(len(word))]
    return sum(later and not earlier for earlier, later in pairwise(consonants))


def _ends_short(word: str) -> bool:
    """Porter's *o: consonant, vowel, consonant at the end, as in `hop`, which keeps its `e` in `hope`."""
    if len(word) < _SHORTEST or word[-1] in _FIRM:
        return False
    last = len(word) - 1
    return _is_consonant(word, last) and not _is_consonant(word, last - 1) and _is_consonant(word, last - 2)
