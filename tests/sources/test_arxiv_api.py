"""Asking arXiv about papers by their ids. Its answers are cases as folders: `tests/data/lookups/arxiv/<case>/`.

Each holds an answer and `expected.json`: `rule` (what the case is about), `asked` (the ids), and either `error` or
`entries`, of which only the fields given are compared; null is a field that is left empty.
"""

from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.app import load_plugins
from newsletter.codec import encode
from newsletter.errors import FetchError, ReadError
from newsletter.model import Entry, Source
from newsletter.sources import Lookup, Request, Response
from newsletter.sources.arxiv import ArxivKind
from newsletter.sources.arxiv_api import API, MOST, asked_about, lookups
from newsletter.sources.clean import LONGEST_URL
from newsletter.sources.fetch import open_fetch
from newsletter.sources.worker import open_reader
from newsletter.store import Store
from tests.builders import HOUR, NOON, an_entry
from tests.sites import Page, Site

DATA = Path(__file__).parents[1] / "data"
CASES = DATA / "lookups" / "arxiv"
SOURCE = Source(name="arxiv-ai", kind="arxiv", options={"categories": ("cs.CL",), "enrich": True})

digits = st.text("0123456789", min_size=3, max_size=7)
keys = st.one_of(
    st.builds("arxiv:26{:02d}.{:05d}".format, st.integers(1, 12), st.integers(1, 99999)),
    st.builds("arxiv:cond-mat/0512{:03d}".format, st.integers(1, 999)),
    st.builds("arxiv:{:02d}{:02d}.{}".format, st.integers(0, 99), st.integers(0, 13), digits),
    st.builds("arxiv:{}/{}".format, st.sampled_from(["cs", "math.GT", "nobody", "x" * 3000]), digits),
    st.text().map("arxiv:{}".format),
    st.text(),
)


def answer(body: bytes, *asked: str) -> Response:
    """What the API says when it is asked about these ids."""
    url = f"{API}?id_list={','.join(asked)}&max_results={len(asked)}"
    return Response(request=Request(url=url), url=url, body=body)


def read(body: bytes, *asked: str) -> list[Entry]:
    """The entries in an answer."""
    return list(ArxivKind().read(answer(body, *asked), SOURCE, now=NOON))


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_case(case: Path) -> None:
    """Each folder's `rule` holds."""
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    body = (case / "answer.xml").read_bytes()
    if "error" in expected:
        with pytest.raises(ReadError) as caught:
            read(body, *expected["asked"])
        assert str(caught.value) == expected["error"], expected["rule"]
        return
    found: list[dict[str, Any]] = [json.loads(encode(entry)) for entry in read(body, *expected["asked"])]

    assert len(found) == len(expected["entries"]), expected["rule"]
    for entry, told in zip(found, expected["entries"], strict=True):
        assert {name: entry.get(name) for name in told} == told, expected["rule"]


# --- what is asked --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("arxiv:2611.00001", "2611.00001"),
        ("arxiv:0704.0001", "0704.0001"),
        ("arxiv:1412.9999", "1412.9999"),
        ("arxiv:1501.00001", "1501.00001"),
        ("arxiv:hep-th/9901001", "hep-th/9901001"),
        ("arxiv:math/0309136", "math/0309136"),
        ("arxiv:cs/0703999", "cs/0703999"),
        ("arxiv:1412.10000", ""),  # numbers have had five digits since 2015
        ("arxiv:1501.0001", ""),
        ("arxiv:0703.0001", ""),  # ids began with an archive until March 2007
        ("arxiv:cs/0704001", ""),
        ("arxiv:2613.00001", ""),
        ("arxiv:cs/9913001", ""),
        ("arxiv:2611.00000", ""),
        ("arxiv:stat/0603001", ""),  # an archive that is younger than such ids
        ("arxiv:nobody/0603001", ""),
        ("arxiv:2611.00001&max_results=9999", ""),
        ("arxiv:", ""),
        ("doi:10.48550/arxiv.2611.00001", ""),
        ("url:https://arxiv.org/abs/2611.00001", ""),
    ],
)
def test_only_what_arxiv_takes_for_an_id_is_asked_for(key: str, asked: str) -> None:
    """A single other one would cost the answer about all."""
    expected = [f"{API}?id_list={asked}&max_results=1"] if asked else []

    assert [request.url for request in lookups([key])] == expected


def test_a_hundred_papers_in_a_request() -> None:
    """Many papers are asked for in few requests, each once, and the API is told how many it may answer with."""
    papers = [f"2611.{number:05d}" for number in range(1, 251)]

    requests = lookups([f"arxiv:{paper}" for paper in (*papers, *papers)])

    assert [paper for request in requests for paper in asked_about(request)] == papers
    assert [request.url.rpartition("=")[2] for request in requests] == ["100", "100", "50"]


