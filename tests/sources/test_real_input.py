"""The kinds on real input, where the team's collection is there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from newsletter.errors import ReadError
from newsletter.model import Entry, Source
from newsletter.sources import Kind, Request, Response
from newsletter.sources.arxiv import ArxivKind
from newsletter.sources.feed import FeedKind
from newsletter.sources.huggingface import HuggingFaceKind
from newsletter.sources.listing import ListingKind

pytestmark = [pytest.mark.shared, pytest.mark.long]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def read(kind: Kind, path: Path, *, url: str = "", **options: object) -> Sequence[Entry]:
    """The entries that a kind reads from a file, as if it had come from `url`."""
    response = Response(request=Request(path=path), url=url or str(path), body=path.read_bytes())
    return kind.read(response, Source(name="real", kind="real", options=options), now=NOW)


def test_every_paper_of_the_saved_listings_is_read(shared_data: Path) -> None:
    """468 papers, 396 of them distinct, each with an abstract; what stands beside them is told."""
    pages = {path.name[:3]: read(ListingKind(), path) for path in sorted((shared_data / "listings").glob("*.txt"))}
    assert {name: len(page) for name, page in pages.items()} == {"000": 37, "001": 247, "002": 103, "003": 81}
    entries = [entry for page in pages.values() for entry in page]
    assert len({entry.key for entry in entries}) == 396
    assert min(len(entry.summary) for entry in entries) > 400
    assert max(len(entry.title) for entry in entries) < 150
    assert {name: sum(entry.author_count is not None for entry in page) for name, page in pages.items()} == {
        "000": 36, "001": 0, "002": 0, "003": 78,
    }  # fmt: skip
    assert pages["001"][0].title == "TP-Aware Dequantization"


def test_the_days_of_the_saved_listings_are_right(shared_data: Path) -> None:
    """A page leaves out its own year; entries without year are not after the page."""
    pages = {path.name[:3]: read(ListingKind(), path) for path in sorted((shared_data / "listings").glob("*.txt"))}
    assert {name: page[0].listed for name, page in pages.items()} == {
        "000": date(2026, 2, 12),
        "001": None,
        "002": date(2026, 7, 29),
        "003": date(2025, 11, 11),
    }
    for page in (pages["000"], pages["003"]):
        assert sum(entry.published is not None for entry in page) == sum(
            entry.author_count is not None for entry in page
        )
        assert all(entry.published.date() <= entry.listed for entry in page if entry.published and entry.listed)


def test_every_day_of_daily_papers_is_read_or_refused_clearly(shared_data: Path) -> None:
    """105 days over two years give their papers; the two malformed ones say what they are."""
    refused = {}
    entries: list[Entry] = []
    for path in sorted((shared_data / "huggingface_daily").glob("*.json")):
        try:
            found = read(HuggingFaceKind(), path)
        except ReadError as error:
            refused[path.stem] = str(error)
            continue
        assert {entry.listed for entry in found} <= {date.fromisoformat(path.stem)}
        entries += found
    assert list(refused) == ["2024-12-11", "2025-01-10"]
    assert "found a list of 26, none of them a paper; the first: the text \"{'paper'" in refused["2024-12-11"]
    assert "found an object with the keys status, date, count, data" in refused["2025-01-10"]
    assert len(entries) == 1621
    assert all(entry.key.startswith("arxiv:") and entry.published and entry.summary for entry in entries)
    assert not any("\n" in entry.title + entry.summary for entry in entries)


def test_hidden_authors_are_counted_and_not_shown(shared_data: Path) -> None:
    """Real answers hide some authors: there are more authors than names."""
    entries = [
        entry
        for path in (shared_data / "huggingface_daily").glob("202[56]-*.json")
        if path.stem != "2025-01-10"
        for entry in read(HuggingFaceKind(), path)
    ]
    assert any((entry.author_count or 0) > len(entry.authors) for entry in entries)
    assert all((entry.author_count or 0) >= len(entry.authors) for entry in entries)


def test_real_arxiv_feeds_are_read(shared_data: Path) -> None:
    """A holiday is empty, a replacement left out; an ordinary day gives papers with ids, authors and abstracts."""
    folder = shared_data / "arxiv_rss"
    assert read(ArxivKind(), folder / "rss-physics-2025-12-31-empty.xml") == []
    assert read(ArxivKind(), folder / "rss-math.OC-from-spec.xml") == []
    (replaced,) = read(ArxivKind(), folder / "rss-math.OC-from-spec.xml", announce=("replace-cross",))
    assert (replaced.key, replaced.aliases[0]) == ("arxiv:2203.01250", "doi:10.5802/jep.257")
    papers = read(ArxivKind(), folder / "rss-rebuilt-2025-12-12.xml")
    assert len(papers) == len({paper.key for paper in papers}) == 334
    assert all(paper.authors and paper.tags and paper.summary for paper in papers)
    assert not any("Announce Type" in paper.summary for paper in papers)
    assert {paper.listed for paper in papers} == {date(2025, 12, 12)}


def test_whole_real_feeds_are_read(shared_data: Path) -> None:
    """All whole feeds give entries with title and address, and one key to those only that are one thing."""
    folder = shared_data / "feeds" / "real_2026"
    index = [line.split("\t") for line in (folder / "index.tsv").read_text(encoding="utf-8").splitlines()]
    for name, url in [(name, url) for name, _, url in index if (folder / name).exists()]:
        entries = read(FeedKind(), folder / name, url=url)
        assert entries
        assert all(entry.title and entry.url.startswith("http") for entry in entries), name
        told = {(entry.key, entry.title, entry.url) for entry in entries}
        assert len(told) == len({entry.key for entry in entries}), name


@pytest.mark.parametrize("kind", [FeedKind(), ArxivKind(), HuggingFaceKind(), ListingKind()])
def test_test_feeds_of_other_projects_raise_nothing_else(shared_data: Path, kind: Kind) -> None:
    """Thousands of well- and ill-formed files of other readers give entries or a ReadError, whatever the kind."""
    for path in sorted((shared_data / "feeds").rglob("*")):
        if path.is_file() and "real_2026" not in path.parts:
            with suppress(ReadError):
                read(kind, path)
