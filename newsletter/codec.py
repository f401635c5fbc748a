"""The vocabulary to JSON and back: what the store keeps, what `preview` writes, what `--json` prints."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TypeVar, get_args

from cattrs.preconf.json import JsonConverter, make_converter

from newsletter.model import Piece, Slotted, Token

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
    return value if isinstance(value, str) else Slotted(token=Token(value["token"]))  # type: ignore[index]


assert set(get_args(Piece)) == {str, Slotted}  # noqa: S101  # `_piece` knows these two
