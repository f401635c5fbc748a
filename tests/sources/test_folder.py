from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ReadError, SourceError
from newsletter.model import Entry, Source
from newsletter.sources import Request, Response
from newsletter.sources.folder import FolderKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = ("title", "url", "id", "summary", "content", "authors", "published", "updated", "tags", "image", "upvotes")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)


def source(pattern: object) -> Source:
    """A source of dropped files."""
    return Source(name="inbox", kind="folder", options={"path": str(pattern)})


def read(body: bytes) -> list[Entry]:
    """The entries of a file."""
    response = Response(request=Request(path=Path("inbox/x.json")), url="inbox/x.json", body=body)
    return list(FolderKind().read(response, source("inbox/*"), now=NOW))


def test_an_empty_folder_is_no_mistake(tmp_path: Path) -> None:
    """Nothing dropped yet is nothing new; files that do not match the pattern are not asked for."""
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")

    assert FolderKind().requests(source(tmp_path / "*.json"), now=NOW) == ()


@pytest.mark.parametrize("pattern", ["missing/*.json", "entries.json"])
def test_a_folder_or_file_that_is_not_there_is_a_mistake(tmp_path: Path, pattern: str) -> None:
    """A misspelled folder, or a file named outright, does not pass for an empty inbox."""
    with pytest.raises(SourceError, match="no file matches"):
        FolderKind().requests(source(tmp_path / pattern), now=NOW)


def test_every_dropped_file_is_asked_for(tmp_path: Path) -> None:
    """Files are read in the order of their names."""
    for name in ("b.json", "a.json", "c.txt"):
        (tmp_path / name).write_text("[]", encoding="utf-8")

    requests = FolderKind().requests(source(tmp_path / "*.json"), now=NOW)

    assert [request.path.name for request in requests if request.path] == ["a.json", "b.json"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'[{"title": ' + b"9" * 5000 + b"}]", b"\xff\xfe\x00", b"\x00"])
def test_hostile_bytes_are_a_mistake_of_the_file(body: bytes) -> None:
    """Deep nesting, endless numbers and binary rubbish end in a ReadError that names the file."""
    with pytest.raises(ReadError, match="inbox/x.json:1: is not JSON"):
        read(body)


@settings(deadline=None, max_examples=75)
@given(VALUES)
def test_any_json_is_entries_or_a_mistake(value: object) -> None:
    """Whatever JSON a program writes, it is read as clean entries or refused with a ReadError."""
    refused = None
    entries = []
    try:
        entries = read(json.dumps(value).encode())
    except ReadError as error:
        refused = str(error)

    assert refused is None or refused.startswith("inbox/x.json:1: ")
    assert all(entry.title and entry.url.startswith("http") and entry.key for entry in entries)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), max_size=5))
def test_lists_and_lines_say_the_same(titles: list[str]) -> None:
    """Entries are the same whether they stand in a list or on lines."""
    values = [{"title": title, "url": f"https://example.org/{number}"} for number, title in enumerate(titles)]
    lines = "\n".join(json.dumps(value, ensure_ascii=False) for value in values).encode()

    assert read(json.dumps(values).encode()) == read(lines)
