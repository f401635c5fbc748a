"""What requests hold and answers show, declared once: frozen dataclasses whose fields say what they may be.

    email: Annotated[str, Rule("where mail goes", most=254, check=address)]

`read` makes one of what a program sent, `show` the JSON of one, `schema` the JSON Schema of all of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from newsletter.web.problems import Mistake

T = TypeVar("T")

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_SHOWN = 20  # mistakes of one request that are told
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field means and may be: `least` and `most` are characters, items, or the number itself.

    `check` gives a text its usual spelling, or says in a ValueError what is wrong with it.
    """

    help: str
    least: int | None = None
    most: int | None = None
    format: str = ""
    check: Callable[[str], str] | None = None


class Mistaken(ValueError):
    """A request that is not what its operation asks for, with every mistake in it."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(f"{mistake.where}: {mistake.what}" for mistake in self.mistakes))


# --- reading


def read(kind: type[T], given: Mapping[str, object], *, where: str) -> T:
    """One of a kind, of what was given by name. Mistaken."""
    declared = _declared(cast("Any", kind))
    known = f"is not among {', '.join(declared)}" if declared else "is not known: there is nothing to choose here"
    mistakes = [Mistake(where=f"{where}.{_spelled(name)}", what=known) for name in given if name not in declared]
    values: dict[str, object] = {}
    for name, meant in declared.items():
        if name in given:
            values[name] = _value(meant, given[name], f"{where}.{name}", mistakes)
        elif meant.is_required:
            mistakes.append(Mistake(where=f"{where}.{name}", what="is missing"))
    if mistakes:
        raise Mistaken(mistakes[:_SHOWN])
    return kind(**values)


def read_query(kind: type[T], pairs: Iterable[tuple[str, str]]) -> T:
    """One of a kind, of the parameters of an address. Mistaken, also for one that is given twice."""
    declared = _declared(cast("Any", kind))
    given: dict[str, object] = {}
    twice = []
    for name, text in pairs:
        if name in given:
            twice.append(Mistake(where=f"query.{_spelled(name)}", what="is given twice"))
        is_number = name in declared and declared[name].kind is int
        given[name] = int(text) if is_number and _WHOLE.fullmatch(text) else text
    if twice:
        raise Mistaken(twice[:_SHOWN])
    return read(kind, given, where="query")


def _value(meant: _Meant, given: object, place: str, mistakes: list[Mistake]) -> object:
    """What was given, as what it should be; None, and a mistake more, where it is not."""
    try:
        if get_origin(meant.kind) is not tuple:
            return _plain(meant.kind, meant.rule, given)
        if not isinstance(given, list):
            raise ValueError("is not a list")  # noqa: TRY004, TRY301  # a mistake of the request's
        _within(len(given), meant.rule, " items")
    except ValueError as error:
        mistakes.append(Mistake(where=place, what=str(error)))
        return None
    item = _meant(get_args(meant.kind)[0])
    return tuple(_value(item, one, f"{place}[{number}]", mistakes) for number, one in enumerate(given))


def _plain(kind: Any, rule: Rule, given: object) -> object:
    """A value that holds no others. ValueError says what is wrong."""
    if kind is bool:
        if not isinstance(given, bool):
            raise ValueError("is neither true nor false")
        return given
    if kind is int:
        return _whole(rule, given)
    if not isinstance(given, str):
        raise ValueError("is not a text")  # noqa: TRY004  # a mistake of the request's
    if choices := _choices(kind):
        if given not in choices:
            raise ValueError(f"is none of {', '.join(choices)}")
        return kind(given) if isinstance(kind, type) else given
    if kind is date:
        return _day(given)
    return _text(rule, given)


def _whole(rule: Rule, given: object) -> int:
    # JSON knows one kind of number: 5.0 is 5 (JSON Schema, section 6.1.1).
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        raise ValueError("is not a whole number")  # noqa: TRY004  # a mistake of the request's
    _within(given, rule)
    return given


def _day(given: str) -> date:
    try:
        if _DAY.fullmatch(given):
            return date.fromisoformat(given)
    except ValueError:  # 2026-02-30
        pass
    raise ValueError("is not a date like 2026-11-20")


def _text(rule: Rule, given: str) -> str:
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in given):
        raise ValueError("has control characters or halves of characters in it")
    _within(len(given), rule, " characters")
    return rule.check(given) if rule.check else given


def _within(count: int, rule: Rule, unit: str = "") -> None:
    if rule.least is not None and count < rule.least:
        raise ValueError(f"is less than {rule.least}{unit}")
    if rule.most is not None and count > rule.most:
        raise ValueError(f"is more than {rule.most}{unit}")


def _spelled(name: str) -> str:
    return name[:40].encode("ascii", "backslashreplace").decode()


# --- showing


def show(value: object) -> Any:
    """What JSON has for a value: every field by name, moments in UTC."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: show(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): show(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [show(one) for one in value]
    return value


