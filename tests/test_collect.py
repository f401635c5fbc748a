from __future__ import annotations

import json
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from newsletter.app import load_plugins
from newsletter.collect import collect
from newsletter.model import Collected, Source, SourceReport
from newsletter.sources import Fetch
from newsletter.sources.fetch import open_fetch
from newsletter.sources.worker import Reader
from newsletter.store import Store
from tests.builders import DAY, HOUR, MINUTE, NOON
from tests.sites import Page, Site, rss

KINDS = load_plugins().source_kinds
READER = Reader(KINDS)  # its child starts with the first document, and reads those of all tests


def teardown_module() -> None:
    """End that child."""
    READER.close()


@pytest.fixture
def fetch() -> Fetch:
    """Fetches from this machine, and does not wait long."""
    return open_fetch(allow=[ip_network("127.0.0.0/8")], user_agent="test", timeout=2)


def run(store: Store, fetch: Fetch, *sources: Source, now: datetime = NOON, insist: bool = False) -> Collected:
    """Collect from these sources."""
    return collect(sources, kinds=KINDS, fetch=fetch, read=READER.read, store=store, now=now, insist=insist)


def feed(url: str, name: str = "feed") -> Source:
    """A source of the kind `feed`."""
    return Source(name=name, kind="feed", options={"url": url})


def test_new_then_known(store: Store, fetch: Fetch, site: Site) -> None:
    """An entry is new the first time; the same bytes again are not even read."""
    site.pages["/feed"] = Page(rss(("One", "https://example.org/1"), ("Two", "https://example.org/2")))

    first = run(store, fetch, feed(site.url + "/feed"))
    second = run(store, fetch, feed(site.url + "/feed"), now=NOON + HOUR)
    site.pages["/feed"] = Page(rss(("One, edited", "https://example.org/1"), ("Three", "https://example.org/3")))
    third = run(store, fetch, feed(site.url + "/feed"), now=NOON + 2 * HOUR)

    assert first.sources == (SourceReport(source="feed", entries=2, new=2),)
    assert second.sources == (SourceReport(source="feed", unchanged=True),)
    assert third.sources == (SourceReport(source="feed", entries=2, new=1, changed=1),)


def test_a_server_that_knows_what_we_know(store: Store, fetch: Fetch, site: Site) -> None:
    """A 304 is an answer like any other: nothing changed."""
    site.pages["/feed"] = Page(rss(("One", "https://example.org/1")), etag='"1"')

    run(store, fetch, feed(site.url + "/feed"))
    again = run(store, fetch, feed(site.url + "/feed"))

    assert again.sources[0].unchanged
    assert again.failed == ()


def test_what_fails_is_a_line_in_the_report(store: Store, fetch: Fetch, site: Site) -> None:
    """Sources that are down, slow, HTML or nonsense are named with their reason; the others are collected."""
    site.pages["/good"] = Page(rss(("One", "https://example.org/1")))
    site.pages["/down"] = Page(status=503)
    site.pages["/html"] = Page(b"<!doctype html><html><body>Sign in</body></html>", content_type="text/html")
    site.pages["/junk"] = Page(b"\x00\x01\x02")
    site.pages["/slow"] = Page(stalls=True)
    names = ("down", "html", "junk", "slow", "good")

    collected = run(store, fetch, *(feed(f"{site.url}/{name}", name) for name in names))

    errors = {report.source: report.error for report in collected.sources}
    assert [report.source for report in collected.sources] == list(names)
    assert "503" in errors["down"]
    assert "HTML" in errors["html"]
    assert errors["junk"]
    assert "within 2 s" in errors["slow"]
    assert errors["good"] == ""
    assert collected.new == 1
    assert {health.name: health.failures for health in store.sources.list()} == {
        "down": 1, "html": 1, "junk": 1, "slow": 1, "good": 0
    }  # fmt: skip


def test_a_malformed_day_of_hugging_face(store: Store, fetch: Fetch, site: Site, shared_data: Path) -> None:
    """The real days whose payload is a list of Python text, or an object, are told as such; other days are read."""
    days = shared_data / "huggingface_daily"
    malformed = {"2024-12-11": "array of text", "2025-01-10": "object"}
    for day in ("2024-12-11", "2025-01-10", "2025-01-13"):
        body = (days / f"{day}.json").read_bytes()
        site.pages[f"/{day}/api/daily_papers"] = Page(body, content_type="application/json")
    sources = [
        Source(name=f"hf-{day}", kind="huggingface", options={"url": f"{site.url}/{day}", "date": day})
        for day in ("2024-12-11", "2025-01-10", "2025-01-13")
    ]

    collected = run(store, fetch, *sources)

    assert [bool(report.error) for report in collected.sources] == [True, True, False]
    assert collected.new == 5
    for report in collected.failed:
        assert report.source.removeprefix("hf-") in malformed
        assert "list" in report.error or "array" in report.error


