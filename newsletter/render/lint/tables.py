"""The tables of `data/`: what MJML allows, what clients support, what colours are called. `tools/` refreshes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag of MJML: its attributes with the kind of their values (None: any), and the tags it may stand in."""

    attributes: Mapping[str, str] | None
    parents: Sequence[str]
    holds_html: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mjml:
    """The language: tags by name, what every tag takes, tags that take any other, names of colours."""

    tags: Mapping[str, Tag]
    every_tag: Sequence[str]
    takes_anything: Sequence[str]
    colours: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature of HTML or CSS that some clients do not support, and what it is found by."""

    slug: str
    title: str
    uses: Sequence[str]
    missing_in: Sequence[str]


@cache
def mjml() -> Mjml:
    """MJML 4, out of its own validator."""
    table = _load("mjml.json")
    return Mjml(
        tags={name: Tag(**tag) for name, tag in table["tags"].items()},
        every_tag=table["every_tag"],
        takes_anything=table["takes_anything"],
        colours=frozenset(table["colours"]),
    )


@cache
def features() -> tuple[Feature, ...]:
    """The features that a client of the default list does not support, out of caniemail's data."""
    table = _load("clients.json")
    return tuple(
        Feature(
            slug=slug,
            title=feature["title"],
            uses=feature["uses"],
            missing_in=[
                client for client, letter in zip(table["clients"], feature["support"], strict=True) if letter == "n"
            ],
        )
        for slug, feature in table["features"].items()
    )


@cache
def colour_names() -> Mapping[str, str]:
    """The names of CSS Color Module Level 4, section 6.1, as `#rrggbb`."""
    return {name: str(value) for name, value in _load("colours.json")["colours"].items()}


def _load(name: str) -> Any:
    return json.loads((files("newsletter.render.lint") / "data" / name).read_text(encoding="utf-8"))
