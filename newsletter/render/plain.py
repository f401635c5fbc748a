"""Plain text in 72 columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

WIDTH = 72
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def columns(text: str) -> int:
    """How wide a text is in a fixed-width font: Chinese, Japanese and Korean take two columns, combining marks none."""
    return sum(map(_width, text))


def wrap(text: str, indent: str = "", first: str | None = None, width: int = WIDTH) -> str:
    """The text in lines of at most `width` columns, each after `indent`, the first after `first` where given.

    Lines break at spaces; a word that is too wide by itself breaks anywhere, an address never.
    """
    lines = [indent if first is None else first]
    start = len(lines[0])
    for word in _words(text, width - max(columns(indent), columns(lines[0]))):
        if len(lines[-1]) > start and columns(lines[-1]) + columns(word) >= width:
            lines.append(indent)
            start = len(indent)
        lines[-1] += word if len(lines[-1]) == start else " " + word
    return "\n".join(line.rstrip(" ") for line in lines)


def underline(text: str, sign: str = "=") -> str:
    """The text, wrapped, over a rule of its own width: a heading."""
    heading = wrap(text)
    return f"{heading}\n{sign * max(map(columns, heading.split(chr(10))))}"


def _words(text: str, room: int) -> Iterator[str]:
    for word in text.split(" "):
        if columns(word) <= room or _ADDRESS.match(word):
            yield word
        else:
            yield from _broken(word, room)


def _broken(word: str, room: int) -> Iterator[str]:
    piece = ""
    for character in word:
        if columns(piece) + _width(character) > room:
            yield piece
            piece = ""
        piece += character
    yield piece


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
