"""A template with its includes in their place, each line knowing where it is from."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from newsletter.render.lint.finding import Finding
from newsletter.render.lint.rules import found

Read = Callable[[str], str]
"""A template's name -> its source; LookupError for one that is not there."""

_INCLUDE = re.compile(r'\s*<mj-include\s+path="(?P<path>[^"]+)"\s*/>\s*')
_ANY_INCLUDE = re.compile(r"</?mj-include\b[^>]*>?", re.IGNORECASE)
_DEEPEST = 8  # includes within includes
_MOST_LINES = 20_000  # of all templates together


@dataclass(slots=True)
class Source:
    """The whole text, and the template and line that each of its lines is from."""

    text: str = ""
    places: list[tuple[str, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def place(self, position: int) -> tuple[str, int]:
        """The template and line of a position in the text."""
        number = self.text.count("\n", 0, position)
        return self.places[min(number, len(self.places) - 1)] if self.places else ("", 0)


def expand(template: str, read: Read) -> Source:
    """The template whole. What cannot be included is left out and told in `findings`. LookupError for no template."""
    source = Source()
    lines = []
    for name, number, line in _lines(template, read(template), read, (), source.findings):
        source.places.append((name, number))
        lines.append(line)
        if len(lines) >= _MOST_LINES:
            source.findings.append(found("mjml-include", name, number, f"more than {_MOST_LINES} lines in all"))
            break
    source.text = "\n".join(lines)
    return source


def _lines(
    name: str, text: str, read: Read, within: tuple[str, ...], findings: list[Finding]
) -> Iterator[tuple[str, int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        include = _INCLUDE.fullmatch(line)
        if include is None:
            if _ANY_INCLUDE.search(line):
                what = f"{line.strip()[:80]} is not an include alone on its line, with nothing but a path"
                findings.append(found("mjml-include", name, number, what))
            yield name, number, _ANY_INCLUDE.sub("", line)
            continue
        path = include["path"]
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        problem = _problem(path, inner, (*within, name))
        if not problem:
            try:
                included = read(inner)
            except LookupError:
                problem = f"there is no template {inner}"
            else:
                yield from _lines(inner, included, read, (*within, name), findings)
        if problem:
            findings.append(found("mjml-include", name, number, problem))


def _problem(path: str, name: str, within: tuple[str, ...]) -> str:
    if path.startswith("/") or name.startswith("../") or "\\" in path:
        return f"{path} is outside the templates"
    if name in within:
        return f"{path} includes itself"
    if len(within) > _DEEPEST:
        return f"{path} is included too deep"
    return ""
