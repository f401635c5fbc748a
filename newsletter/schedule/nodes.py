"""YAML as a tree of places: every value knows its key and line, and mistakes are noted where they stand.

Nothing is constructed: PyYAML composes nodes, and what a text means is decided by whoever reads it (`values`).
Aliases and `<<` work; a file that grows beyond reason through them, or nests too deep, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml

from newsletter.errors import Problem
from newsletter.schedule.values import Mistake, suggestion

T = TypeVar("T")

MOST_NODES = 100_000  # aliases counted as often as they are used
DEEPEST = 20

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
_STANDARD = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the file. `noted` collects what is wrong there and below, for the whole file."""

    node: yaml.Node
    key: str
    line: int
    file: str
    noted: list[Problem]

    def note(self, what: str, hint: str = "", *, key: str = "") -> None:
        """Remember a mistake here, or at a key of this mapping that is not there."""
        path = ".".join(part for part in (self.key, key) if part)
        self.noted.append(Problem(key=path or "file", what=what, hint=hint, file=self.file, line=self.line))

    def read(self, reader: Callable[[Cursor], T]) -> T | None:
        """What the reader makes of this place; a mistake is noted and gives None."""
        try:
            return reader(self)
        except Mistake as mistake:
            self.note(mistake.what, mistake.hint)
            return None

    @property
    def empty(self) -> bool:
        """Whether nothing stands here, as in `topics:` and then the next key; `~` and `null` say so in words."""
        return bool(self.node.tag == _NULL)

    def text(self) -> str:
        """The text of a single value, as it stands in the file."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise Mistake("must be a single value, not a list or a mapping")
        if self.empty:
            raise Mistake("is empty", "give it a value, or leave the key out where it is optional")
        if not str(self.node.tag).startswith(_STANDARD):
            raise Mistake(f"has a tag, {self.node.tag!r}, and tags mean nothing here")
        return str(self.node.value)

    def items(self) -> list[Cursor]:
        """The items of a list; a single value is a list of one."""
        if isinstance(self.node, yaml.MappingNode):
            raise Mistake("must be a list, not a mapping")
        nodes = self.node.value if isinstance(self.node, yaml.SequenceNode) else [self.node]
        return [Cursor(node, self.key, node.start_mark.line + 1, self.file, self.noted) for node in nodes]

    def entries(self) -> dict[str, Cursor]:
        """The values of a mapping by key. A key that comes twice is noted, and its first value stands."""
        if not isinstance(self.node, yaml.MappingNode):
            raise Mistake("must be a mapping of keys to values")
        own: dict[str, Cursor] = {}
        merged: dict[str, Cursor] = {}
        for key, value in self.node.value:
            place = Cursor(value, self._below(key), key.start_mark.line + 1, self.file, self.noted)
            if key.tag == _MERGE:
                merged = {**(place.read(Cursor._merged) or {}), **merged}
            elif not isinstance(key, yaml.ScalarNode):
                place.note("keys must be plain text")
            elif key.value in own:
                place.note(f"is given twice, first on line {own[key.value].line}")
            else:
                own[key.value] = place
        return {**merged, **own}

    def _below(self, key: yaml.Node) -> str:
        text = key.value if isinstance(key, yaml.ScalarNode) else "?"
        return ".".join(part for part in (self.key, text if text and text.isprintable() else ascii(text)) if part)

    def _merged(self) -> dict[str, Cursor]:
        """What `<<` brings in, under the keys of the mapping that asks for it; of a list the first comes first."""
        above = self.key.rpartition(".")[0]
        sources = [Cursor(item.node, above, item.line, self.file, self.noted) for item in self._mappings()]
        found: dict[str, Cursor] = {}
        for source in sources:
            found = {**source.entries(), **found}
        return found

    def _mappings(self) -> list[Cursor]:
        return [self] if isinstance(self.node, yaml.MappingNode) else self.items()


# --- readers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A key of a mapping: how to read it, a hint what to write where it must be there, its name as an attribute."""

    read: Callable[[Cursor], object]
    required: str = ""
    attribute: str = ""


