"""The MJML of every template before the reference compiler: is it valid, and does our compiler make the same of it?"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from newsletter.render.environment import bundled_templates
from newsletter.render.mjml import Line, compile_mjml, expand
from tests.outside import tools
from tests.outside.structure import structure

# Where our compiler is known to differ, as what would have to be changed in the reference's output, and why that is
# harmless. Each is undone in the reference, so that a compiler that no longer differs is noticed too.
KNOWN = (
    # An empty class says nothing.
    (r" class=''", r""),
    # The reference rounds the cell of a section's table and clips the section, ours rounds the table. Both look the
    # same in Chromium, and in Outlook for Windows corners are square with either.
    (
        (
            r"(<div [^\n]*border-radius:(?P<radius>[^;\n]+);[^\n]*);overflow:hidden('>\n<table [^\n]*);"
            r"border-collapse:separate;(width:100%'>\n<tbody>\n<tr>\n<td style=')border-radius:(?P=radius);"
        ),
        r"\1\3;border-radius:\g<radius>;\4",
    ),
    # Every parser of HTML adds the body to a table that has none: the table of a button.
    (
        r"(<table [^\n]*border-collapse:separate;line-height:100%'>\n)<tbody>\n((?:[^\n]*\n)*?)</tbody>\n",
        r"\1\2",
    ),
)
_TEMPLATES = bundled_templates()
WHOLE = sorted(
    path.relative_to(_TEMPLATES).as_posix()
    for path in _TEMPLATES.glob("email/*/*.mjml.j2")
    if path.read_text(encoding="utf-8").startswith("<mjml")  # the others are included
)
_SPOILED = "<mjml><mj-body><mj-section><mj-text colour='red'>Hello</mj-text></mj-section></mj-body></mjml>"
_MARK = re.compile(r"\{#@\d+#\}")
# What a template may leave to Jinja in an attribute whose values MJML knows, and a value it may get.
_FILLED = {"{{ direction }}": "ltr", "{{ start }}": "left"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What the reference compiler made of a source, and what it found wrong with it."""

    html: str
    errors: list[str]


@pytest.fixture(scope="session")
def reference() -> Callable[[str], Compiled]:
    """The HTML and the complaints of npm's mjml for a source, after all of them were compiled at once."""
    node = tools.command("node", package="nodejs")
    tools.npm("mjml")
    sources = [_SPOILED, *(make(template) for template in WHOLE for make in (_source, _filled))]
    done = tools.run(node, tools.FOLDER / "mjml.mjs", stdin=json.dumps(sources).encode())
    compiled = dict(zip(sources, json.loads(done.stdout), strict=True))
    return lambda source: Compiled(**compiled[source])


def _source(template: str) -> str:
    return "\n".join(line.text for line in _lines(template))


def _filled(template: str) -> str:
    source = _source(template)
    for jinja, value in _FILLED.items():
        source = source.replace(f'="{jinja}"', f'="{value}"')
    return source


def _lines(template: str) -> tuple[Line, ...]:
    """A template with its includes in their place: the reference is not given any file to open."""
    return expand(template, lambda name: (_TEMPLATES / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("template", WHOLE)
def test_the_source_is_valid(template: str, reference: Callable[[str], Compiled]) -> None:
    """Every element and attribute is one that MJML knows, where it may stand, with a value it may have."""
    assert reference(_filled(template)).errors == []


def test_a_spoiled_source_is_not_valid(reference: Callable[[str], Compiled]) -> None:
    """Text outside a column and an attribute that is none are both told."""
    place, attribute = reference(_SPOILED).errors

    assert "mj-text cannot be used inside mj-section" in place
    assert "colour is illegal" in attribute


@pytest.mark.parametrize("template", WHOLE)
def test_it_compiles_as_the_reference_does(template: str, reference: Callable[[str], Compiled]) -> None:
    """Our compiler makes the same page of it, but for what is KNOWN."""
    expected = "\n".join(structure(reference(_source(template)).html))
    for pattern, replacement in KNOWN:
        expected = re.sub(pattern, replacement, expected)
    ours = structure(_MARK.sub("", compile_mjml(_lines(template), template).html))
    difference = "\n".join(difflib.unified_diff(expected.split("\n"), ours, "the reference", "ours", lineterm=""))

    assert not difference, difference
