"""Mail goes in the hours that a schedule names, and in no others."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Window
from newsletter.windows import is_open, opening
from tests.schedule.test_slots import ODD_ZONES, utc

OFFICE = Window(start=time(8), end=time(18))
NIGHT = Window(start=time(22), end=time(6))


@pytest.mark.parametrize(
    ("window", "moment", "zone", "opens"),
    [
        (OFFICE, "2026-11-20 08:00", "UTC", "2026-11-20 08:00"),
        (OFFICE, "2026-11-20 17:59", "UTC", "2026-11-20 17:59"),
        (OFFICE, "2026-11-20 18:00", "UTC", "2026-11-21 08:00"),
        (OFFICE, "2026-11-20 07:00", "Asia/Tokyo", "2026-11-20 07:00"),
        (OFFICE, "2026-11-20 09:00", "Asia/Tokyo", "2026-11-20 23:00"),
        (NIGHT, "2026-11-20 23:00", "UTC", "2026-11-20 23:00"),
        (NIGHT, "2026-11-20 05:59", "UTC", "2026-11-20 05:59"),
        (NIGHT, "2026-11-20 06:00", "UTC", "2026-11-20 22:00"),
        (Window(start=time(18), end=time(0)), "2026-11-20 00:00", "UTC", "2026-11-20 18:00"),
        (Window(start=time(2, 30), end=time(4)), "2026-03-29 00:00", "Europe/Berlin", "2026-03-29 01:30"),
        (Window(start=time(2), end=time(3)), "2026-03-29 00:00", "Europe/Berlin", "2026-03-30 00:00"),  # left out
        (Window(start=time(2), end=time(3)), "2026-10-25 01:30", "Europe/Berlin", "2026-10-25 01:30"),  # twice
    ],
)
def test_opening(window: Window, moment: str, zone: str, opens: str) -> None:
    """The first moment from then on at which the clocks there stand in the window."""
    assert opening(window, utc(moment), zone) == utc(opens)


@settings(deadline=None, max_examples=80)
@given(
    start=st.times().map(lambda shown: shown.replace(second=0, microsecond=0)),
    minutes=st.integers(1, 1439),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds)
    zone=st.sampled_from(ODD_ZONES),
)
def test_opening_is_open(start: time, minutes: int, moment: datetime, zone: str) -> None:
    """It is open when it opens, and was not a moment before unless it was open already."""
    end = (datetime.combine(moment, start) + timedelta(minutes=minutes)).time()
    window = Window(start=start, end=end)
    opens = opening(window, moment, zone)
    shown = opens.astimezone(ZoneInfo(zone)).time()

    assert opens >= moment
    assert is_open(window, opens, zone)
    assert (start <= shown < end) if start < end else (shown >= start or shown < end)
    if opens > moment:
        assert not is_open(window, moment, zone)
        assert not is_open(window, opens - timedelta(microseconds=1), zone)
