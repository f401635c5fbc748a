"""Public answers in memory: made once for all who ask, and never older than what they are made of."""

from __future__ import annotations

import asyncio
import gzip
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from newsletter.store.revision import Part
from newsletter.web.memory import Answer, Asked, Memory, Page, read_answer, takes_gzip
from tests.builders import a_story
from tests.web.issues import an_entry_about, collect, publish, voted
from tests.web.websites import Website

DAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def page(text: str = "x", **headers: str) -> Answer:
    """An answer that may be kept for a minute."""
    return read_answer(Response(text, headers=headers, media_type="text/html"), seconds=60)


class Made:
    """Counts how often an answer is made."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.times = 0

    def __call__(self) -> Answer:
        """Make it."""
        self.times += 1
        return self.answer


def numbers(of_all: int) -> dict[Part, int]:
    """The same number for every part."""
    return dict.fromkeys(Part, of_all)


def asked(
    memory: Memory, make: Callable[[], Answer], *, key: str = "/", of: object = None, now: datetime = NOW
) -> Answer:
    """What a request gets, in a loop of its own."""
    return asyncio.run(memory.get(key, make, of=of, now=now))


def test_a_thousand_who_ask_at_once_cause_one_answer() -> None:
    """While it is made all wait for it, and the database is asked twice at most."""
    looks: list[int] = []

    def revision() -> Mapping[Part, int]:
        looks.append(1)
        return numbers(7)

    memory = Memory(revision)
    made = Made(page())
    everybody_waits = threading.Event()

    async def crowd() -> list[Answer]:
        loop, begun = asyncio.get_running_loop(), asyncio.Event()

        def make() -> Answer:
            loop.call_soon_threadsafe(begun.set)
            everybody_waits.wait(10)
            return made()

        waiting = [asyncio.ensure_future(memory.get("/", make, of=None, now=NOW)) for _ in range(1_000)]
        await begun.wait()
        everybody_waits.set()
        return await asyncio.gather(*waiting)

    answers = asyncio.run(crowd())

    assert {id(answer) for answer in answers} == {id(made.answer)}
    assert made.times == 1
    assert len(looks) <= 2


def test_an_answer_stands_until_something_changes() -> None:
    """The revision, what the site is made of, or its minute is over."""
    revision = [1]
    memory = Memory(lambda: numbers(revision[0]))
    made = Made(page())
    first, second = object(), object()
    for of, after, now, times in (
        (first, 1, NOW, 1),
        (first, 1, NOW + timedelta(seconds=59), 1),
        (first, 1, NOW + timedelta(seconds=60), 2),
        (first, 2, NOW + timedelta(seconds=60), 3),
        (second, 2, NOW + timedelta(seconds=60), 4),
        (second, 2, NOW + timedelta(seconds=61), 4),
    ):
        revision[0] = after
        asked(memory, made, of=of, now=now)
        assert made.times == times


def test_an_answer_stands_while_what_it_is_made_of_does() -> None:
    """Votes are nothing to a page that shows none."""
    now = numbers(1)
    memory = Memory(lambda: now)
    made = Made(page())
    for part, times in ((Part.VOTES, 1), (Part.ARCHIVE, 1), (Part.ISSUES, 2)):
        asyncio.run(memory.get("/", made, of=None, now=NOW, parts=[Part.ISSUES]))
        now[part] += 1
        asyncio.run(memory.get("/", made, of=None, now=NOW, parts=[Part.ISSUES]))
        assert made.times == times


def test_what_changes_while_an_answer_is_made_is_not_missed() -> None:
    """It counts as made of what there was when it began."""
    revision = [1]
    memory = Memory(lambda: numbers(revision[0]))

    def make() -> Answer:
        revision[0] = 2
        return page("old")

    assert asked(memory, make).parts == [b"old"]
    assert asked(memory, lambda: page("new")).parts == [b"new"]


@pytest.mark.parametrize(
    "answer",
    [
        read_answer(Response("gone", status_code=404), seconds=60),
        page(**{"Cache-Control": "no-store"}),
    ],
)
def test_what_is_not_for_all_is_not_kept(answer: Answer) -> None:
    """What is not there, and what the page itself calls private."""
    memory = Memory(lambda: numbers(1))
    made = Made(answer)

    asked(memory, made)
    asked(memory, made)

    assert made.times == 2
    assert "etag" not in answer.as_is.headers


def test_a_crowd_of_searches_leaves_room_for_other_pages() -> None:
    """They wait for each other, however many there are, and nobody else does."""
    memory = Memory(lambda: numbers(1))
    go_on = threading.Event()

    def slow() -> Answer:
        go_on.wait(30)
        return page()

    async def crowd() -> Answer:
        searches = [
            asyncio.ensure_future(memory.get(f"/{number}", slow, of=None, now=NOW, searches=True))
            for number in range(100)
        ]
        other = await memory.get("/", lambda: page("other"), of=None, now=NOW)
        go_on.set()
        await asyncio.gather(*searches)
        return other

    assert asyncio.run(crowd()).parts == [b"other"]


def test_a_failure_is_told_and_forgotten() -> None:
    """The next who asks tries again."""
    memory = Memory(lambda: numbers(1))

    def fail() -> Answer:
        raise LookupError("no")

    for _ in range(2):
        with pytest.raises(LookupError):
            asked(memory, fail)
    assert asked(memory, page).seconds == 60


def test_memory_is_bounded() -> None:
    """Those go that were not asked for longest."""
    large = page("x" * 10_000)
    memory = Memory(lambda: numbers(1), most=3 * large.size)
    made = {key: Made(large) for key in "abcd"}
    for key in "abcadabcd":
        asked(memory, made[key], key=key)

    # a, b, c, a again, d in place of b, a, b in place of c, c in place of d, d in place of a
    assert {key: one.times for key, one in made.items()} == {"a": 1, "b": 2, "c": 2, "d": 2}


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("br", False),
        ("", False),
        ("xgzip", False),
        ("identity, gzip ;q=1", True),
    ],
)
def test_gzip_is_sent_to_who_takes_it(header: str, taken: bool) -> None:
    """RFC 9110, section 12.5.3."""
    assert takes_gzip(header) is taken


STAMP = re.compile(rb'name="page" value="(\d+)\.([^"]+)"')


def test_a_page_comes_packed(website: Website) -> None:
    """And is the same page, with the same tag; a form tells in either when it was sent."""
    publish(website, a_story(1), day=DAY)
    plain = website.get("/daily-papers")
    website.pass_time(timedelta(seconds=5))
    packed = website.get("/daily-papers", Accept_Encoding="gzip, deflate, br")
    unpacked = gzip.decompress(packed.body)

    assert STAMP.sub(b"", unpacked) == STAMP.sub(b"", plain.body)
    (before, _), (after, _) = (STAMP.findall(body)[0] for body in (plain.body, unpacked))
    assert int(after) - int(before) == 5_000
    assert len(packed.body) < len(plain.body) / 2
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.headers["Content-Encoding"] is None
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert website.get("/daily-papers", Accept_Encoding="gzip", If_None_Match=plain.headers["ETag"]).status == 304


@given(st.lists(st.binary(max_size=200), max_size=4), st.from_regex(r"[0-9]{1,20}\.[0-9a-f]{1,64}", fullmatch=True))
def test_what_is_packed_in_parts_is_one_whole(around: list[bytes], stamp: str) -> None:
    """Whatever stands between the forms of a page, and however many there are."""
    html = b'<input name="page" value="1.a">'.join([b"x" * 700, *(part.hex().encode() for part in around)])
    response = Page(html)
    response.form = "daily-papers"
    answer = read_answer(response, seconds=60)

    sent = [answer.to(Asked("", encodings), stamp=lambda _: stamp) for encodings in ("", "gzip")]

    assert bytes(sent[0].body) == gzip.decompress(sent[1].body) == html.replace(b"1.a", stamp.encode())


def test_what_happens_shows_at_once(website: Website) -> None:
    """Votes, an issue, what a source tells: no page waits for its minute to be over."""
    publish(website, voted(1, 5, title="One"), voted(2, 6, title="Two"), day=DAY)
    week = "/daily-papers/archive/2026-W47"

    def first() -> str:
        page = website.get(week).text
        return min(("One", "Two"), key=lambda title: page.index(f">{title}<"))

    assert first() == "Two"
    votes = website.app.store.votes
    (ann, bob) = website.app.store.subscribers.ensure(["ann@example.org", "bob@example.org"], now=website.now)
    for reader in (ann, bob):
        votes.add("daily-papers", "arxiv:2611.00001", reader, now=website.now)
    assert first() == "One"
    votes.take_back("daily-papers", ["arxiv:2611.00001"], ann)
    votes.take_back("daily-papers", ["arxiv:2611.00001"], bob)
    assert first() == "Two"

    assert "Birds" not in website.get("/daily-papers/search?q=birds").text
    collect(website, an_entry_about(1, "birds", key="arxiv:2611.00001", signals=voted(1, 70).signals))
    assert first() == "One"
    assert "Birds, part 1" in website.get("/daily-papers/search?q=birds").text

    assert "Three" not in website.get("/daily-papers").text
    publish(website, a_story(3, title="Three"), day=DAY + timedelta(days=1))
    assert "Three" in website.get("/daily-papers").text


def test_a_changed_plan_shows_at_once(website: Website) -> None:
    """The pages are those of another app then."""
    assert "Vision" not in website.get("/daily-papers").text
    plan = website.app.plan
    newsletter = replace(plan.newsletters["daily-papers"], title="Vision Weekly")
    website.site.app = replace(website.app, plan=replace(plan, newsletters={"daily-papers": newsletter}))

    assert "Vision Weekly" in website.get("/daily-papers").text


def test_what_a_page_does_not_read_makes_no_other_page(website: Website) -> None:
    """Nor stands in it: parameters of those who count clicks, fields that were left empty, the order of both."""
    collect(website, an_entry_about(1, "birds"))
    plain = website.get("/daily-papers/search?q=birds")

    other = website.get("/daily-papers/search?until=&utm_source=x&q=birds&since=")

    assert other.body == plain.body
    assert "feed.atom?q=birds" in plain.text
    assert other.headers["ETag"] == plain.headers["ETag"]
    assert website.get("/daily-papers/search?q=bread").headers["ETag"] != plain.headers["ETag"]


def test_who_may_be_known_to_a_page_is_answered_alone(website: Website) -> None:
    """What it says to them comes from no memory and goes into none; another cookie is nobody's name."""
    slot = publish(website, a_story(1), day=DAY)
    page = f"/daily-papers/{slot.key}"
    before = website.get(page)
    templates = website.workspace.folder / "templates" / "web"
    templates.mkdir(parents=True)
    (templates / "issue.html.j2").write_text("another page", encoding="utf-8")  # of which no revision tells

    assert website.get(page, Cookie="reader=ann").text == "another page"
    assert website.get(page, Cookie="counted=yes").headers["ETag"] == before.headers["ETag"]
    assert website.get(page).headers["ETag"] == before.headers["ETag"]