@settings(deadline=None)
@given(st.lists(keys, max_size=30), st.integers(1, 9))
def test_addresses_are_bounded_and_say_what_was_asked(some: list[str], times: int) -> None:
    """Whatever keys are stored, an address is short enough, and what it asks for can be read off it again."""
    many = [f"arxiv:cond-mat/05{number // 999 + 1:02d}{number % 999 + 1:03d}" for number in range(times * 40)]

    requests = lookups([*some, *many])

    asked = [paper for request in requests for paper in asked_about(request)]
    assert all(len(request.url) <= LONGEST_URL and request.url.isascii() for request in requests)
    assert all(len(asked_about(request)) <= MOST for request in requests)
    assert len(asked) == len(set(asked))
    assert {f"arxiv:{paper}" for paper in asked} >= set(many)


def test_other_requests_ask_about_nothing() -> None:
    """The announcements, and files, are read as what they are, also of a source that is to enrich others."""
    feed = DATA / "sources" / "arxiv" / "announcements" / "feed.xml"
    response = Response(request=Request(path=feed), url=str(feed), body=feed.read_bytes())
    plain = Source(name="arxiv-ai", kind="arxiv", options={"categories": ("cs.CL",)})

    assert asked_about(Request(url="https://rss.arxiv.org/rss/cs.CL+cs.CV")) == []
    assert asked_about(response.request) == []
    assert ArxivKind().read(response, SOURCE, now=NOON) == ArxivKind().read(response, plain, now=NOON) != []


@settings(deadline=None, max_examples=40)
@given(st.binary() | st.text().map(str.encode))
def test_no_answer_is_more_than_unreadable(noise: bytes) -> None:
    """Noise in the place of an answer, or in the middle of one, gives papers that were asked about or a ReadError."""
    whole = (CASES / "papers" / "answer.xml").read_bytes()
    middle = len(whole) // 2
    for body in (noise, whole[:middle] + noise, whole[:middle] + noise + whole[middle:]):
        try:
            found = {entry.key for entry in read(body, "2611.00002")}
        except ReadError:
            continue
        assert found <= {"arxiv:2611.00002"}


# --- the kind -------------------------------------------------------------------------------------------------------


def test_a_source_is_asked_about_others_only_if_it_says_so() -> None:
    """Without `enrich` a source of the kind is what it always was."""
    kind = ArxivKind()

    assert kind.scheme(Source(name="a", kind="arxiv", options={"categories": ("cs.CL",)})) == ""
    assert kind.scheme(Source(name="a", kind="arxiv", options={"categories": ("cs.CL",), "enrich": False})) == ""
    assert kind.scheme(SOURCE) == "arxiv:"


def test_of_the_built_in_kinds_two_can_be_asked() -> None:
    """What a kind need not have, the others do without; one of them is asked about what is its own."""
    kinds = load_plugins().source_kinds
    asked = {name: kind for name, kind in kinds.items() if isinstance(kind, Lookup)}

    assert {name: kind.is_for_all for name, kind in asked.items()} == {"arxiv": True, "readers": False}


@pytest.mark.parametrize(
    ("api", "wrong"),
    [
        ("http://127.0.0.1:8000/api/query", ""),
        ("export.arxiv.org/api/query", "no https:// in it"),
        ("ftp://example.org/", "only http and https"),
        ("https://example.org/?id_list=1", "before the query"),
        ("https://example.org/#", "before the query"),
    ],
)
def test_the_address_of_the_api_is_checked(api: str, wrong: str) -> None:
    """It is written to the operator's file like any other address; the query is ours."""
    problems = ArxivKind().check({"categories": ("cs.CL",), "enrich": True, "api": api})

    assert [problem.key for problem in problems] == (["api"] if wrong else [])
    assert wrong in "".join(problem.what for problem in problems)


def test_a_paper_that_a_blog_names_is_completed(site: Site, store: Store) -> None:
    """From the store to the API and back, by HTTP and the reading process: the entry keeps what its source told."""
    kind = ArxivKind()
    asking = Source(name="arxiv-ai", kind="arxiv", options={**SOURCE.options, "api": f"{site.url}/api/query"})
    link = an_entry(1, source="blog", title="A post on cups", summary="", authors=(), published=None)
    store.entries.add([link, an_entry(2, source="blog")], now=NOON)
    site.pages["/api/query"] = Page((CASES / "papers" / "answer.xml").read_bytes(), content_type="application/atom+xml")
    fetch = open_fetch(allow=[ip_network("127.0.0.0/8")], user_agent="test", timeout=2)

    lacking = store.entries.incomplete(["blog"], prefix=kind.scheme(asking), since=NOON, limit=10)
    with open_reader({"arxiv": kind}) as reader:
        for _, told in fetch(kind.lookups(asking, lacking)):
            assert not isinstance(told, FetchError)
            store.entries.fill(reader.read("arxiv", told, asking, now=NOON))

    first, _ = (seen.entry for seen in store.entries.candidates(["blog"], since=NOON - HOUR, until=NOON))
    assert site.asked == ["/api/query?id_list=2611.00001&max_results=1"]
    assert (first.title, first.source) == ("A post on cups", "blog")
    assert first.summary == "We bound $x<b>y$ & more, for cups of any size."
    assert first.authors == ("A. Author", "B. Author, Jr.")
    assert first.published is not None
    assert store.entries.incomplete(["blog"], prefix="arxiv:", since=NOON, limit=10) == []
