"""How the elements of a page look in a colour scheme: the cascade of CSS, for colours and the size of text alone.

Style blocks, inline styles, `!important` and attributes such as `bgcolor` count as in CSS Cascade Level 4, section 6; a
wide screen is assumed. What the reader's client would change by itself is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from newsletter.render.lint.colours import Colour, ground_of, read_colour
from newsletter.render.lint.css import Block, Declaration, inline
from newsletter.render.lint.document import Element
from newsletter.render.lint.selectors import Selector, Specificity, read_selectors

_LOOKED_AT = frozenset({"color", "background", "background-color", "font-size", "font", "display", "visibility"})
_UNSEEN = frozenset({"head", "script", "style", "template", "title"})
# How browsers show headings and small print (HTML Living Standard, section 15.3), in parts of the text around them.
_SIZES = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 5 / 6, "sub": 5 / 6, "sup": 5 / 6}
_NAMED_SIZES = {"xx-small": 9, "x-small": 10, "small": 13, "medium": 16, "large": 18, "x-large": 24, "xx-large": 32}
_PIXELS = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
_LENGTH = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(px|pt|pc|in|cm|mm|em|rem|%)")
_CONDITION = re.compile(r"\(\s*([\w-]+)\s*(?::\s*([^()]*?))?\s*\)")


class Scheme(StrEnum):
    """What a reader prefers: dark text on a light ground, or the other way round."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How an element looks. A colour is None where it cannot be told; `size` is that of its text, in pixels."""

    colour: Colour | None
    ground: Colour | None
    size: float
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class _Style:
    """A rule's declarations for one selector, and its place in the page."""

    selector: Selector
    declarations: Sequence[Declaration]
    order: int


def looks(root: Element, blocks: Sequence[Block], scheme: Scheme) -> Iterator[tuple[Element, Look]]:
    """Every element that is shown, with its look in a scheme; `blocks` are the page's style blocks."""
    styles = list(_styles(blocks, scheme))
    own_dark = scheme is Scheme.DARK and _offers_dark(root, blocks)
    first = Look(
        colour=Colour(1, 1, 1) if own_dark else Colour(0, 0, 0),
        ground=read_colour("#121212") if own_dark else Colour(1, 1, 1),
        size=16,
    )
    link = read_colour("#9e9eff" if own_dark else "#0000ee")  # as Chromium shows links without a style
    waiting = [(element, first) for element in reversed(list(root.elements))]
    while waiting:
        element, around = waiting.pop()
        look = _look(element, around, _cascaded(element, styles), link)
        if look.hidden or element.tag in _UNSEEN:
            continue
        yield element, look
        waiting.extend((child, look) for child in reversed(list(element.elements)))


def applies(condition: str, scheme: Scheme) -> bool:
    """Whether an at-rule's block counts on a wide screen in this scheme; what `@supports` asks for is there."""
    if condition.startswith("@supports"):
        return True
    if not condition.startswith("@media"):
        return False
    return any(_query(query, scheme) for query in condition.removeprefix("@media").split(","))


def _query(query: str, scheme: Scheme) -> bool:
    words = set(re.findall(r"[a-z]+", _CONDITION.sub(" ", query.lower())))
    if words & {"print", "speech", "not"}:
        return False
    for name, value in _CONDITION.findall(query.lower()):
        if name == "prefers-color-scheme" and value != scheme:
            return False
        if name in {"max-width", "max-device-width"} or name.startswith("-"):
            return False
    return True


def _styles(blocks: Sequence[Block], scheme: Scheme) -> Iterator[_Style]:
    order = 0
    for sheet in blocks:
        for around, rule in sheet.rules():
            declarations = [declaration for declaration in rule.declarations if declaration.name in _LOOKED_AT]
            if declarations and all(applies(block.prelude, scheme) for block in around):
                for selector in read_selectors(rule.prelude):
                    yield _Style(selector, declarations, order)
            order += 1


def _offers_dark(root: Element, blocks: Sequence[Block]) -> bool:
    """Whether the page says that it has a dark scheme, so that the client's own colours are dark ones."""
    metas = (element.attributes for element in root.walk() if element.tag == "meta")
    if any(meta.get("name") == "color-scheme" and "dark" in meta.get("content", "") for meta in metas):
        return True
    rules = (rule for sheet in blocks for _, rule in sheet.rules() if ":root" in rule.prelude or rule.prelude == "html")
    return any(one.name == "color-scheme" and "dark" in one.value for rule in rules for one in rule.declarations)


def _cascaded(element: Element, styles: Sequence[_Style]) -> Mapping[str, str]:
    """The value that wins for each property."""
    best: dict[str, tuple[tuple[bool, bool, Specificity, int], str]] = {}

    def offer(one: Declaration, rank: tuple[bool, bool, Specificity, int]) -> None:
        name = {"background": "background-color"}.get(one.name, one.name)
        value = f"background {one.value}" if one.name == "background" else one.value
        if name not in best or rank >= best[name][0]:
            best[name] = rank, value

    for style in styles:
        if style.selector.matches(element):
            for one in style.declarations:
                offer(one, (one.important, False, style.selector.specificity, style.order))
    for one in inline(element):
        if one.name in _LOOKED_AT:
            offer(one, (one.important, True, (0, 0, 0), 0))
    return {name: value for name, (_, value) in best.items()}


def _look(element: Element, around: Look, style: Mapping[str, str], link: Colour | None) -> Look:
    colour = around.colour
    if element.tag == "a" and "href" in element.attributes:
        colour = link
    if element.tag == "font" and "color" in element.attributes:
        colour = read_colour(element.attributes["color"])
    if (said := style.get("color", "inherit").lower()) == "inherit":
        colour = around.colour if "color" in style else colour
    elif said not in {"currentcolor", "initial", "unset"}:
        colour = read_colour(said)
    own = style.get("background-color", element.attributes.get("bgcolor", "transparent"))
    layer = ground_of(own)
    ground = layer.over(around.ground) if layer is not None and around.ground is not None else None
    if layer is not None and layer.alpha == 1:
        ground = layer
    look = replace(around, colour=colour, ground=ground, size=_size(element, around.size, style))
    hidden = style.get("display") == "none" or style.get("visibility") == "hidden" or "hidden" in element.attributes
    return replace(look, hidden=hidden)


def _size(element: Element, around: float, style: Mapping[str, str]) -> float:
    said = style.get("font-size", "").lower()
    if not said:
        pieces = (piece.partition("/")[0] for piece in style.get("font", "").lower().split())
        said = next((piece for piece in pieces if _LENGTH.fullmatch(piece)), "")
    if said in _NAMED_SIZES:
        return _NAMED_SIZES[said]
    length = _LENGTH.fullmatch(said)
    if length is None:
        return 0.0 if said == "0" else around * _SIZES.get(element.tag, 1.0)
    units = {**_PIXELS, "em": around, "rem": 16.0, "%": around / 100}
    return float(length[1]) * units[length[2]]
