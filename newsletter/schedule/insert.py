"""Further sources into the text of schedules.yaml, whose comments and layout are the operator's own. Pure.

YAML writers lose comments, so the text is cut where the part `sources` ends and lines are put in between. Whoever
writes the result reads it first (`plan.load`): a file may be laid out in ways that nobody thinks of.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Sequence

import yaml

from newsletter.errors import ConfigError, Problem
from newsletter.model import Source
from newsletter.schedule.nodes import compose

_LONGEST_NAME = 40
_INDENT = 2
_NO_NAME = re.compile(r"[^a-z0-9]+")
_PLAIN = re.compile(r"[a-z][a-z0-9-]*")


def named(words: str, *, taken: Collection[str], fallback: str) -> str:
    """A valid name made of these words (or else of `fallback`) that is not taken yet: `the-daily-news-2`."""
    stem = _slug(words) or _slug(fallback) or "source"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def _slug(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return _NO_NAME.sub("-", plain.replace("'", "")).strip("-")[:_LONGEST_NAME].rstrip("-")


def source_line(source: Source) -> str:
    """A source as one line of YAML: `blog: {kind: feed, url: "https://example.org/feed.xml"}`."""
    pairs = {"kind": source.kind, **source.options}
    return f"{source.name}: {{{', '.join(f'{key}: {_value(value)}' for key, value in pairs.items())}}}"


def _value(value: object) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value != "null" else json.dumps(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)


def with_sources(text: str, sources: Sequence[Source], *, file: str) -> str:
    """The text of a schedules.yaml with these sources behind those it has. ConfigError where it is no YAML."""
    noted: list[Problem] = []
    root = compose(text, file=file, noted=noted)
    if noted or root is None or not isinstance(root.node, yaml.MappingNode):
        raise ConfigError(noted or [Problem(key="file", what="is no mapping of keys to values", file=file)])
    end = "\r\n" if "\r\n" in text else "\n"
    part = next(((key, value) for key, value in root.node.value if key.value == "sources"), None)
    lines = [source_line(source) for source in sources]
    if part is None:
        return _terminated(text, end) + end + _block(["sources:", *_indented(lines, _INDENT)], end)
    key, value = part
    if not isinstance(value, yaml.MappingNode):  # `sources:` with nothing below
        return _after_line(text, key.end_mark.line, _indented(lines, key.start_mark.column + _INDENT), end)
    if value.flow_style:
        return _into_braces(text, value, lines)
    return _after_line(text, _last_line(value), _indented(lines, value.value[0][0].start_mark.column), end)


def _indented(lines: Sequence[str], columns: int) -> list[str]:
    return [" " * columns + line for line in lines]


def _block(lines: Sequence[str], end: str) -> str:
    return "".join(line + end for line in lines)


def _terminated(text: str, end: str) -> str:
    return text if not text or text.endswith("\n") else text + end


def _after_line(text: str, number: int, lines: Sequence[str], end: str) -> str:
    before = text.splitlines(keepends=True)
    head, tail = before[: number + 1], before[number + 1 :]
    return _terminated("".join(head), end) + _block(lines, end) + "".join(tail)


def _into_braces(text: str, mapping: yaml.MappingNode, lines: Sequence[str]) -> str:
    last = mapping.value[-1][1].end_mark.index if mapping.value else mapping.start_mark.index + 1
    told = ", ".join(lines)
    return text[:last] + (f", {told}" if mapping.value else told) + text[last:]


def _last_line(node: yaml.Node) -> int:
    """The number of the last line that belongs to a node: block collections end only where the next thing begins."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1])
    mark = node.end_mark
    # A block scalar (`|`, `>`) ends at the beginning of the line after it.
    return int(mark.line) - 1 if mark.column == 0 and mark.line > node.start_mark.line else int(mark.line)
