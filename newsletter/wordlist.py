"""Lists of words as readers type them: one on each line, or with commas between; each once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MOST = 50  # words in a list
LONGEST = 80  # characters of a word


def read_words(text: str) -> tuple[str, ...]:
    """The words of a text, as many as there are and whatever they hold."""
    words = (" ".join(part.split()) for part in re.split(r"[,\n]", text))
    return tuple(dict.fromkeys(word for word in words if word))


def write_words(words: Iterable[str]) -> str:
    """A text that is read as these words, none of which has a comma in it."""
    return ", ".join(words)


def is_word(word: str) -> bool:
    """Whether a word may be kept: not too long, and nothing in it that cannot be seen."""
    return len(word) <= LONGEST and not any(unicodedata.category(character).startswith("C") for character in word)
