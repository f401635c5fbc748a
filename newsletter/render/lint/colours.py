"""Colours: what CSS says, one over another, and how well two can be told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.render.lint.tables import colour_names

_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB = re.compile(r"rgba?\(([^()]*)\)")
_PIECE = re.compile(r"#[0-9a-f]+|[a-z-]+\([^()]*\)|[a-z]+")


@dataclass(frozen=True, slots=True)
class Colour:
    """sRGB, each 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, ground: Colour) -> Colour:
        """What is seen where this lies on a ground without gaps."""
        red, green, blue = (
            self.alpha * upper + (1 - self.alpha) * lower
            for upper, lower in (
                (self.red, ground.red),
                (self.green, ground.green),
                (self.blue, ground.blue),
            )
        )
        return Colour(red, green, blue)

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part * 255):02x}" for part in (self.red, self.green, self.blue))


def read_colour(value: str) -> Colour | None:
    """The colour that a CSS value is; None for what is none, or cannot be told without more (`var()`, `hsl()`)."""
    text = value.strip().lower()
    if text == "transparent":
        return Colour(0, 0, 0, 0)
    text = colour_names().get(text, text)
    if _HEX.fullmatch(text):
        digits = text[1:] if len(text) > 5 else "".join(digit * 2 for digit in text[1:])  # noqa: PLR2004  # "#rgba"
        return Colour(*(int(digits[place : place + 2], 16) / 255 for place in range(0, len(digits), 2)))
    found = _RGB.fullmatch(text)
    parts = re.split(r"[\s,/]+", found[1].strip()) if found else []
    if len(parts) not in {3, 4}:
        return None
    try:
        red, green, blue = (_share(part, 255) for part in parts[:3])
        return Colour(red, green, blue, _share(parts[3], 1) if len(parts) > 3 else 1.0)  # noqa: PLR2004
    except ValueError:
        return None


def ground_of(value: str) -> Colour | None:
    """The colour in a value of `background`; without one it is transparent, and None where that cannot be told."""
    for piece in _PIECE.findall(value.lower()):
        if (colour := read_colour(piece)) is not None:
            return colour
    return None if re.search(r"\b(?:var|hsla?|color)\(", value.lower()) else Colour(0, 0, 0, 0)


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2.2: 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _share(text: str, whole: float) -> float:
    share = float(text[:-1]) / 100 if text.endswith("%") else float(text) / whole
    if not 0 <= share <= 1:  # also what is no number
        raise ValueError(text)
    return share


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  # sRGB, as in WCAG
        for part in (colour.red, colour.green, colour.blue)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
