"""Documents made to hurt: each ends in time, in bounded memory and with a reason; the next feed is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from newsletter.errors import ReadError
from newsletter.model import Entry, Source
from newsletter.sources import Request, Response
from newsletter.sources.clean import SUMMARY
from newsletter.sources.feed import MOST, FeedKind
from newsletter.sources.worker import DEADLINE, Reader, open_reader
from tests.sources.hostile import CASES, titled

pytestmark = pytest.mark.long

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "https://example.org/feed.xml"
SOURCE = Source(name="hostile", kind="feed", options={"url": URL})
ACTIVE = re.compile(r"<\s*(?:script|style|iframe|form|base|meta|svg|math)|\son\w+\s*=|javascript:", re.IGNORECASE)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """One reader for all, so that each case also shows that the one before did no harm."""
    patient = 3 * DEADLINE  # other tests run meanwhile
    with open_reader({"feed": FeedKind()}, deadline=patient, memory=512 << 20) as opened:
        yield opened


def read(reader: Reader, body: bytes) -> tuple[Sequence[Entry], str]:
    """The entries of a document that came from the source's address, and the reason where it is refused."""
    try:
        return reader.read("feed", Response(request=Request(url=URL), url=URL, body=body), SOURCE, now=NOW), ""
    except ReadError as error:
        return (), str(error)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_document_harms_nothing(reader: Reader, name: str) -> None:
    """It is refused for the reason given, or read into harmless entries; the child it is read in outlives it."""
    case = CASES[name]
    entries, reason = read(reader, case.make())
    assert not re.search("took|broke", reason)
    if case.refused:
        assert case.refused in reason
    assert len(reason) < 300
    assert case.kept in "".join(entry.title + entry.summary for entry in entries), reason
    assert len(entries) <= MOST
    for entry in entries:
        assert "root:" not in entry.title + entry.summary + entry.content
        assert not ACTIVE.search(entry.content)
        assert re.fullmatch(r"https?://[!-~]+", entry.url)
        assert all(line.isprintable() for line in (entry.title, entry.summary, entry.guid, *entry.authors))
        assert len(entry.title) <= 1_001
        assert len(entry.summary) <= SUMMARY + 1
        assert len(entry.content) < 1_000_000
        assert len(entry.authors) <= 1_000
        assert all(len(line) <= 2_000 for line in (entry.guid, *entry.authors, *entry.tags))
        assert entry.published is None or entry.published <= NOW
    assert [entry.title for entry in read(reader, titled("next"))[0]] == ["next"]