def test_partly_failed(store: Store, fetch: Fetch, site: Site) -> None:
    """A source with several addresses keeps what the good ones gave and names the bad one."""
    paper = {"paper": {"id": "2611.00001", "title": "T", "summary": "S", "authors": [], "upvotes": 3}, "numComments": 1}
    site.pages["/api/daily_papers?date=2026-11-20"] = Page(
        json.dumps([paper]).encode(), content_type="application/json"
    )
    site.pages["/api/daily_papers"] = Page(status=500)

    collected = run(store, fetch, Source(name="hf", kind="huggingface", options={"url": site.url, "days": 2}))

    (report,) = collected.sources
    assert (report.entries, report.new) == (1, 1)
    assert "500" in report.error


def test_a_file_that_is_not_there(store: Store, fetch: Fetch, tmp_path: Path) -> None:
    """A listing whose files are missing is a line in the report, with the pattern."""
    source = Source(name="saved", kind="listing", options={"path": str(tmp_path / "*.txt")})

    collected = run(store, fetch, source)

    assert str(tmp_path) in collected.sources[0].error


def test_entries_are_stored_before_the_answer_counts_as_read(store: Store, fetch: Fetch, site: Site) -> None:
    """An answer that could not be read is read again next time, although its bytes are the same."""
    site.pages["/feed"] = Page(b"<html>", content_type="text/html")

    first = run(store, fetch, feed(site.url + "/feed"))
    second = run(store, fetch, feed(site.url + "/feed"), insist=True)

    assert first.failed
    assert second.failed
    assert "HTML" in second.failed[0].error


def test_a_source_that_fails_is_left_alone(store: Store, fetch: Fetch, site: Site) -> None:
    """After a failure a source is not asked for a while, longer after each, unless an operator insists."""
    site.pages["/feed"] = Page(status=500)
    source = feed(site.url + "/feed")
    run(store, fetch, source)
    resting = run(store, fetch, source, now=NOON + 4 * MINUTE)
    run(store, fetch, source, now=NOON + 5 * MINUTE)
    longer = run(store, fetch, source, now=NOON + 14 * MINUTE)
    insisted = run(store, fetch, source, now=NOON + 14 * MINUTE, insist=True)
    site.pages["/feed"] = Page(rss(("One", "https://example.org/1")))
    mended = run(store, fetch, source, now=NOON + 2 * HOUR)

    assert len(site.asked) == 4
    assert "left alone until 2026-11-20 12:05 UTC after 1 failure, the last: " in resting.failed[0].error
    assert "after 2 failures" in longer.failed[0].error
    assert insisted.failed[0].error.endswith("500 Internal Server Error")
    assert mended.failed == ()
    assert store.sources.resting(now=NOON) == {}


def test_a_server_that_asks_for_time_gets_it(store: Store, fetch: Fetch, site: Site) -> None:
    """Retry-After is heeded; a source that is gone is not asked again by itself."""
    site.pages["/busy"] = Page(status=429, retry_after="7200")
    site.pages["/gone"] = Page(status=410)
    run(store, fetch, feed(site.url + "/busy", "busy"), feed(site.url + "/gone", "gone"))

    rests = {health.name: health.rests_until for health in store.sources.list()}
    assert rests["busy"] == NOON + 2 * HOUR
    assert set(store.sources.resting(now=NOON + timedelta(days=1000))) == {"gone"}
    told = run(store, fetch, feed(site.url + "/gone", "gone"), now=NOON + 30 * DAY)
    assert "remove it, or give its new address" in told.sources[0].error


def test_a_feed_is_not_asked_before_it_has_something_new(store: Store, fetch: Fetch, site: Site) -> None:
    """By its own word, in headers or in the document; that is no failure, and an operator may ask all the same."""
    body = rss(("One", "https://example.org/1"))
    site.pages["/header"] = Page(body, headers={"Cache-Control": "max-age=3600"})
    hints = b"<skipHours><hour>13</hour></skipHours><ttl>60</ttl>"
    site.pages["/document"] = Page(body.replace(b"<title>Feed</title>", hints))
    sources = [feed(site.url + "/header", "header"), feed(site.url + "/document", "document")]
    run(store, fetch, *sources)
    early = run(store, fetch, *sources, now=NOON + 59 * MINUTE)
    asked_early = len(site.asked)
    later = run(store, fetch, *sources, now=NOON + HOUR)
    insisted = run(store, fetch, *sources, now=NOON + HOUR, insist=True)

    assert asked_early == 2
    assert early.failed == ()
    assert [report.unchanged for report in early.sources] == [True, True]
    assert "nothing new comes before 2026-11-20 13:00 UTC" in early.sources[0].note
    assert "nothing new comes before 2026-11-20 14:00 UTC" in early.sources[1].note
    assert [bool(report.note) for report in later.sources] == [False, True]
    assert [bool(report.note) for report in insisted.sources] == [False, False]
    assert store.sources.list()[0].rests_until == NOON + 2 * HOUR  # what the document said holds though it is the same


