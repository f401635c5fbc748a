"""The JSON of a request: one object, told apart strictly from all that parsers let pass (RFC 8259, I-JSON RFC 7493)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from starlette.requests import Request

from newsletter.web.api.operations import Refusal
from newsletter.web.forms import BODY

_DEEPEST = 16
_TYPE = re.compile(r"application/json(?:\s*;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)


def read_json(request: Request) -> Mapping[str, object]:
    """The object that a body holds; an empty one of no body. Refusal."""
    body: bytes = request.scope[BODY]
    kind = request.headers.get("content-type", "")
    if not body and not kind:
        return {}
    if not _TYPE.fullmatch(kind.strip()):
        raise Refusal(415, "the body must be application/json in UTF-8")
    try:
        text = body.decode("utf-8")
    except ValueError as error:
        raise Refusal(400, "the body is not in UTF-8") from error
    if _depth(text) > _DEEPEST:
        raise Refusal(400, f"the body is nested more than {_DEEPEST} deep")
    try:
        found = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=_short
        )
    except ValueError as error:
        raise Refusal(400, f"the body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Refusal(422, "the body must be an object")
    return found


def _depth(text: str) -> int:
    deepest = depth = 0
    for opened, closed in _NESTING.findall(text):
        depth += bool(opened) - bool(closed)
        deepest = max(deepest, depth)
    return deepest


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object in which no name stands twice: of two readers each might believe another one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("a number is too large")
    return number


def _short(text: str) -> int:
    if len(text) > 18:  # noqa: PLR2004  # digits that fit 64 bits
        raise ValueError("a number is too large")
    return int(text)
