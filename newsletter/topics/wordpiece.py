"""Cutting a text into the word pieces of BERT models: words and signs first, then the longest known pieces of each.

The rules are those of the models' own tokenizer (J. Devlin et al., https://arxiv.org/abs/1810.04805, uncased):
control characters go, Chinese characters stand alone, case and accents are dropped, punctuation stands alone.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_LONGEST_WORD = 100  # characters; a longer one is unknown
_CJK = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F)),
    *((0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)


@dataclass(frozen=True)
class WordPiece:
    """The pieces a model knows, with their positions in its table."""

    vocabulary: Mapping[str, int]

    def pieces(self, text: str, *, most: int) -> list[int]:
        """A text as at most `most` positions, between the marks for its beginning and its end."""
        found = [self.vocabulary["[CLS]"]]
        for word in words(text):
            found += self._pieces(word)
            if len(found) >= most:
                break
        return [*found[: most - 1], self.vocabulary["[SEP]"]]

    def _pieces(self, word: str) -> list[int]:
        if word in self._known:
            return self._known[word]
        cut = self._cut(word)
        if len(self._known) < _REMEMBERED:
            self._known[word] = cut
        return cut

    def _cut(self, word: str) -> list[int]:
        """The longest piece that begins the word, then the longest that goes on, as `##ing`."""
        found: list[int] = []
        start = 0
        while start < len(word) <= _LONGEST_WORD:
            mark = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self.vocabulary), None)
            if end is None:
                break
            found.append(self.vocabulary[mark + word[start:end]])
            start = end
        return found if start == len(word) else [self.vocabulary["[UNK]"]]

    @cached_property
    def _known(self) -> dict[str, list[int]]:
        return {}


_REMEMBERED = 50_000  # words whose pieces are kept


def read(folder: Path) -> WordPiece:
    """The pieces of a model, from `tokenizer.json` or `vocab.txt`.

    FileNotFoundError where neither is there, ValueError where they are not what the names promise.
    """
    told = folder / "tokenizer.json"
    try:
        vocabulary = (
            json.loads(told.read_text(encoding="utf-8"))["model"]["vocab"] if told.exists() else _listed(folder)
        )
        unmarked = {"[CLS]", "[SEP]", "[UNK]"} - set(vocabulary)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{told} tells no word pieces: {error!r}") from None
    if unmarked:
        raise ValueError(f"the word pieces in {folder} lack {', '.join(sorted(unmarked))}")
    return WordPiece(vocabulary)


def _listed(folder: Path) -> dict[str, int]:
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return {piece: position for position, piece in enumerate(lines) if piece}


def words(text: str) -> Iterator[str]:
    """The words and signs of a text, in lower case and without accents."""
    spaced = "".join(map(_spaced, text)) if not text.isascii() or not text.isprintable() else text
    for word in spaced.split():
        yield from _parted(_bare(word.lower()))


def _spaced(character: str) -> str:
    category = unicodedata.category(character)
    if character in "\t\n\r" or category == "Zs":
        return " "
    if category.startswith("C") or character == "�":
        return ""
    point = ord(character)
    return f" {character} " if any(first <= point <= last for first, last in _CJK) else character


def _bare(word: str) -> str:
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn")


def _parted(word: str) -> Iterator[str]:
    """A word at each of its signs."""
    start = 0
    for at, character in enumerate(word):
        if _is_sign(character):
            if start < at:
                yield word[start:at]
            yield character
            start = at + 1
    if start < len(word):
        yield word[start:]


def _is_sign(character: str) -> bool:
    """Punctuation, and every ASCII character that is neither letter nor digit, such as `$` and `+`."""
    if character.isascii():
        return not character.isalnum()
    return unicodedata.category(character).startswith("P")
