"""Kinds of attribute values, as MJML names them: `unit(px,%){1,4}`, `color`, `enum(left,right)`, `integer`."""

from __future__ import annotations

import re
from functools import cache

from newsletter.render.lint.tables import mjml

_COLOUR = re.compile(
    r"#(?:[0-9a-f]{3}){1,2}|rgb\(\d{1,3}, ?\d{1,3}, ?\d{1,3}\)|rgba\(\d{1,3}, ?\d{1,3}, ?\d{1,3}, ?\d(?:\.\d{1,3})?\)",
    re.IGNORECASE,
)


def complaint(kind: str, value: str) -> str:
    """What a value of this kind looks like; empty when this is one."""
    name = kind.partition("(")[0]
    match name:
        case "unit" | "unitWithNegative":
            return "" if _unit(kind).fullmatch(value) else f"a length in {_units(kind)}{_count(kind)}"
        case "enum":
            choices = _between(kind).split(",")
            return "" if value in choices else f"one of {', '.join(filter(None, choices))}"
        case "color":
            return "" if _COLOUR.fullmatch(value) or value in mjml().colours else "a colour such as #1a4fa3"
        case "boolean":
            return "" if value in {"true", "false"} else "true or false"
        case "integer":
            return "" if re.search(r"\d", value) else "a whole number"
    return ""


def is_literal(kind: str) -> bool:
    """Whether MJML computes with such a value, so that it cannot come from Jinja."""
    return kind.startswith("unit")


def bare_zero(kind: str, value: str) -> bool:
    """Whether one of the lengths is a zero without a unit."""
    return kind.startswith("unit") and not kind.endswith(",)") and "0" in value.split()


def short_colour(kind: str, value: str) -> bool:
    """Whether it is a colour of three digits."""
    return kind == "color" and re.fullmatch(r"#[0-9a-fA-F]{3}", value) is not None


@cache
def _unit(kind: str) -> re.Pattern[str]:
    """The same as MJML's own: each length a number with a unit, or 0, or auto where that is one of the units."""
    units = _between(kind).split(",")
    number = r"[-\d,.]+" if kind.startswith("unitWithNegative") else r"[\d,.]+"
    ends = "|".join(re.escape(unit) for unit in units if unit != "auto")
    auto = "|auto" if "auto" in units else ""
    count = re.search(r"\{([^}]+)\}", kind)
    return re.compile(rf"(?:(?:{number}(?:{ends})|0{auto}) ?){{{count[1] if count else '1'}}}")


def _between(kind: str) -> str:
    return kind[kind.index("(") + 1 : kind.rindex(")")]


def _units(kind: str) -> str:
    return " or ".join(unit or "no unit" for unit in _between(kind).split(","))


def _count(kind: str) -> str:
    return ", one to four of them" if kind.endswith("{1,4}") else ""