# --- describing


def schema(kind: Any, found: dict[str, Any], *, is_answer: bool) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a type; dataclasses go to `found` by name, and are referred to.

    In answers every field is there, in requests those that have no default.
    """
    return _described(_meant(kind), found, is_answer=is_answer)


def parameters(kind: type) -> Iterator[dict[str, Any]]:
    """The parameters of an address as OpenAPI has them."""
    for name, meant in _declared(kind).items():
        told = _described(meant, {}, is_answer=False)
        about = told.pop("description", "")
        if meant.default not in (None, ""):
            told["default"] = show(meant.default)
        yield {"name": name, "in": "query", "required": meant.is_required, "description": about, "schema": told}


def _described(meant: _Meant, found: dict[str, Any], *, is_answer: bool) -> dict[str, Any]:
    told = _schema(meant.kind, meant.rule, found, is_answer=is_answer)
    if meant.may_be_none and is_answer:
        told = {"anyOf": [told, {"type": "null"}]}
    return {**told, "description": meant.rule.help} if meant.rule.help else told


_PLAIN: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    float: {"type": "number"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}


def _schema(kind: Any, rule: Rule, found: dict[str, Any], *, is_answer: bool) -> dict[str, Any]:
    if is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in found:
            found[kind.__name__] = _object(kind, found, is_answer=is_answer)
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    if get_origin(kind) is tuple:
        items = schema(get_args(kind)[0], found, is_answer=is_answer)
        return {"type": "array", "items": items, **_bounds(rule, "minItems", "maxItems")}
    if get_origin(kind) is Mapping:
        name, one = (schema(inner, found, is_answer=is_answer) for inner in get_args(kind))
        return {"type": "object", "propertyNames": name, "additionalProperties": one}
    if choices := _choices(kind):
        return {"type": "string", "enum": choices}
    if kind is int or kind is str:
        return _bounded(kind, rule)
    return dict(_PLAIN[kind])


def _bounded(kind: type[int | str], rule: Rule) -> dict[str, Any]:
    if kind is int:
        return {"type": "integer", **_bounds(rule, "minimum", "maximum")}
    text = {"type": "string", **_bounds(rule, "minLength", "maxLength")}
    return {**text, "format": rule.format} if rule.format else text


def _object(kind: type, found: dict[str, Any], *, is_answer: bool) -> dict[str, Any]:
    declared = _declared(kind)
    return {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "properties": {name: _described(meant, found, is_answer=is_answer) for name, meant in declared.items()},
        "required": [name for name, meant in declared.items() if is_answer or meant.is_required],
        "additionalProperties": False,
    }


def _bounds(rule: Rule, least: str, most: str) -> dict[str, Any]:
    bounds = {least: rule.least, most: rule.most}
    return {name: value for name, value in bounds.items() if value is not None}


# --- what is declared


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a field is declared to be. None is null in an answer; in a request it is what is left out."""

    kind: Any
    rule: Rule
    may_be_none: bool
    is_required: bool = False
    default: object = None


@cache
def _declared(kind: Any) -> Mapping[str, _Meant]:
    """The fields of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: _field(_meant(hints[field.name]), field.default) for field in fields(kind)}


def _field(meant: _Meant, default: object) -> _Meant:
    return replace(meant, is_required=True) if default is MISSING else replace(meant, default=default)


def _meant(hint: Any) -> _Meant:
    """A type with what stands around it: `Annotated[str, Rule] | None`, or the other way round."""
    rule, may_be_none = Rule(""), False
    while True:
        if get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            # What is said further out, of the field, counts more than what is said of its type.
            rule = rule if rule.help else next((note for note in notes if isinstance(note, Rule)), rule)
        elif get_origin(hint) in (Union, UnionType):
            hint = next(one for one in get_args(hint) if one is not NoneType)
            may_be_none = True
        else:
            return _Meant(hint, rule, may_be_none)


def _choices(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [one.value for one in kind] if isinstance(kind, type) and issubclass(kind, StrEnum) else []
