"""Markers in a rendered document, and the document cut at them.

A slot marker stands where a recipient's own value goes, a cut marker where a fragment begins. Both carry a random
suffix that is drawn for one rendering and is in none of its texts, so that no feed can forge one. Once rendered, text
is only ever split and joined: what looks like a template in it stays text.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from newsletter.errors import RenderError
from newsletter.model import Fragment, Piece, Rendered, Slotted, Token

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

    def slot(self, token: Token) -> Markup:
        """What stands for a token's value, in text, in attributes and in plain text alike."""
        return Markup(f"[[{self._suffix}:{token.value}]]")  # noqa: S704  # made of our own words alone

    def cut(self, kind: str, key: str = "") -> Markup:
        """What stands where the fragment of that kind and key begins."""
        self._cuts.append((kind, key))
        return Markup(f"[[{self._suffix}:cut:{len(self._cuts) - 1}]]")  # noqa: S704  # made of a number

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
        if any(self._suffix in piece.lower() for part in parts for piece in part.pieces if isinstance(piece, str)):
            raise RenderError("a slot or cut went through a filter that changed it", template=template)
        return parts

    def _pieces(self, body: str) -> Iterator[Piece]:
        for place, piece in enumerate(self._slot.split(body)):
            if place % 2:
                yield Slotted(token=Token(piece))
            elif piece:
                yield piece


def pair(html_parts: Sequence[Part], text_parts: Sequence[Part]) -> tuple[Fragment, ...]:
    """The fragments of both documents, which are cut at the same places."""
    return tuple(
        Fragment(kind=part.kind, key=part.key, html=part.pieces, text=other.pieces)
        for part, other in zip(html_parts, text_parts, strict=True)
    )


def html_bytes(pieces: Sequence[Piece]) -> int:
    """The size of a body in UTF-8, with TOKEN_ROOM for each slot."""
    return sum(len(piece.encode()) if isinstance(piece, str) else TOKEN_ROOM for piece in pieces)


def fill(rendered: Rendered, tokens: Mapping[Token, str]) -> tuple[str, str]:
    """The whole HTML and text for one reader; values are escaped for the HTML. KeyError for a token not given."""
    in_html = {token: html.escape(value) for token, value in tokens.items()}
    return (
        "".join(_filled(fragment.html, in_html) for fragment in rendered.fragments),
        "".join(_filled(fragment.text, tokens) for fragment in rendered.fragments),
    )


def _filled(pieces: Sequence[Piece], values: Mapping[Token, str]) -> str:
    return "".join(piece if isinstance(piece, str) else values[piece.token] for piece in pieces)
