"""Finding keywords in texts: one as a pattern, or all the keywords of an operator at once.

    pattern("language model")             finds `Language models` and `language-model`
    Keywords(["RAG", "dense retrieval"])  .found(text) -> {0: 2}: how often each is in it

Whole words in any case, the last one also in the plural, or with another ending if it is long (`cryptograph` finds
`cryptographic`); a space stands for a space or a hyphen. An abbreviation in capitals means itself: `RAG` is not `rag`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

from newsletter.topics.words import words

_STEM = 7  # letters of a word that another ending does not make another word
_PLURALS = ("", "s", "es")


@lru_cache(maxsize=4096)
def pattern(keyword: str) -> re.Pattern[str]:
    """What finds a keyword in a text."""
    parts = re.split(r"[\s-]+", keyword.strip())
    ending = r"\w*" if len(parts[-1]) >= _STEM else r"(?:s|es)?(?!\w)"
    flags = re.NOFLAG if keyword.isupper() else re.IGNORECASE
    return re.compile(r"(?<!\w)" + r"[\s-]+".join(map(re.escape, parts)) + ending, flags)


class Keywords:
    """Many keywords, looked for at once: a text is cut into words, and each word looked up."""

    def __init__(self, keywords: Sequence[str]) -> None:
        self.keywords = tuple(keywords)

    def found(self, text: str) -> Mapping[int, int]:
        """How often each keyword is in a text, by its position among them; those that are not are left out."""
        told = words(text)
        counts: Counter[int] = Counter()
        by_word, by_stem = self._by_word, self._by_stem
        for at, word in enumerate(told):
            for number in by_word.get(word, ()) + by_stem.get(word[:_STEM], ()):
                counts[number] += self._goes_on(told, at, self._words[number])
        for number in {*self._wordless, *(self._doubtful & counts.keys())}:
            counts[number] = len(pattern(self.keywords[number]).findall(text))
        return {number: count for number, count in counts.items() if count}

    def _goes_on(self, told: Sequence[str], at: int, keyword: Sequence[str]) -> bool:
        *exact, last = keyword
        end = at + len(exact)
        return end < len(told) and list(told[at:end]) == exact and _is_form(told[end], last)

    @cached_property
    def _words(self) -> Sequence[Sequence[str]]:
        return [words(keyword) for keyword in self.keywords]

    @cached_property
    def _by_word(self) -> Mapping[str, tuple[int, ...]]:
        """Keywords by what their first word looks like in a text."""
        index: dict[str, list[int]] = defaultdict(list)
        for number, keyword in enumerate(self._words):
            if len(keyword) > 1:
                index[keyword[0]].append(number)
            elif keyword and len(keyword[0]) < _STEM:
                for plural in _PLURALS:
                    index[keyword[0] + plural].append(number)
        return {word: tuple(numbers) for word, numbers in index.items()}

    @cached_property
    def _by_stem(self) -> Mapping[str, tuple[int, ...]]:
        """Keywords of one long word by its beginning."""
        index: dict[str, list[int]] = defaultdict(list)
        for number, keyword in enumerate(self._words):
            if len(keyword) == 1 and len(keyword[0]) >= _STEM:
                index[keyword[0][:_STEM]].append(number)
        return {word: tuple(numbers) for word, numbers in index.items()}

    @cached_property
    def _doubtful(self) -> frozenset[int]:
        """Those of which their words do not tell everything: capitals, and single letters as in `k-means`."""
        return frozenset(
            number
            for number, keyword in enumerate(self.keywords)
            if keyword.isupper() or not _is_told(keyword, self._words[number])
        )

    @cached_property
    def _wordless(self) -> Sequence[int]:
        return [number for number, keyword in enumerate(self._words) if not keyword]


def _is_form(word: str, keyword: str) -> bool:
    if len(keyword) >= _STEM:
        return word.startswith(keyword)
    return word.startswith(keyword) and word[len(keyword) :] in _PLURALS


def _is_told(keyword: str, told: Sequence[str]) -> bool:
    return sum(map(len, told)) == sum(character.isalnum() or character in "+#" for character in keyword)
