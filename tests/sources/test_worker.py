"""The killable reader: same entries as in process, and no document ends more than its own reading."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import ReadError
from newsletter.model import Source
from newsletter.sources import Request, Response
from newsletter.sources.feed import FeedKind
from newsletter.sources.worker import Reader, open_reader

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOURCE = Source(name="blog", kind="feed", options={"url": "https://example.org/feed.xml"})
FEED = b"""<rss version="2.0"><channel><link>https://example.org/</link><item><title>A &amp; B</title><link>/a</link>
<author>me@example.org (A. Writer)</author><category>x</category><pubDate>Thu, 19 Nov 2026 10:00:00 GMT</pubDate>
<description>&lt;p&gt;Text \xc3\xa9&lt;/p&gt;</description></item></channel></rss>"""


def answer(body: bytes) -> Response:
    """As if fetched from the source's address."""
    url = "https://example.org/feed.xml"
    return Response(request=Request(url=url), url=url, body=body)


@dataclass(frozen=True)
class Fatal:
    """A task whose pickle kills whoever loads it: stands for a crash in a C library."""

    signal: int

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.abort if self.signal == signal.SIGABRT else os._exit, () if self.signal == signal.SIGABRT else (7,)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """One child for all tests of this module that do not change its limits."""
    with open_reader({"feed": FeedKind()}) as opened:
        yield opened


def test_the_entries_are_those_read_in_process(reader: Reader) -> None:
    """Dates, authors, tags and content come out of the child as they went in."""
    assert list(reader.read("feed", answer(FEED), SOURCE, now=NOW)) == FeedKind().read(answer(FEED), SOURCE, now=NOW)


def test_real_feeds_come_through_unchanged(reader: Reader, shared_data: Path) -> None:
    """The entries of whole real feeds are the same from the child."""
    for path in sorted((shared_data / "feeds" / "real_2026").glob("[0-5]*")):
        found = answer(path.read_bytes())
        assert list(reader.read("feed", found, SOURCE, now=NOW)) == FeedKind().read(found, SOURCE, now=NOW), path.name


def test_one_child_reads_many(reader: Reader) -> None:
    """A refused document does not cost the child."""
    reader.read("feed", answer(FEED), SOURCE, now=NOW)
    child = reader._child
    with pytest.raises(ReadError, match="got an HTML page, not a feed"):
        reader.read("feed", answer(b"<html><body>no</body></html>"), SOURCE, now=NOW)
    assert reader.read("feed", answer(FEED), SOURCE, now=NOW)
    assert reader._child is child


@pytest.mark.parametrize(("deadly", "said"), [(signal.SIGABRT, "SIGABRT"), (0, "exit status 7")])
def test_a_crash_is_named_and_survived(deadly: int, said: str) -> None:
    """What kills the child is a ReadError with the signal or the status; the next document is read."""
    kinds: dict[str, object] = {"feed": FeedKind(), "deadly": Fatal(deadly)}
    with open_reader(kinds) as reader:  # type: ignore[arg-type]  # a kind that is none
        with pytest.raises(ReadError, match=said):
            reader.read("deadly", answer(FEED), SOURCE, now=NOW)
        assert reader.read("feed", answer(FEED), SOURCE, now=NOW)


def test_a_document_that_takes_too_long_is_given_up() -> None:
    """What takes some seconds anywhere meets a shorter deadline, and the next document is read."""
    entry = b"<item><title>x</title><description>" + b"&lt;p&gt;" * 1_000 + b"</description></item>"
    endless = b"<rss><channel>" + entry * 1_500 + b"</channel></rss>"
    with open_reader({"feed": FeedKind()}, deadline=0.5) as reader:
        with pytest.raises(ReadError, match=r"more than 0\.5 seconds"):
            reader.read("feed", answer(endless), SOURCE, now=NOW)
        reader.deadline = 10
        assert reader.read("feed", answer(FEED), SOURCE, now=NOW)


def test_a_document_that_takes_too_much_memory_is_given_up() -> None:
    """The address space of the child is bounded, and the limit is named."""
    large = b"<rss><channel><item><title>" + b"x" * 40_000_000 + b"</title></item></channel></rss>"
    with open_reader({"feed": FeedKind()}, memory=200 << 20) as reader:
        with pytest.raises(ReadError, match="more than 200 MB of memory"):
            reader.read("feed", answer(large), SOURCE, now=NOW)
        assert reader.read("feed", answer(FEED), SOURCE, now=NOW)


def test_the_child_ends_with_the_block() -> None:
    """No process is left behind."""
    with open_reader({"feed": FeedKind()}) as reader:
        reader.read("feed", answer(FEED), SOURCE, now=NOW)
        child = reader._child
    assert child
    assert child.process.returncode is not None


def test_the_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of our environment is in the child's."""
    monkeypatch.setenv("SMTP_URL", "smtp://user:hunter2@example.org")
    with open_reader({"feed": FeedKind()}) as reader:
        reader.read("feed", answer(FEED), SOURCE, now=NOW)
        assert reader._child
        environment = Path(f"/proc/{reader._child.process.pid}/environ").read_bytes()
    assert b"PYTHONPATH" in environment
    assert b"hunter2" not in environment
