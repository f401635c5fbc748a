"""Which elements a selector means: types, classes, ids, attributes and the four combinators of Selectors Level 3.

A pseudo-class other than `:root`, or a pseudo-element, means no element here: it depends on what the reader does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from newsletter.render.lint.document import Element

Specificity = tuple[int, int, int]

_LONGEST = 10  # compounds; what is longer is not written by hand
_SIMPLE = re.compile(
    r"(?P<kind>[.#])(?P<name>[\w\-]+)"
    r"|\[\s*(?P<attribute>[\w\-:]+)\s*(?:(?P<how>[~|^$*]?=)\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\]\s]+)\s*[iI]?\s*)?\]"
    r"|(?P<pseudo>::?[\w\-]+(?:\([^()]*\))?)"
    r"|(?P<type>[\w\-]+|\*)"
)
_PART = re.compile(r"\s*([>+~])\s*|(\s+)|((?:\[[^\]]*\]|\([^()]*\)|[^\s>+~\[(])+)")
_HOLDS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda held, wanted: held == wanted,
    "~=": lambda held, wanted: wanted in held.split(),
    "|=": lambda held, wanted: held == wanted or held.startswith(wanted + "-"),
    "^=": lambda held, wanted: bool(wanted) and held.startswith(wanted),
    "$=": lambda held, wanted: bool(wanted) and held.endswith(wanted),
    "*=": lambda held, wanted: bool(wanted) and wanted in held,
}


@dataclass(frozen=True, slots=True)
class Compound:
    """`a.link[href]`: what must hold of one element. `combinator` tells how it stands to the compound before it."""

    combinator: str
    type: str
    classes: frozenset[str]
    ids: frozenset[str]
    attributes: tuple[tuple[str, str, str], ...]
    root: bool
    never: bool


@dataclass(frozen=True, slots=True)
class Selector:
    """Compounds, the last of which is the element meant."""

    compounds: tuple[Compound, ...]

    @property
    def specificity(self) -> Specificity:
        """Ids, classes and their like, types (Selectors Level 3, section 9)."""
        return (
            sum(len(part.ids) for part in self.compounds),
            sum(len(part.classes) + len(part.attributes) + part.root for part in self.compounds),
            sum(part.type not in {"", "*"} for part in self.compounds),
        )

    def matches(self, element: Element) -> bool:
        """Whether it means this element."""
        return _holds(self.compounds[-1], element) and _before(self.compounds, len(self.compounds) - 1, element)


def read_selectors(prelude: str) -> list[Selector]:
    """The selectors of a rule; what is none is left out."""
    return [selector for part in prelude.split(",") if (selector := _selector(part.strip()))]


def _selector(text: str) -> Selector | None:
    compounds: list[Compound] = []
    combinator = ""
    for sign, space, compound in _PART.findall(text):
        if compound:
            compounds.append(_compound(compound, combinator if compounds else ""))
            combinator = ""
        else:
            combinator = sign or combinator or (" " if space else "")
    return Selector(tuple(compounds)) if 0 < len(compounds) <= _LONGEST else None


def _compound(text: str, combinator: str) -> Compound:
    types = ""
    classes: set[str] = set()
    ids: set[str] = set()
    pseudos: set[str] = set()
    attributes: list[tuple[str, str, str]] = []
    end = 0
    for part in _SIMPLE.finditer(text):
        end += len(part[0])
        if part["kind"]:
            (classes if part["kind"] == "." else ids).add(part["name"])
        elif part["attribute"]:
            attributes.append((part["attribute"].lower(), part["how"] or "", (part["value"] or "").strip("\"'")))
        elif part["pseudo"]:
            pseudos.add(part["pseudo"].lower())
        else:
            types = part["type"].lower()
    return Compound(
        combinator=combinator,
        type=types,
        classes=frozenset(classes),
        ids=frozenset(ids),
        attributes=tuple(attributes),
        root=":root" in pseudos,
        never=bool(pseudos - {":root", ":link", ":any-link"}) or end != len(text),
    )


def _holds(wanted: Compound, element: Element) -> bool:
    has = element.attributes
    return (
        not wanted.never
        and wanted.type in {"", "*", element.tag}
        and (not wanted.classes or wanted.classes <= set(has.get("class", "").split()))
        and (not wanted.ids or wanted.ids <= {has.get("id", "")})
        and (not wanted.root or element.tag == "html")
        and all(name in has and (not how or _HOLDS[how](has[name], value)) for name, how, value in wanted.attributes)
    )


def _before(compounds: tuple[Compound, ...], place: int, element: Element) -> bool:
    """Whether what must stand before the compound at `place` stands before this element."""
    if place == 0:
        return True
    wanted = compounds[place - 1]
    match compounds[place].combinator:
        case ">":
            near = [element.parent] if element.parent is not None else []
        case "+":
            near = _siblings(element)[-1:]
        case "~":
            near = _siblings(element)
        case _:
            near = _ancestors(element)
    return any(_holds(wanted, other) and _before(compounds, place - 1, other) for other in near)


def _ancestors(element: Element) -> list[Element]:
    found = []
    place = element.parent
    while place is not None:
        found.append(place)
        place = place.parent
    return found


def _siblings(element: Element) -> list[Element]:
    """The elements before it inside the same one."""
    if element.parent is None:
        return []
    inside = list(element.parent.elements)
    return inside[: inside.index(element)]
