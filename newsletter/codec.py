"""The vocabulary to JSON and back: what the store keeps, what `preview` writes, what `--json` prints."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TypeVar, get_args

from cattrs.preconf.json import JsonConverter, make_converter

from newsletter.model import Piece, Slotted, Token, Told, Word

T = TypeVar("T")


def encode(value: object) -> str:
    """A dataclass of the vocabulary (or a tuple or dict of them) as one JSON document."""
    return _converter().dumps(value, ensure_ascii=False)


def plain(value: object) -> object:
    """The same as dicts, lists, strings and numbers."""
    return _converter().unstructure(value)


def decode(kind: type[T], document: str) -> T:
    """What `encode` wrote. Raises an ExceptionGroup of cattrs when the document is not of that shape."""
    return _converter().loads(document, kind)


@functools.cache
def _converter() -> JsonConverter:
    converter = make_converter(omit_if_default=True)
    converter.register_unstructure_hook(timedelta, lambda value: value.total_seconds())
    converter.register_structure_hook(timedelta, lambda value, _: timedelta(seconds=value))
    converter.register_structure_hook_func(lambda kind: kind == Piece, lambda value, _: _piece(value))
    return converter


def _piece(value: object) -> Piece:
    if isinstance(value, str):
        return value
    assert isinstance(value, dict)  # noqa: S101  # as `encode` writes it
    if "word" in value:
        return Told(word=Word(value["word"]), text=value["text"])
    return Slotted(token=Token(value["token"]))


assert set(get_args(Piece)) == {str, Slotted, Told}  # noqa: S101  # `_piece` knows these
