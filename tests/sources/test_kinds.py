from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import SourceError
from newsletter.model import Source
from newsletter.registry import Registry
from newsletter.sources import Kind
from newsletter.sources.kinds import register

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KINDS = ("feed", "arxiv", "huggingface", "listing", "folder", "readers")


def kind(name: str) -> Kind:
    """A built-in kind by its name."""
    registry = Registry()
    register(registry)
    found: Kind = registry.source_kinds[name]
    return found


def asked(name: str, *, now: datetime = NOW, **options: Any) -> list[str]:
    """The addresses that a source of this kind asks for."""
    source = Source(name="s", kind=name, options=options)
    return [request.address for request in kind(name).requests(source, now=now)]


def test_the_built_in_kinds_are_registered() -> None:
    """The six kinds of the documentation are there, and no other."""
    registry = Registry()
    register(registry)
    assert tuple(registry.source_kinds) == KINDS


@pytest.mark.parametrize("name", KINDS)
def test_every_option_is_explained(name: str) -> None:
    """Each option has one line of help."""
    for option in kind(name).options.values():
        assert option.help
        assert "\n" not in option.help


@pytest.mark.parametrize(
    ("name", "options", "wrong"),
    [
        ("feed", {"url": "https://example.org/"}, []),
        ("feed", {"path": "saved/*.xml"}, []),
        ("feed", {}, ["url"]),
        ("feed", {"url": "https://example.org/", "path": "x"}, ["path"]),
        ("feed", {"url": "ftp://example.org/"}, ["url"]),
        ("feed", {"url": "https://user:secret@example.org/"}, ["url"]),
        ("arxiv", {"categories": ("cs.CL", "hep-th", "cond-mat.mes-hall", "q-bio.NC")}, []),
        ("arxiv", {"categories": "cs.CL"}, []),
        ("arxiv", {"categories": ("cs.CL/../x", "cs.CL+cs.AI")}, ["categories", "categories"]),
        ("arxiv", {"categories": ("cs.CL",), "announce": ("new", "old")}, ["announce"]),
        ("arxiv", {"categories": ("cs.CL",), "url": "rss.arxiv.org"}, ["url"]),
        ("arxiv", {}, ["categories"]),
        ("arxiv", {"categories": ("cs.CL",), "path": "x"}, ["path"]),
        ("huggingface", {}, []),
        ("huggingface", {"days": 0}, ["days"]),
        ("huggingface", {"days": 32}, ["days"]),
        ("huggingface", {"date": "2026-02-30"}, ["date"]),
        ("huggingface", {"list": "weekly"}, []),
        ("huggingface", {"list": "daily", "days": 7}, []),
        ("huggingface", {"list": "monthly"}, ["list"]),
        ("huggingface", {"list": "weekly", "days": 7, "date": "2026-02-28"}, ["days", "date"]),
        ("huggingface", {"list": "trending", "days": 7}, ["days"]),
        ("huggingface", {"date": "2026-02-28", "days": 7, "url": "http://127.0.0.1:8000"}, []),
        ("listing", {"path": "x", "year": 2025}, []),
        ("listing", {"path": "x", "year": 25}, ["year"]),
    ],
)
def test_mistakes_in_options_are_found(name: str, options: dict[str, Any], wrong: list[str]) -> None:
    """`check` names every option that is wrong, and nothing that is right; it never repeats a password."""
    problems = kind(name).check(options)
    assert [problem.key for problem in problems] == wrong
    assert "secret" not in str(problems)


def test_a_feed_is_asked_for_at_its_address() -> None:
    """One request for the address."""
    assert asked("feed", url="https://example.org/feed.xml") == ["https://example.org/feed.xml"]


def test_arxiv_is_asked_once_for_all_categories() -> None:
    """The terms of arXiv want few requests: the categories are joined with `+`."""
    assert asked("arxiv", categories=("cs.CL", "cs.CV")) == ["https://rss.arxiv.org/rss/cs.CL+cs.CV"]
    assert asked("arxiv", categories="cs.CL", url="http://127.0.0.1:9/rss/") == ["http://127.0.0.1:9/rss/cs.CL"]


def test_hugging_face_is_asked_for_the_last_utc_days() -> None:
    """A window of four UTC days ends today, whatever the zone of `now`."""
    api = "https://huggingface.co/api/daily_papers?date="
    late = datetime(2026, 3, 1, 23, tzinfo=timezone(timedelta(hours=-5)))
    assert asked("huggingface", now=late) == [
        api + day for day in ("2026-03-02", "2026-03-01", "2026-02-28", "2026-02-27")
    ]
    assert asked("huggingface", days=1) == [api + "2026-11-20"]


def test_a_fixed_day_is_asked_for_alone_and_never_ahead_of_time() -> None:
    """`date` replaces the window; the API refuses days to come, so they are not asked for."""
    assert asked("huggingface", date="2026-02-05", url="http://127.0.0.1:9/") == [
        "http://127.0.0.1:9/api/daily_papers?date=2026-02-05"
    ]
    assert asked("huggingface", date="2026-11-21") == []


@pytest.mark.parametrize("name", [name for name in KINDS if name != "readers"])
def test_saved_files_are_read_in_order(name: str, tmp_path: Path) -> None:
    """A pattern gives its files by name, without folders."""
    for file in ("b.txt", "a.txt", "c.xml"):
        (tmp_path / file).touch()
    (tmp_path / "d.txt").mkdir()
    assert asked(name, path=str(tmp_path / "*.txt")) == [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]


@pytest.mark.parametrize("name", [name for name in KINDS if name not in {"folder", "readers"}])
def test_a_pattern_without_files_is_an_error(name: str, tmp_path: Path) -> None:
    """A misspelled path is told, not taken for an empty source."""
    with pytest.raises(SourceError, match=r"no file matches '.*none-\*\.txt'"):
        asked(name, path=str(tmp_path / "none-*.txt"))


def test_the_weekly_list_is_asked_for_with_the_week_before() -> None:
    """A week has hardly begun on its Monday: the one before is asked for too, by its ISO number."""
    monday = datetime(2027, 1, 4, 6, tzinfo=UTC)
    assert asked("huggingface", now=monday, list="weekly", url="https://example.org/") == [
        "https://example.org/api/daily_papers?week=2027-W01&limit=100",
        "https://example.org/api/daily_papers?week=2026-W53&limit=100",
    ]


def test_the_trending_list_is_asked_for_without_a_day() -> None:
    """What trends is one list, whatever the day."""
    assert asked("huggingface", list="trending") == ["https://huggingface.co/api/daily_papers?sort=trending&limit=100"]
