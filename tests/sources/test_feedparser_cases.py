"""feedparser's own cases, as far as they speak of what an `Item` holds; each expectation is read, never run."""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import ReadError
from newsletter.sources.item import Document, Item
from newsletter.sources.xmlfeed import read_xml_feed

pytestmark = pytest.mark.shared
# `clean` does what feedparser's sanitiser and resolver do, on the finished entry and by other rules.
ELSEWHERE = {"sanitize", "base"}
FLOOR = 237
KNOWN = Path(__file__).parents[1] / "data" / "sources" / "agreement" / "feedparser_cases.json"
_EXPECT = re.compile(rb"Expect:\s*(.*?)(?:-->|\n)", re.DOTALL)
_HEADERS = {"bozo", "bozo_exception", "version", "encoding"}
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Inapplicable(Exception):
    """The expectation speaks of something that we do not keep."""


def holds(expectation: str, told: Mapping[str, Any]) -> bool:
    """Whether an expression of comparisons over subscripts is true of these values."""
    terms = _terms(ast.parse(expectation.strip(), mode="eval").body)
    spoken = [term for term in terms if not _names(term) <= _HEADERS]
    if not spoken:
        raise Inapplicable
    found = [_value(term, told) for term in spoken]  # each term must apply, whatever the first gives
    return all(found)


def _terms(node: ast.expr) -> Sequence[ast.expr]:
    return node.values if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _value(node: ast.expr, told: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one case, one line
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=parts):
            return tuple(_value(part, told) for part in parts)
        case ast.Name(id=name):
            return _found(told, name)
        case ast.Subscript(value=holder, slice=key):
            return _found(_value(holder, told), _value(key, told))
        case ast.Attribute(value=holder, attr=name):
            return _found(_value(holder, told), name)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, told)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_value(one, told) for one in values)
        case ast.Call(func=ast.Name(id="len"), args=[counted]):
            return len(_value(counted, told))
        case ast.Compare(left=left, ops=[compared], comparators=[right]) if type(compared) in _COMPARE:
            return _COMPARE[type(compared)](_value(left, told), _value(right, told))
    raise Inapplicable


def _found(holder: Any, key: Any) -> Any:
    try:
        return holder[key]
    except (KeyError, TypeError):
        raise Inapplicable from None
    except IndexError:
        return {}


def told(document: Document) -> Mapping[str, Any]:
    """What we keep of a feed, by feedparser's names for it."""
    return {"entries": [_entry(item) for item in document.items], "feed": {"link": document.home}}


def _entry(item: Item) -> Mapping[str, Any]:
    published, updated = _parts(item.published), _parts(item.updated)
    summary = {"value": item.summary.value}
    return {
        "id": item.guid,
        "guid": item.guid,
        "link": item.link,
        "title": item.title.value,
        "title_detail": {"value": item.title.value},
        "summary": item.summary.value,
        "description": item.summary.value,
        "summary_detail": summary,
        "content": [{"value": item.content.value}],
        "authors": [{"name": name} for name in item.authors],
        "published_parsed": published,
        "updated_parsed": updated,
        "created_parsed": published,
    }


def _parts(moment: datetime | None) -> tuple[int, ...] | None:
    return tuple(moment.utctimetuple()) if moment else None


def cases(folder: Path) -> Iterator[tuple[str, bytes, str]]:
    """Each file with its name and its expectation."""
    for path in sorted(folder.rglob("*.xml")):
        body = path.read_bytes()
        expectation = _EXPECT.search(body)
        if expectation and not ELSEWHERE & set(path.parts):
            yield str(path.relative_to(folder)), body, expectation[1].decode("utf-8", "replace")


def outcomes(folder: Path) -> Mapping[str, bool]:
    """Whether each expectation that applies holds, by the file's name."""
    found = {}
    for name, body, expectation in cases(folder):
        try:
            values = told(read_xml_feed(body, base="http://127.0.0.1:8097/tests/" + name))
        except ReadError:
            values = {"entries": [], "feed": {"link": ""}}
        try:
            found[name] = holds(expectation, values)
        except (Inapplicable, SyntaxError):
            continue
    return found


def test_expectations_of_feedparser_hold(shared_data: Path) -> None:
    """All but the few that the data file explains, of those that speak of the fields we keep."""
    found = outcomes(shared_data / "feeds" / "feedparser" / "tests")
    assert len(found) >= FLOOR
    assert {name for name, held in found.items() if not held} == set(json.loads(KNOWN.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("expectation", "held"),
    [
        ("not bozo and entries[0]['title'] == 'A'", True),
        ("entries[0].title != 'A'", False),
        ("len(entries) == 1 and entries[0]['id'] == 'x'", False),
        ("entries[1]['id'] == 'x' or entries[0]['link'] is not None", True),
    ],
)
def test_expectations_are_read_as_written(expectation: str, held: bool) -> None:
    """Comparisons, subscripts, attributes, and, or, not."""
    values = {"entries": [{"title": "A", "id": "y", "link": ""}, {"id": "z"}]}
    assert holds(expectation, values) is held


@pytest.mark.parametrize("expectation", ["__import__('os').getpid() == 1", "entries.__class__ == 1", "not bozo"])
def test_nothing_else_is_run(expectation: str) -> None:
    """Calls and members that are none of the values do not apply."""
    with pytest.raises(Inapplicable):
        holds(expectation, {"entries": [{}]})
