"""Crontab patterns fall on the days and times that crontab(5) says."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.schedule import cron

YEAR = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def days(text: str) -> list[date]:
    """List the days of 2026 that a pattern falls on."""
    return [day for day in YEAR if cron.parse(text).falls_on(day)]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("30 17 * * *", ["17:30"]),
        ("0,30 8-10 * * *", ["08:00", "08:30", "09:00", "09:30", "10:00", "10:30"]),
        ("*/20 7 * * *", ["07:00", "07:20", "07:40"]),
        ("5-59/25 7 * * *", ["07:05", "07:30", "07:55"]),
        ("0 */12 * * *", ["00:00", "12:00"]),
        ("0 8,8,8 * * *", ["08:00"]),
        ("59 23 * * *", ["23:59"]),
    ],
)
def test_times(text: str, times: list[str]) -> None:
    """Minutes and hours, with lists, ranges and steps, give the wall times of a day in order."""
    assert [f"{wall_time:%H:%M}" for wall_time in cron.parse(text).times] == times


def test_every_minute() -> None:
    """Five stars are every minute of every day."""
    assert len(cron.parse("* * * * *").times) == 1440
    assert days("* * * * *") == YEAR


@pytest.mark.parametrize("text", ["0 8 * * 0", "0 8 * * 7", "0 8 * * sun", "0 8 * * SUN", "0 8 * * 7-7"])
def test_sunday(text: str) -> None:
    """Sunday is 0 and 7 and sun."""
    assert {day.weekday() for day in days(text)} == {6}


@pytest.mark.parametrize(
    ("field", "weekdays"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("1-5", {0, 1, 2, 3, 4}),
        ("fri-sun", {4, 5, 6}),
        ("5-7", {4, 5, 6}),
        ("0-6", {0, 1, 2, 3, 4, 5, 6}),
        ("sun-tue", {6, 0, 1}),
        ("sat,mon", {5, 0}),
        ("mon-fri/2", {0, 2, 4}),
        ("*/3", {6, 2, 5}),
    ],
)
def test_weekdays(field: str, weekdays: set[int]) -> None:
    """Weekdays have numbers and names, and a range may end on Sunday."""
    assert cron.parse(f"0 8 * * {field}").weekdays == weekdays


@pytest.mark.parametrize(
    ("field", "months"), [("jan", {1}), ("jun-aug", {6, 7, 8}), ("*/6", {1, 7}), ("2,DEC", {2, 12})]
)
def test_months(field: str, months: set[int]) -> None:
    """Months have numbers and names."""
    assert {day.month for day in days(f"0 8 * {field} *")} == months


def test_either_day() -> None:
    """Where day of the month and day of the week are both restricted, either will do."""
    assert all(day.day == 13 or day.weekday() == 4 for day in days("0 8 13 * fri"))
    assert len(days("0 8 13 * fri")) == 52 + 12 - 3  # three Fridays of 2026 are a 13th


@pytest.mark.parametrize("text", ["0 8 13 * */1", "0 8 13 * *"])
def test_both_days(text: str) -> None:
    """A field that begins with a star restricts nothing by itself, so that both must agree."""
    assert [day.day for day in days(text)] == [13] * 12


def test_star_with_step_is_an_intersection() -> None:
    """`*/2` begins with a star: the days it names are those of the other field among them."""
    assert all(day.day % 2 == 1 and day.weekday() == 0 for day in days("0 8 */2 * mon"))
    assert days("0 8 */2 * mon")


@pytest.mark.parametrize(("text", "ever"), [("0 8 31 2 *", False), ("0 8 30 feb,feb */7", False), ("0 8 29 2 *", True)])
def test_ever(text: str, ever: bool) -> None:
    """A date that no year has is told from one that only some years have."""
    assert cron.parse(text).ever() is ever


@pytest.mark.parametrize("text", ["0 8 31 2 mon", "0 8 29 2 */4", "0 8 31 * */7"])
def test_ever_on_a_weekday(text: str) -> None:
    """A weekday beside an impossible date is enough, and rare dates on a weekday do come."""
    assert cron.parse(text).ever()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("61 8 * * *", "minute 61 is not in 0-59"),
        ("0 24 * * *", "hour 24 is not in 0-23"),
        ("0 8 0 * *", "day 0 is not in 1-31"),
        ("0 8 * 13 *", "month 13 is not in 1-12"),
        ("0 8 * * 8", "weekday 8 is not in 0-7"),
        ("60 8 * * 8", "minute 60 is not in 0-59; weekday 8 is not in 0-7"),
        ("0 8 * *", "has 4 fields, not 5"),
        ("", "has 0 fields, not 5"),
        ("@daily", "has 1 field, not 5"),
        ("0 5-1 * * *", "hour '5-1' runs backwards"),
        ("0 8 * * tue-mon", "weekday 'tue-mon' runs backwards"),
        ("0 8 10-0 * *", "day 0 is not in 1-31"),
        ("*/0 8 * * *", "minute '*/0' has a step of 0"),
        ("5/15 8 * * *", "minute '5/15' has a step but no range: write 5-59/15"),
        ("0 8 ? * *", "day '?' is not a number, a range such as 1-5 or a step such as */2"),
        ("0 8 *-5 * *", "day '*-5' is not a number, a range such as 1-5 or a step such as */2"),
        ("٣ 8 * * *", "minute '٣' is not a number, a range such as 1-5 or a step such as */2"),
        ("99999999999 8 * * *", "minute '99999999999' is not a number"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    """Every field that is wrong is named, with what it may be."""
    with pytest.raises(ValueError, match=r".") as caught:
        cron.parse(text)

    assert str(caught.value) == message


_NUMBERS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}


@st.composite
def _field(draw: st.DrawFn, name: str) -> tuple[str, set[int]]:
    """Draw a field as text, with the numbers it stands for."""
    low, high = _NUMBERS[name]
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        step = draw(st.integers(1, 9))
        parts.append(
            draw(
                st.sampled_from(
                    [
                        ("*", {*range(low, high + 1)}),
                        (f"*/{step}", {*range(low, high + 1, step)}),
                        (f"{first}", {first}),
                        (f"{first}-{last}", {*range(first, last + 1)}),
                        (f"{first}-{last}/{step}", {*range(first, last + 1, step)}),
                    ]
                )
            )
        )
    return ",".join(text for text, _ in parts), set().union(*(numbers for _, numbers in parts))


@settings(deadline=None, max_examples=100)
@given(st.tuples(*(_field(name) for name in _NUMBERS)))
def test_against_the_manual(fields: tuple[tuple[str, set[int]], ...]) -> None:
    """Any pattern falls on just those minutes that crontab(5) describes, worked out one by one."""
    (minute, minutes), (hour, hours), (day, days_), (month, months), (weekday, weekdays) = fields
    pattern = cron.parse(f"{minute} {hour} {day} {month} {weekday}")

    assert set(pattern.times) == {time(h, m) for h in hours for m in minutes}
    for today in YEAR:
        by_date = today.day in days_
        by_week = today.isoweekday() in weekdays or (today.isoweekday() == 7 and 0 in weekdays)
        starred = day.startswith("*") or weekday.startswith("*")
        wanted = today.month in months and (by_date and by_week if starred else by_date or by_week)

        assert pattern.falls_on(today) is wanted


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=30) | st.text(alphabet="0123456789*/-, sunmo", max_size=30))
def test_any_text(text: str) -> None:
    """Whatever the text, it is a pattern with at least one time or a ValueError."""
    try:
        assert cron.parse(text).times
    except ValueError as error:
        assert str(error)  # noqa: PT017 (either is right)
