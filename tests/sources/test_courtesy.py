from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.courtesy import (
    FIRST_REST,
    FOREVER,
    LONGEST_HINT,
    LONGEST_REST,
    Hints,
    Move,
    interval,
    pace_of,
    rest,
    resume,
    sighted,
    together,
)
from tests.builders import DAY, HOUR, MINUTE, NOON

OLD, NEW, OTHER = "https://example.org/feed", "https://example.net/feed", "https://example.com/feed"

hints = st.builds(
    Hints,
    holds=st.timedeltas(timedelta(0), timedelta(days=40)),
    skip_hours=st.lists(st.integers(0, 23), unique=True).map(tuple),
    skip_days=st.lists(st.integers(0, 6), unique=True).map(tuple),
)


def test_busy_sources_are_looked_at_more_often() -> None:
    """From every hour to twice a day, by what a source gave in a week."""
    assert [interval(a_week) for a_week in (0, 1, 14, 24, 168, 5000)] == [
        12 * HOUR, 12 * HOUR, 12 * HOUR, 7 * HOUR, HOUR, HOUR
    ]  # fmt: skip


def test_rests_double_up_to_a_week() -> None:
    """Each failure in a row rests twice as long as the one before, a week at most."""
    rests = [rest(failures) for failures in range(1, 40)]

    assert rests[:4] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST, 8 * FIRST_REST]
    assert rests[-1] == LONGEST_REST
    assert rests == sorted(rests)


def test_a_server_can_only_slow_us_down() -> None:
    """What a server asks for lengthens a rest and never shortens it."""
    assert rest(1, retry_after=3600) == timedelta(hours=1)
    assert rest(1, retry_after=1) == FIRST_REST
    assert rest(9, retry_after=60) == rest(9)


def test_gone_is_gone() -> None:
    """A source that says it is away for good is not asked again by itself."""
    assert rest(1, status=410) == FOREVER
    assert rest(1, status=404) == FIRST_REST


def test_an_answer_holds_as_long_as_it_says_within_reason() -> None:
    """A daily issue finds a source willing that calls itself fresh for a day."""
    assert resume(Hints(), now=NOON) is None
    assert resume(Hints(holds=HOUR), now=NOON) == NOON + HOUR
    assert resume(Hints(holds=3 * DAY), now=NOON) == NOON + LONGEST_HINT < NOON + DAY


def test_hours_and_days_without_news_are_passed_over() -> None:
    """A weekend that a feed leaves out ends on Monday at midnight, UTC."""
    friday_night = datetime.fromisoformat("2026-11-20T23:30:00+00:00")
    weekend = Hints(holds=HOUR, skip_days=(5, 6))

    assert resume(weekend, now=friday_night) == datetime.fromisoformat("2026-11-23T00:00:00+00:00")
    assert resume(Hints(skip_hours=(12, 13)), now=NOON + MINUTE) == NOON + 2 * HOUR
    assert resume(Hints(skip_hours=(11, 14)), now=NOON) is None


@given(hints, st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)))  # noqa: DTZ001 - given a zone below
def test_hints_never_keep_a_source_away_for_long(said: Hints, moment: datetime) -> None:
    """Whatever a feed says, it is asked again within a week, and never at a time it left out."""
    now = moment.replace(tzinfo=NOON.tzinfo)
    again = resume(said, now=now)

    if again is not None:
        assert now < again <= now + timedelta(days=7) + LONGEST_HINT
        assert again.weekday() not in said.skip_days
        assert again.hour not in said.skip_hours


@given(st.lists(hints, max_size=3))
def test_hints_together_ask_for_what_each_does(said: list[Hints]) -> None:
    """The longest time, and every hour and day that one of them leaves out."""
    joined = together(said)

    for one in said:
        assert joined.holds >= one.holds
        assert {*one.skip_hours} <= {*joined.skip_hours}
        assert {*one.skip_days} <= {*joined.skip_days}


def test_a_move_is_believed_on_the_third_day() -> None:
    """Seen on three days, the new address is asked; many times on one day are once."""
    move = Move()
    addresses = []
    for hours in (0, 1, 24, 25, 48):
        move = sighted(move, NEW, by=OLD, now=NOON + hours * HOUR)
        addresses.append(move.address)

    assert addresses == ["", "", "", "", NEW]


def test_a_move_that_changes_its_mind_begins_again() -> None:
    """Another place is a first sighting; none at all is no move any more."""
    twice = Move(to=NEW, seen=2, at=NOON)

    assert sighted(twice, OTHER, by=OLD, now=NOON + DAY) == Move(to=OTHER, seen=1, at=NOON + DAY)
    assert sighted(twice, "", by=OLD, now=NOON + DAY) == Move()


def test_a_move_to_an_address_anyone_could_read_along_is_none() -> None:
    """From https to http nobody is followed for good."""
    assert sighted(Move(), "http://example.net/feed", by=OLD, now=NOON) == Move()


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://feeds.bbc.co.uk/news", "bbc.co.uk"),
        ("https://FEEDS.BBC.co.uk:8443/news", "bbc.co.uk"),
        ("https://somebody.github.io/feed.xml", "somebody.github.io"),
        ("https://www.xn--mnchen-3ya.de/", "xn--mnchen-3ya.de"),
    ],
)
def test_a_domain_is_what_somebody_registered(url: str, domain: str) -> None:
    """Hosts of one owner share a pace; those below a public suffix do not."""
    pace = pace_of(url)

    assert pace is not None
    assert (pace.domain, pace.least, pace.most, pace.shared) == (domain, 1.0, 2.0, False)


def test_arxiv_counts_all_processes_as_one() -> None:
    """Its terms allow one request every three seconds, over all machines."""
    for url in ("https://rss.arxiv.org/rss/cs.CL", "https://export.arxiv.org/api/query?id_list=2310.06825"):
        pace = pace_of(url)
        assert pace is not None
        assert (pace.domain, pace.least, pace.most, pace.shared) == ("arxiv.org", 3.0, 3.0, True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "http://[::1]/", "http://localhost/", "http://[", ""])
def test_what_no_registry_knows_has_no_pace(url: str) -> None:
    """Addresses of the operator's own network are asked as fast as they answer."""
    assert pace_of(url) is None