def test_a_feed_that_moved_for_good_is_asked_where_it_is(store: Store, fetch: Fetch, site: Site) -> None:
    """After three days that say the same, and until it is not there any more; the owner hears of it."""
    site.pages["/old"] = Page(status=301, headers={"Location": "/new"})
    site.pages["/new"] = Page(rss(("One", "https://example.org/1")), etag='"1"')
    source = feed(site.url + "/old")
    notes = [run(store, fetch, source, now=NOON + day * DAY).sources[0].note for day in range(4)]
    asked = list(site.asked)
    site.pages["/new"] = Page(status=404)
    gone = run(store, fetch, source, now=NOON + 4 * DAY)
    back = run(store, fetch, source, now=NOON + 5 * DAY)

    assert asked == ["/old", "/new"] * 3 + ["/new"]
    assert [bool(note) for note in notes] == [False, False, True, True]
    assert f"write {site.url}/new in its place" in notes[-1]
    assert gone.failed
    assert back.failed
    assert site.asked[-3:] == ["/new", "/old", "/new"]


def test_a_move_to_what_cannot_be_read_is_no_move(store: Store, fetch: Fetch, site: Site) -> None:
    """A feed whose address now leads to a page for people is not followed there for good."""
    site.pages["/old"] = Page(status=301, headers={"Location": "/sold"})
    site.pages["/sold"] = Page(b"<!doctype html><html><body>For sale</body></html>", content_type="text/html")
    for day in range(5):
        run(store, fetch, feed(site.url + "/old"), now=NOON + day * DAY, insist=True)

    assert site.asked == ["/old", "/sold"] * 5


def test_what_a_source_costs_is_kept(store: Store, fetch: Fetch, site: Site) -> None:
    """The bytes of its last answer that had any."""
    body = rss(("One", "https://example.org/1"))
    site.pages["/feed"] = Page(body, etag='"1"')
    run(store, fetch, feed(site.url + "/feed"))
    run(store, fetch, feed(site.url + "/feed"), now=NOON + HOUR)

    assert [health.size for health in store.sources.list()] == [len(body)]


def test_a_new_feed_does_not_flood(store: Store, fetch: Fetch, site: Site) -> None:
    """The past of a feed is known from its first day on, and told to nobody; what it adds later is."""
    old = tuple((f"Post {number}", f"https://example.org/{number}") for number in range(30))
    site.pages["/feed"] = Page(rss(*old))
    first = run(store, fetch, feed(site.url + "/feed"))
    site.pages["/feed"] = Page(rss(("Fresh", "https://example.org/fresh"), *old))
    second = run(store, fetch, feed(site.url + "/feed"), now=NOON + HOUR)

    candidates = store.entries.candidates(["feed"], since=NOON - HOUR, until=NOON + HOUR)
    assert first.sources == (SourceReport(source="feed", entries=30, new=30, past=20),)
    assert second.sources == (SourceReport(source="feed", entries=31, new=1),)
    assert len(candidates) == 11
    assert candidates[-1].entry.title == "Fresh"


def test_what_sources_leave_out_is_looked_up(store: Store, fetch: Fetch, site: Site) -> None:
    """A paper that a blog only names gets its abstract and authors from arXiv, when it answers, and once."""
    answer = Path(__file__).parent / "data" / "lookups" / "arxiv" / "papers" / "answer.xml"
    site.pages["/feed"] = Page(rss(("On cups", "https://arxiv.org/abs/2611.00001"), ("A post", "https://example.org/")))
    site.pages["/rss"] = Page(rss())
    site.pages["/api"] = Page(b"Rate exceeded.\n")
    options = {"categories": ("cs.CL",), "url": site.url + "/rss", "enrich": True, "api": site.url + "/api"}
    sources = feed(site.url + "/feed"), Source(name="arxiv", kind="arxiv", options=options)
    busy = run(store, fetch, *sources)
    site.pages["/api"] = Page(answer.read_bytes())
    run(store, fetch, *sources, now=NOON + HOUR)
    site.asked.clear()
    run(store, fetch, *sources, now=NOON + 2 * HOUR)
    paper, _ = store.entries.candidates(["feed"], since=NOON - HOUR, until=NOON)

    assert busy.failed == ()
    assert "Rate exceeded" in busy.sources[1].note
    assert site.asked == ["/feed", "/rss/cs.CL"]
    assert paper.entry.source == "feed"
    assert paper.entry.title == "On cups"
    assert paper.entry.summary
    assert paper.entry.authors


def test_progress_hears_of_every_source(store: Store, fetch: Fetch, site: Site) -> None:
    """Whoever looks on is told of each source once, good or bad."""
    site.pages["/feed"] = Page(rss(("One", "https://example.org/1")))
    heard: list[str] = []

    collect(
        [feed(site.url + "/feed", "good"), feed(site.url + "/missing", "bad")],
        kinds=KINDS,
        fetch=fetch,
        read=READER.read,
        store=store,
        now=NOON,
        progress=lambda report: heard.append(report.source),
    )

    assert sorted(heard) == ["bad", "good"]
