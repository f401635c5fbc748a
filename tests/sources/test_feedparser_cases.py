"""feedparser's own cases, as far as they speak of what an `Item` holds; each expectation is read, never run."""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from newsletter.errors import ReadError
from newsletter.sources.clean import safe_html
from newsletter.sources.item import Document, Item, Text
from newsletter.sources.xmlfeed import read_xml_feed

pytestmark = pytest.mark.shared
ELSEWHERE = {"sanitize"}  # by other rules than feedparser's; see the last test
FLOOR = 598
KNOWN = Path(__file__).parents[1] / "data" / "sources" / "agreement" / "feedparser_cases.json"
_EXPECT = re.compile(rb"Expect:\s*(.*?)(?:-->|\n)", re.DOTALL)
ACTIVE = re.compile(
    r"<\s*(?:script|style|iframe|frame|form|input|object|embed|applet|base|meta|link|svg|math)\b"
    r"|<[^>]*(?:\son\w+\s*=|\sstyle\s*=|javascript:|vbscript:|data:)",
    re.IGNORECASE,
)
_LOCATION = re.compile(rb"Header:\s+Content-Location:\s*(\S+)")
_HEADERS = {"bozo", "bozo_exception", "version", "encoding"}


class Inapplicable(Exception):
    """The expectation speaks of something that we do not keep."""


@dataclass(frozen=True)
class Markup:
    """HTML as a feed has it, and the address that its relative links refer to."""

    value: str
    base: str

    def __str__(self) -> str:
        return self.value

    def says(self, expected: str) -> bool:
        """Whether the two are the same as they stand, or once they have been cleaned: feedparser's are."""
        return self.value == expected or safe_html(self.value, base=self.base) == safe_html(expected, base=self.base)


def is_same(told: Any, expected: Any) -> bool:
    """Whether a value is what a case expects."""
    return told.says(expected) if isinstance(told, Markup) else bool(told == expected)


_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: is_same,
    ast.NotEq: lambda told, expected: not is_same(told, expected),
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


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


class Absent:
    """What stands where a case expects an entry, an author or a tag that we do not give: equal to nothing."""

    def __getitem__(self, key: object) -> Absent:
        if key in KEPT:
            return self
        raise Inapplicable


def _found(holder: Any, key: Any) -> Any:
    try:
        return holder[key]
    except (KeyError, TypeError):
        raise Inapplicable from None
    except IndexError:
        return Absent()


def told(document: Document) -> Mapping[str, Any]:
    """What we keep of a feed, by feedparser's names for it."""
    title = _value_of(document.title)
    feed = {"link": document.home, "title": title, "title_detail": {"value": title}}
    return {"entries": [_entry(item) for item in document.items], "feed": feed}


def _value_of(text: Text) -> Markup | str:
    return Markup(text.value, text.base) if text.is_html else text.value


def _entry(item: Item) -> Mapping[str, Any]:
    published, updated = _parts(item.published), _parts(item.updated)
    title, summary, content = map(_value_of, (item.title, item.summary, item.content))
    return {
        "id": item.guid,
        "guid": item.guid,
        "link": item.link,
        "title": title,
        "title_detail": {"value": title},
        "summary": summary,
        "description": summary,
        "summary_detail": {"value": summary},
        "content": [{"value": content}],
        "authors": [{"name": name} for name in item.authors],
        "author_detail": {"name": item.authors[-1] if item.authors else None},
        "tags": [{"term": tag} for tag in item.tags],
        "category": item.tags[0] if item.tags else None,
        "published_parsed": published,
        "updated_parsed": updated,
        "created_parsed": published,
    }


def _parts(moment: datetime | None) -> tuple[int, ...] | None:
    return tuple(moment.utctimetuple()) if moment else None


KEPT = {*_entry(Item()), "name", "term", "value"}


def cases(folder: Path) -> Iterator[tuple[str, bytes, str]]:
    """Each file with its name and its expectation."""
    for path in sorted(folder.rglob("*.xml")):
        body = path.read_bytes()
        expectation = _EXPECT.search(body)
        if expectation and not ELSEWHERE & set(path.parts):
            yield str(path.relative_to(folder)), body, expectation[1].decode("utf-8", "replace")


def _address(name: str, body: bytes) -> str:
    """Where a case comes from: some say so in a header, and one of them a script."""
    header = _LOCATION.search(body)
    told: str = header[1].decode() if header else ""
    return urljoin(f"http://127.0.0.1:8097/tests/{name}", "" if told.startswith("javascript:") else told)


def answer(name: str, body: bytes, expectation: str) -> str | None:
    """What we give where the expectation does not hold; None where it does."""
    refused = ""
    try:
        document = read_xml_feed(body, base=_address(name, body))
    except ReadError as error:
        document, refused = Document(), f"refused: {error}"
    values = told(document)
    return None if holds(expectation, values) else refused or _instead(expectation, values)


def _instead(expectation: str, values: Mapping[str, Any]) -> str:
    terms = [term for term in _terms(ast.parse(expectation.strip(), mode="eval").body) if isinstance(term, ast.Compare)]
    return next(str(_value(term.left, values)) for term in terms if not _value(term, values))


def test_expectations_of_feedparser_hold(shared_data: Path) -> None:
    """All but the few that the data file explains, of those that speak of what we keep.

    The file says what each of those few expects, what we give in its place, and why.
    """
    answers: dict[str, tuple[str, str | None]] = {}
    for name, body, expectation in cases(shared_data / "feeds" / "feedparser" / "tests"):
        with suppress(Inapplicable, SyntaxError):
            answers[name] = expectation.strip(), answer(name, body, expectation)
    assert len(answers) >= FLOOR
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    assert {name: found for name, (_, found) in answers.items() if found is not None} == {
        name: one["gives"] for name, one in known.items()
    }
    assert {name: answers[name][0] for name in known} == {name: one["expects"] for name, one in known.items()}
    assert all(one["why"] for one in known.values())


def test_what_feedparser_makes_harmless_is_harmless_here(shared_data: Path) -> None:
    """Its own cases of active markup: none of it is left once we have cleaned them."""
    read = 0
    for path in sorted((shared_data / "feeds" / "feedparser" / "tests" / "wellformed" / "sanitize").glob("*.xml")):
        for item in read_xml_feed(path.read_bytes()).items:
            for text in (item.title, item.summary, item.content):
                read += bool(text.value)
                assert not ACTIVE.search(safe_html(text.value)), path.name
    assert read > 600


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
