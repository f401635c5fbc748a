from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.courtesy import Hints
from newsletter.sources.hints import document_hints, header_hints, retry_after
from tests.builders import DAY, HOUR, MINUTE

DATE = "Fri, 20 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "holds"),
    [
        ({}, timedelta(0)),
        ({"Cache-Control": "max-age=3600"}, HOUR),
        ({"Cache-Control": "public, MAX-AGE = 3600, must-revalidate"}, HOUR),
        ({"Cache-Control": 'max-age="60"'}, MINUTE),
        ({"Cache-Control": "max-age=3600", "Age": "600"}, 50 * MINUTE),
        ({"Cache-Control": "max-age=60", "Age": "600"}, timedelta(0)),
        ({"Cache-Control": "max-age=60", "Age": "soon"}, MINUTE),
        ({"Cache-Control": "no-cache, max-age=3600"}, timedelta(0)),
        ({"Cache-Control": "no-store"}, timedelta(0)),
        ({"Cache-Control": "s-maxage=3600"}, timedelta(0)),
        ({"Cache-Control": "max-age=-5"}, timedelta(0)),
        ({"Cache-Control": "max-age=999999999"}, 31 * DAY),
        ({"Expires": "Fri, 20 Nov 2026 13:00:00 GMT", "Date": DATE}, HOUR),
        ({"Expires": "Fri, 20 Nov 2026 11:00:00 GMT", "Date": DATE}, timedelta(0)),
        ({"Expires": "Fri, 20 Nov 2026 13:00:00 GMT"}, timedelta(0)),
        ({"Expires": "0", "Date": DATE}, timedelta(0)),
        ({"Cache-Control": "max-age=60", "Expires": "Fri, 20 Nov 2026 13:00:00 GMT", "Date": DATE}, MINUTE),
    ],
)
def test_headers_say_how_long_an_answer_holds(headers: dict[str, str], holds: timedelta) -> None:
    """Of RFC 9111: max-age before Expires, less the age an answer had when it came."""
    assert header_hints(headers) == Hints(holds=holds)


@pytest.mark.parametrize(
    ("channel", "hints"),
    [
        ("", Hints()),
        ("<ttl>60</ttl>", Hints(holds=HOUR)),
        ("<ttl> 90 </ttl><TTL>5</TTL>", Hints(holds=90 * MINUTE)),
        ("<ttl>soon</ttl>", Hints()),
        ("<ttl>999999999</ttl>", Hints(holds=31 * DAY)),
        ("<skipDays><day>Saturday</day><day>sunday</day></skipDays>", Hints(skip_days=(5, 6))),
        ("<skipDays><day>Caturday</day></skipDays>", Hints()),
        ("<skipHours><hour>24</hour><hour>3</hour><hour>3</hour></skipHours>", Hints(skip_hours=(0, 3))),
        ("<skipHours><hour>3</hour>", Hints()),
        ("<hour>3</hour><day>Monday</day>", Hints()),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", Hints(holds=HOUR)),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", Hints(holds=12 * HOUR)),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", Hints(holds=DAY)),
        ("<sy:updatePeriod>sometimes</sy:updatePeriod>", Hints()),
    ],
)
def test_documents_say_when_there_is_nothing_new(channel: str, hints: Hints) -> None:
    """Elements of RSS's channel, whatever their case, their mistakes and their zeros."""
    assert document_hints(f"<rss><channel>{channel}<item/></channel></rss>".encode()) == hints


@given(st.binary(max_size=200) | st.text(alphabet="<ttlskipDayhour>/0123456789 ", max_size=200).map(str.encode))
def test_no_document_is_too_odd(body: bytes) -> None:
    """Whatever a document is, what it says about asking again is something sane."""
    hints = document_hints(body)

    assert timedelta(0) <= hints.holds <= 31 * DAY
    assert {*hints.skip_hours} <= {*range(24)}
    assert {*hints.skip_days} <= {*range(7)}


def test_only_the_head_of_a_document_is_searched() -> None:
    """What stands behind thousands of items costs nothing and says nothing."""
    assert document_hints(b"<rss>" + b" " * 100_000 + b"<ttl>60</ttl>") == Hints()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "9999999999"}, 31 * 86400),
        ({"Retry-After": "Fri, 20 Nov 2026 12:01:00 GMT", "Date": DATE}, 60),
        ({"Retry-After": "Fri, 20 Nov 2026 11:00:00 GMT", "Date": DATE}, 0),
        ({"Retry-After": "Fri, 20 Nov 2026 12:01:00 GMT"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "later"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_clock(headers: dict[str, str], seconds: float | None) -> None:
    """Of RFC 9110; a date is compared with the answer's own, so that clocks need not agree."""
    assert retry_after(headers) == seconds
