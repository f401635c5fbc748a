"""Markers in a rendered document, and the document cut at them.

A slot marker stands where a recipient's own value goes, a cut marker where a fragment begins; two markers stand around
words that say how much there is. All carry a random suffix that is drawn for one rendering and is in none of its texts,
so that no feed can forge one. Once rendered, text is only ever split and joined: what looks like a template in it stays
text.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from newsletter.errors import RenderError
from newsletter.model import Fragment, Piece, Rendered, Slotted, Token, Told, Word

TOKEN_ROOM = 512  # bytes reckoned for the value of one slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One fragment's body in one document, HTML or text."""

    kind: str
    key: str
    pieces: tuple[Piece, ...]


def new_suffix(texts: object, draw: Callable[[], str] = lambda: secrets.token_hex(8)) -> str:
    """A random lower-case hex word that occurs nowhere in the representation of `texts`."""
    known = repr(texts).lower()
    while (suffix := draw()) in known:
        pass
    return suffix


class Marks:
    """The markers of one document: made while a template renders, found again in what it gave."""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix
        self._cuts: list[tuple[str, str]] = []
        self._cut = re.compile(rf"[ \t]*\[\[{suffix}:cut:(\d+)\]\]\n?")
        self._slot = re.compile(rf"\[\[{suffix}:({'|'.join(Token)})\]\]")
        self._told = re.compile(rf"\[\[{suffix}:told:({'|'.join(Word)})\]\](.*?)\[\[{suffix}:end\]\]", re.DOTALL)

    def slot(self, token: Token) -> Markup:
        """What stands for a token's value, in text, in attributes and in plain text alike."""
        return Markup(f"[[{self._suffix}:{token.value}]]")  # noqa: S704  # made of our own words alone

    def cut(self, kind: str, key: str = "") -> Markup:
        """What stands where the fragment of that kind and key begins."""
        self._cuts.append((kind, key))
        return Markup(f"[[{self._suffix}:cut:{len(self._cuts) - 1}]]")  # noqa: S704  # made of a number

    def told(self, word: str, caller: Callable[[], str]) -> str:
        """What a template says of how much there is (a `call` block), marked as such. ValueError for no such word."""
        begin, text, end = f"[[{self._suffix}:told:{Word(word)}]]", caller(), f"[[{self._suffix}:end]]"
        # Where templates escape what they are given, the block is HTML already; the markers are made of our own words.
        return Markup(begin) + text + Markup(end) if isinstance(text, Markup) else begin + text + end  # noqa: S704

    def parts(self, document: str, *, template: str) -> tuple[Part, ...]:
        """The document cut at its markers; each part ends its last line.

        Raises RenderError when a filter in the template has spoiled a marker.
        """
        head, *rest = self._cut.split(document)
        places = [("head", ""), *(self._cuts[int(number)] for number in rest[::2])]
        bodies = [head, *rest[1::2]]
        parts = tuple(
            Part(kind=kind, key=key, pieces=tuple(self._pieces(body if body.endswith("\n") else body + "\n")))
            for (kind, key), body in zip(places, bodies, strict=True)
        )
        if any(self._suffix in literal(piece).lower() for part in parts for piece in part.pieces):
            raise RenderError("a slot or cut went through a filter that changed it", template=template)
        return parts

    def _pieces(self, body: str) -> Iterator[Piece]:
        untold, *told = self._told.split(body)
        yield from self._slotted(untold)
        for word, text, rest in zip(told[::3], told[1::3], told[2::3], strict=True):
            yield Told(word=Word(word), text=text)
            yield from self._slotted(rest)

    def _slotted(self, text: str) -> Iterator[Piece]:
        for place, piece in enumerate(self._slot.split(text)):
            if place % 2:
                yield Slotted(token=Token(piece))
            elif piece:
                yield piece


def literal(piece: Piece) -> str:
    """What a piece says in the whole issue; a slot says nothing."""
    return piece if isinstance(piece, str) else piece.text if isinstance(piece, Told) else ""


def pair(html_parts: Sequence[Part], text_parts: Sequence[Part]) -> tuple[Fragment, ...]:
    """The fragments of both documents, which are cut at the same places."""
    return tuple(
        Fragment(kind=part.kind, key=part.key, html=part.pieces, text=other.pieces)
        for part, other in zip(html_parts, text_parts, strict=True)
    )


def html_bytes(pieces: Sequence[Piece]) -> int:
    """The size of a body in UTF-8, with TOKEN_ROOM for each slot."""
    return sum(TOKEN_ROOM if isinstance(piece, Slotted) else len(literal(piece).encode()) for piece in pieces)


def fill(rendered: Rendered, tokens: Mapping[Token, str]) -> tuple[str, str]:
    """The whole HTML and text for one reader; values are escaped for the HTML. KeyError for a token not given."""
    in_html = {token: html.escape(value) for token, value in tokens.items()}
    return (
        "".join(_filled(fragment.html, in_html) for fragment in rendered.fragments),
        "".join(_filled(fragment.text, tokens) for fragment in rendered.fragments),
    )


def _filled(pieces: Sequence[Piece], values: Mapping[Token, str]) -> str:
    return "".join(values[piece.token] if isinstance(piece, Slotted) else literal(piece) for piece in pieces)