def single(parse: Callable[[str], T]) -> Callable[[Cursor], T]:
    """Read a single value by what its text means."""
    return lambda cursor: parse(cursor.text())


def several(parse: Callable[[str], T], *, least: int = 0) -> Callable[[Cursor], tuple[T, ...]]:
    """Read a list without repetitions, or a single value as a list of one."""

    def read(cursor: Cursor) -> tuple[T, ...]:
        values: dict[T, None] = {}
        items = cursor.items()
        if len(items) < least:
            raise Mistake("is an empty list", "name at least one")
        for item in items:
            value = item.read(single(parse))
            if value is None:
                continue
            if value in values:
                item.note(f"{item.text()!r} is there twice")
            values[value] = None
        return tuple(values)

    return read


def record(cursor: Cursor, entries: Mapping[str, Cursor], fields: Mapping[str, Field]) -> dict[str, Any]:
    """The values of a mapping by attribute. Keys unknown, missing or with a mistake are noted and left out."""
    for key, entry in entries.items():
        if key not in fields:
            entry.note("unknown key", suggestion(key, fields))
    for key, wanted in fields.items():
        if wanted.required and key not in entries:
            cursor.note("is missing", wanted.required, key=key)
    values = {key: entries[key].read(wanted.read) for key, wanted in fields.items() if key in entries}
    return {fields[key].attribute or key: value for key, value in values.items() if value is not None}


# --- composing --------------------------------------------------------------------------------------------------


def compose(text: str, *, file: str, noted: list[Problem]) -> Cursor | None:
    """The root of a YAML document; None where it is empty or, with the mistake noted, no YAML."""
    try:
        node = _composed(text)
    except _SyntaxError as error:
        what, hint, line = error.args
        noted.append(Problem(key="syntax", what=what, hint=hint, file=file, line=line))
        return None
    return Cursor(node, "", node.start_mark.line + 1, file, noted) if node else None


class _SyntaxError(ValueError):
    """What is wrong, a hint, and the line."""


def _composed(text: str) -> yaml.Node | None:
    try:
        loader = _Composer(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _SyntaxError("holds a character that YAML does not allow", "", line) from None
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise _SyntaxError(what, _hint(error), mark.line + 1 if mark else 0) from None
    except (ValueError, OverflowError):
        # The scanner's own conversions: "\UFFFFFFFF" is no character, and `%YAML 1.<5000 digits>` no version.
        raise _SyntaxError("holds an impossible number or character code", "", loader.line + 1) from None
    finally:
        loader.dispose()


def _hint(error: yaml.MarkedYAMLError) -> str:
    if "'\\t'" in (error.problem or ""):
        return "indent with spaces, not with tabs"
    unexpected = isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError)
    return "mind the indentation, and quote a value that holds quotes, ': ' or ' #'" if unexpected else ""


class _Composer(yaml.SafeLoader):
    """Composes nodes and keeps count, so that a short file cannot stand for a huge or endless one."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0
        self._sizes: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        alias = self.check_event(yaml.AliasEvent)
        mark = self.current_event.start_mark
        before = self._nodes
        self._depth += 1
        self._nodes += 1
        if self._depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"is nested more than {DEEPEST} levels deep", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if alias and node is not None:
            self._nodes += self._size(node, mark)
        elif node is not None:
            self._sizes[node] = self._nodes - before
        if self._nodes > MOST_NODES:
            raise yaml.MarkedYAMLError(
                problem=f"holds more than {MOST_NODES} values, aliases counted in full", problem_mark=mark
            )
        return node

    def _size(self, node: yaml.Node, mark: yaml.Mark) -> int:
        if node not in self._sizes:
            raise yaml.MarkedYAMLError(problem="an alias stands inside what it stands for", problem_mark=mark)
        return self._sizes[node]
