"""Each local date has its turn once, whatever the clocks do."""

from __future__ import annotations

import dataclasses
import zoneinfo
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.model import Schedule, Slot
from newsletter.schedule.slots import (
    TICK,
    at_hour,
    due,
    due_at,
    instant,
    lapsed,
    next_slots,
    slot_on,
    slots_between,
    slots_on,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
ODD_ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Cairo",  # at midnight
    "Africa/Casablanca",  # backwards, in Ramadan
    "Antarctica/Troll",  # two hours
    "Pacific/Apia",
    "America/Nuuk",  # the last hour of a day
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
]


def a_schedule(
    *at: str,
    zone: str = "UTC",
    cron: str = "",
    weekdays: range | frozenset[int] = range(7),
    catch_up: timedelta = 6 * HOUR,
) -> Schedule:
    """Build a schedule at wall times or by cron."""
    return Schedule(
        name="morning",
        newsletter="daily",
        weekdays=frozenset(weekdays),
        at=tuple(time.fromisoformat(text) for text in at),
        cron=cron,
        timezone=zone,
        catch_up=catch_up,
    )


def utc(text: str) -> datetime:
    """Read `2026-11-20 08:00` as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def of_the_year(schedule: Schedule, zone: str) -> list[Slot]:
    """List the slots whose local date is in 2026."""
    margin = 2 * DAY
    found = slots_between(schedule, after=YEAR[0] - margin, until=YEAR[1] + margin, zones=(zone,))
    return [slot for slot in found if slot.date.year == 2026]


# --- instants -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "wall_time", "zone", "moment"),
    [
        ("2026-11-20", "08:00", "UTC", "2026-11-20 08:00"),
        ("2026-11-20", "08:00", "Asia/Tokyo", "2026-11-19 23:00"),
        ("2026-07-01", "08:00", "Europe/Berlin", "2026-07-01 06:00"),
        ("2026-03-29", "02:30", "Europe/Berlin", "2026-03-29 01:30"),  # left out: shown as 03:30
        ("2026-10-25", "02:30", "Europe/Berlin", "2026-10-25 00:30"),  # twice: the first
        ("2026-10-25", "03:00", "Europe/Berlin", "2026-10-25 02:00"),
        ("2026-04-24", "00:00", "Africa/Cairo", "2026-04-23 22:00"),  # left out: shown as 01:00
        ("2026-10-04", "02:15", "Australia/Lord_Howe", "2026-10-03 15:45"),  # left out: shown as 02:45
        ("2026-03-29", "01:30", "Antarctica/Troll", "2026-03-29 01:30"),  # left out: shown as 03:30
        ("2026-03-28", "23:30", "America/Nuuk", "2026-03-29 01:30"),  # left out: 00:30 of the next date
    ],
)
def test_instant(day: str, wall_time: str, zone: str, moment: str) -> None:
    """A wall time is its first moment, and shifted by the jump where the clocks leave it out."""
    assert instant(date.fromisoformat(day), time.fromisoformat(wall_time), zone) == utc(moment)


@settings(deadline=None, max_examples=80)
@given(
    day=st.dates(date(2000, 1, 1), date(2037, 12, 31)),
    wall_time=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    zone=st.sampled_from(ODD_ZONES),
)
def test_instant_shows_the_wall_time(day: date, wall_time: time, zone: str) -> None:
    """No earlier moment shows the wall time; the instant does, or the clocks never do and it comes later."""
    moment = instant(day, wall_time, zone)
    wanted = datetime.combine(day, wall_time)
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    assert moment.tzinfo is UTC
    assert shown >= wanted
    shows = [
        earlier
        for earlier in (moment - minutes * timedelta(minutes=1) for minutes in range(1, 26 * 60))
        if earlier.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wanted
    ]
    assert not shows
    if shown > wanted:
        back = wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert back != wanted


# --- once a day ---------------------------------------------------------------------------------------------------


def test_eight_o_clock_everywhere() -> None:
    """08:00 daily comes once on each date of 2026 in every time zone, when the clocks there show 08:00."""
    wanted = [date(2026, 1, 1) + number * DAY for number in range(365)]
    eight = time(8)

    for zone in sorted(zoneinfo.available_timezones()):
        slots = of_the_year(a_schedule("08:00", zone=zone), zone)
        clock = ZoneInfo(zone)

        assert [slot.date for slot in slots] == wanted, zone
        assert all(slot.at.astimezone(clock).time() == eight for slot in slots), zone


@pytest.mark.parametrize("zone", ODD_ZONES)
@pytest.mark.parametrize("at", ["00:00", "01:30", "02:15", "02:30", "23:30"])
def test_once_a_day(zone: str, at: str) -> None:
    """A wall time that the clocks repeat or leave out has its turn once on each local date, in order."""
    slots = of_the_year(a_schedule(at, zone=zone), zone)

    assert [slot.date for slot in slots] == [date(2026, 1, 1) + number * DAY for number in range(365)]
    assert [slot.at for slot in slots] == sorted({slot.at for slot in slots})


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_once_a_week(zone: str) -> None:
    """Monday 00:00 has its turn once a week."""
    slots = of_the_year(a_schedule("00:00", zone=zone, weekdays=frozenset({0})), zone)

    assert [slot.date for slot in slots] == [date(2026, 1, 5) + number * 7 * DAY for number in range(52)]


def test_short_months() -> None:
    """A 31st comes in the months that have one."""
    slots = of_the_year(a_schedule(cron="0 8 31 * *"), "UTC")

    assert [slot.date.month for slot in slots] == [1, 3, 5, 7, 8, 10, 12]


@pytest.mark.parametrize(
    ("month_days", "days"),
    [
        ({1}, {month: [1] for month in range(1, 13)}),
        ({31}, {1: [31], 2: [28], 3: [31], 4: [30], 6: [30], 7: [31], 8: [31], 9: [30], 11: [30], 12: [31]}),
        ({30, 31}, {1: [30, 31], 2: [28], 4: [30], 12: [30, 31]}),
        ({15, 29}, {2: [15, 28], 3: [15, 29]}),
    ],
)  # fmt: skip
def test_a_day_of_the_month(month_days: set[int], days: dict[int, list[int]]) -> None:
    """A month that is too short has its turn on its last day, and never two for one."""
    schedule = dataclasses.replace(a_schedule("08:00"), weekdays=frozenset[int](), month_days=frozenset(month_days))
    found = [slot.date for slot in of_the_year(schedule, "UTC")]

    for month, expected in days.items():
        assert [day.day for day in found if day.month == month] == expected
    assert len(found) == len(set(found))


def test_a_leap_day_is_the_last_day_of_its_month() -> None:
    """The 31st of February is the 29th in a leap year."""
    schedule = dataclasses.replace(a_schedule("08:00"), weekdays=frozenset[int](), month_days=frozenset({31}))

    assert slot_on(schedule, date(2028, 2, 29)) is not None
    assert slot_on(schedule, date(2028, 2, 28)) is None


@pytest.mark.parametrize("starting", [date(2026, 1, 5), date(2026, 1, 8)])
def test_every_other_week(starting: date) -> None:
    """Weeks count from the one that the first issue is in, and nothing comes before it, whatever the clocks do."""
    schedule = dataclasses.replace(
        a_schedule("08:00", zone="Europe/Berlin", weekdays=frozenset({0, 4})), weeks=2, starting=starting
    )
    found = [slot.date for slot in of_the_year(schedule, "Europe/Berlin")]

    assert found[0] == (date(2026, 1, 5) if starting == date(2026, 1, 5) else date(2026, 1, 9))
    assert {(day - date(2026, 1, 5)).days // 7 % 2 for day in found} == {0}
    assert len(found) == (52 if starting == date(2026, 1, 5) else 51)


def test_every_other_week_without_a_beginning() -> None:
    """Without `starting` the weeks count from one that is the same for everybody."""
    schedule = dataclasses.replace(a_schedule("08:00", weekdays=frozenset({0})), weeks=2)
    found = [slot.date for slot in of_the_year(schedule, "UTC")]

    assert {later - earlier for earlier, later in pairwise(found)} == {14 * DAY}


def test_a_date_that_a_zone_left_out() -> None:
    """Apia had no 30 December 2011: a daily turn of that date falls together with the next and is left out."""
    schedule = a_schedule("08:00", zone="Pacific/Apia")
    slots = slots_between(schedule, after=utc("2011-12-29 00:00"), until=utc("2012-01-01 00:00"))

    assert [slot.date.isoformat() for slot in slots] == ["2011-12-29", "2011-12-31", "2012-01-01"]


def test_a_weekday_that_a_zone_left_out() -> None:
    """The weekly turn of the Friday that Apia left out comes on the Saturday after it."""
    schedule = a_schedule("08:00", zone="Pacific/Apia", weekdays=frozenset({4}))
    (slot,) = slots_between(schedule, after=utc("2011-12-28 00:00"), until=utc("2012-01-03 00:00"))

    assert slot.at == utc("2011-12-30 18:00")


def test_two_turns_on_one_instant() -> None:
    """Where a jump of the clocks puts two turns on one instant, only the later one counts."""
    schedule = a_schedule("02:30", "03:30", zone="Europe/Berlin")
    slots = slots_between(schedule, after=utc("2026-03-28 23:00"), until=utc("2026-03-29 22:00"))

    assert [slot.key for slot in slots] == ["morning/2026-03-29T03:30"]


def test_a_turn_shifted_past_midnight() -> None:
    """A turn that a jump puts behind the first of the next day is due in its own time, and not lost."""
    schedule = a_schedule("00:00", "23:30", zone="America/Nuuk")

    assert [slot.key for slot in next_slots(schedule, now=utc("2026-03-28 20:00"), count=3)] == [
        "morning/2026-03-29T00:00",
        "morning/2026-03-28T23:30",
        "morning/2026-03-29T23:30",
    ]
    newest = due(schedule, now=utc("2026-03-29 01:31"))
    assert newest
    assert newest.key == "morning/2026-03-28T23:30"


# --- keys ---------------------------------------------------------------------------------------------------------


def test_key_of_one_turn_a_day() -> None:
    """With one turn a day the date says which, so that a change of the hour makes no second issue."""
    early, late = (slot_on(a_schedule(at), date(2026, 11, 20)) for at in ("08:00", "09:00"))

    assert early
    assert late
    assert (early.time, early.key) == ("", "morning/2026-11-20")
    assert early.key == late.key


@pytest.mark.parametrize("schedule", [a_schedule("17:00", "08:00"), a_schedule(cron="0 8,17 * * *")])
def test_key_of_several_turns_a_day(schedule: Schedule) -> None:
    """With several turns a day each has its wall time in its key."""
    assert [slot.key for slot in slots_on(schedule, date(2026, 11, 20))] == [
        "morning/2026-11-20T08:00",
        "morning/2026-11-20T17:00",
    ]


# --- due ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ("2026-11-20 07:59:59", "2026-11-19"),
        ("2026-11-20 08:00:00", "2026-11-20"),
        ("2026-11-20 23:00:00", "2026-11-20"),
    ],
)
def test_due_is_the_newest(now: str, found: str) -> None:
    """From its instant on a slot is due, and the one before no longer."""
    slot = due(a_schedule("08:00", catch_up=DAY), now=utc(now))

    assert slot
    assert slot.date.isoformat() == found


@pytest.mark.parametrize(
    ("catch_up", "late", "taken"),
    [
        (6 * HOUR, 6 * HOUR, True),
        (6 * HOUR, 6 * HOUR + timedelta(seconds=1), False),
        (timedelta(0), TICK, True),
        (timedelta(0), TICK + timedelta(seconds=1), False),
        (timedelta(minutes=1), TICK, True),
        (3 * DAY, 23 * HOUR, True),
    ],
)
def test_catch_up(catch_up: timedelta, late: timedelta, taken: bool) -> None:
    """A slot can be taken up until it is older than catch_up, and for one tick in any case."""
    schedule = a_schedule("08:00", catch_up=catch_up)

    assert (due(schedule, now=utc("2026-11-20 08:00") + late) is not None) is taken


def test_long_outage() -> None:
    """Down from Friday evening to Monday: one slot to catch up with, the newest, and never three."""
    schedule = a_schedule("08:00", catch_up=5 * DAY)
    slot = due(schedule, now=utc("2026-11-23 09:00"))

    assert slot
    assert slot.date == date(2026, 11, 23)


def test_long_catch_up_over_a_quiet_time() -> None:
    """A weekly slot can be caught up with days later."""
    schedule = a_schedule("08:00", weekdays=frozenset({0}), catch_up=3 * DAY)
    slot = due(schedule, now=utc("2026-11-26 07:00"))

    assert slot
    assert slot.date == date(2026, 11, 23)
    assert due(schedule, now=utc("2026-11-26 09:00")) is None


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=9)), ZoneInfo("America/New_York")])
def test_now_in_any_zone(zone: timezone | ZoneInfo) -> None:
    """`now` may be told in any time zone, also in a repeated hour."""
    schedule = a_schedule("06:15", catch_up=timedelta(0))
    now = utc("2026-11-01 06:16").astimezone(zone)

    assert due(schedule, now=now) == slot_on(schedule, date(2026, 11, 1))
    assert due(schedule, now=now - 2 * timedelta(minutes=1)) is None


def test_naive_now() -> None:
    """A time without a zone is refused, since nothing can be due at it."""
    naive = datetime(2026, 11, 20, 8, 0)  # noqa: DTZ001 (the point)

    with pytest.raises(ValueError, match="without a zone"):
        due(a_schedule("08:00"), now=naive)
    with pytest.raises(ValueError, match="without a zone"):
        next_slots(a_schedule("08:00"), now=naive, count=1)
    with pytest.raises(ValueError, match="without a zone"):
        list(slots_between(a_schedule("08:00"), after=naive, until=naive))


# --- the subscriber's own time zone -------------------------------------------------------------------------------

READERS = ("Europe/Paris", "Asia/Tokyo", "America/Los_Angeles")


def test_subscriber_begins_with_the_first() -> None:
    """The slot begins when the first of the readers has the wall time, and each is due at their own."""
    schedule = a_schedule("08:00", zone="subscriber")
    slot = slot_on(schedule, date(2026, 11, 20), zones=READERS)

    assert slot
    assert slot.at == utc("2026-11-19 23:00")
    assert slot.key == "morning/2026-11-20"
    assert due_at(slot, schedule, "Asia/Tokyo") == slot.at
    assert due_at(slot, schedule, "Europe/Paris") == utc("2026-11-20 07:00")
    assert due_at(slot, schedule, "America/Los_Angeles") == utc("2026-11-20 16:00")


def test_subscriber_key_does_not_depend_on_who_reads() -> None:
    """A reader who joins further east makes the slot begin earlier and leaves it the same slot."""
    schedule = a_schedule("08:00", zone="subscriber")
    before, after = (slot_on(schedule, date(2026, 11, 20), zones=zones) for zones in (READERS[:1], READERS))

    assert before
    assert after
    assert (before.key, before.at > after.at) == (after.key, True)


def test_subscriber_of_several_turns() -> None:
    """Of several turns a day each has its own wall time in each zone."""
    schedule = a_schedule("08:00", "17:00", zone="subscriber")
    _, evening = slots_on(schedule, date(2026, 11, 20), zones=READERS)

    assert due_at(evening, schedule, "Europe/Paris") == utc("2026-11-20 16:00")


def test_same_zone_for_all() -> None:
    """With a zone of its own a schedule is due for every reader at once."""
    schedule = a_schedule("08:00", zone="Europe/Paris")
    slot = slot_on(schedule, date(2026, 11, 20), zones=READERS)

    assert slot
    assert slot.at == utc("2026-11-20 07:00")
    assert due_at(slot, schedule, "Asia/Tokyo") == slot.at


@pytest.mark.parametrize(
    ("now", "taken"),
    [
        ("2026-11-19 22:59", None),
        ("2026-11-19 23:00", "2026-11-20"),  # Tokyo
        ("2026-11-20 12:00", "2026-11-20"),  # Tokyo and Paris are too late, Los Angeles is to come
        ("2026-11-20 18:00", "2026-11-20"),  # two hours after Los Angeles
        ("2026-11-20 18:01", None),
    ],
)
def test_subscriber_can_be_taken_up_until_the_last(now: str, taken: str | None) -> None:
    """An outage over the first zone's morning costs the readers further west nothing."""
    schedule = a_schedule("08:00", zone="subscriber", weekdays=frozenset({4}), catch_up=2 * HOUR)
    slot = due(schedule, now=utc(now), zones=READERS)

    assert (slot and slot.date.isoformat()) == taken


def test_nobody_subscribes_yet() -> None:
    """A newsletter without readers goes by UTC."""
    schedule = a_schedule("08:00", zone="subscriber")

    assert next_slots(schedule, now=utc("2026-11-20 00:00"), count=1)[0].at == utc("2026-11-20 08:00")


# --- what comes next ----------------------------------------------------------------------------------------------


def test_next_slots() -> None:
    """The next turns after now are told in order; one that is due this moment is not among them."""
    schedule = a_schedule("08:00", weekdays=range(5))

    assert [slot.date.isoformat() for slot in next_slots(schedule, now=utc("2026-11-20 08:00"), count=3)] == [
        "2026-11-23",
        "2026-11-24",
        "2026-11-25",
    ]


def test_next_slots_far_away() -> None:
    """A 29 February on a certain weekday is found although it is decades away, and none where there is none."""
    (slot,) = next_slots(a_schedule(cron="0 8 29 2 */6"), now=utc("2026-11-20 00:00"), count=1)

    assert slot.date == date(2032, 2, 29)
    assert next_slots(a_schedule(cron="0 8 31 2 *"), now=utc("2026-11-20 00:00"), count=1) == []


def test_slot_on_a_day_without_one() -> None:
    """A day that the schedule leaves out has no slot, for an operator neither."""
    assert slot_on(a_schedule("08:00", weekdays=range(5)), date(2026, 11, 21)) is None


# --- lives of a daemon --------------------------------------------------------------------------------------------

STEPS = st.one_of(
    st.integers(10, 300),  # a tick
    st.integers(-3 * 3600, 3 * 3600),  # a clock that jumps
    st.integers(3600, 5 * 24 * 3600),  # an outage
)


@settings(deadline=None, max_examples=75)
@given(
    zone=st.sampled_from([*ODD_ZONES, "subscriber"]),
    at=st.sampled_from([("08:00",), ("00:00",), ("02:30",), ("01:30", "03:00"), ("00:00", "23:30")]),
    catch_up=st.sampled_from([timedelta(0), 6 * HOUR, 3 * DAY]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds)
    steps=st.lists(STEPS, max_size=40),
)
def test_any_life(zone: str, at: tuple[str, ...], catch_up: timedelta, start: datetime, steps: list[int]) -> None:
    """Whatever the clock does, no slot is due early, none too late, and a key always means the same turn."""
    schedule = a_schedule(*at, zone=zone, catch_up=catch_up)
    now, turns = start, dict[str, Slot]()

    for step in steps:
        now += timedelta(seconds=step)
        slot = due(schedule, now=now, zones=READERS)
        if slot:
            last = max(due_at(slot, schedule, reader) for reader in READERS)
            assert slot.at <= now <= last + max(catch_up, TICK)
            assert turns.setdefault(slot.key, slot) == slot


@settings(deadline=None, max_examples=15)
@given(
    zone=st.sampled_from([*ODD_ZONES, "subscriber"]),
    at=st.sampled_from(["08:00", "00:00", "02:30"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds)
    tick=st.integers(30, 300),
)
@example(zone="Europe/Berlin", at="02:30", start=utc("2026-03-28 00:00"), tick=60)
@example(zone="Africa/Cairo", at="00:00", start=utc("2026-04-22 12:00"), tick=60)
def test_steady_ticking_misses_nothing(zone: str, at: str, start: datetime, tick: int) -> None:
    """A clock that ticks at least every five minutes meets every slot, even where nothing is caught up with."""
    schedule = a_schedule(at, zone=zone, catch_up=timedelta(0))
    ticks = [start + number * timedelta(seconds=tick) for number in range(int(3 * DAY / timedelta(seconds=tick)))]
    zones = ("Asia/Tokyo",)

    met = Counter(slot.key for now in ticks if (slot := due(schedule, now=now, zones=zones)))

    wanted = slots_between(schedule, after=start, until=ticks[-1], zones=zones)
    assert {slot.key for slot in wanted} <= set(met)


@settings(deadline=None, max_examples=75)
@given(
    zone=st.sampled_from([*ODD_ZONES, "subscriber"]),
    at=st.sampled_from([("08:00",), ("00:00",), ("02:30",), ("01:30", "03:00"), ("00:00", "23:30")]),
    catch_up=st.sampled_from([timedelta(0), 6 * HOUR, 3 * DAY, 7 * DAY]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds)
    steps=st.lists(STEPS, max_size=40),
)
def test_one_issue_after_any_downtime(
    zone: str, at: tuple[str, ...], catch_up: timedelta, start: datetime, steps: list[int]
) -> None:
    """A daemon that was down for days makes one issue or none, and never one that is older than its last."""
    schedule = a_schedule(*at, zone=zone, catch_up=catch_up)
    now, planned, made, given_up = start, start, list[Slot](), set[Slot]()

    for step in steps:
        now += timedelta(seconds=step)
        since, planned = planned, max(planned, now)  # as `clock.horizon` has it
        given_up |= set(lapsed(schedule, since=since, now=planned, zones=READERS)) - set(made)
        slot = due(schedule, now=planned, zones=READERS)
        if slot and slot not in made:
            made.append(slot)  # at most one at each tick, however long the time since the last

    assert [slot.at for slot in made] == sorted({slot.at for slot in made})
    assert not given_up & set(made)
    begun = slots_between(schedule, after=start, until=planned, zones=READERS)
    assert set(begun) <= {*made, *given_up}, "each turn is made, or there is a report that it was not"


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 23),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati"]),
    st.integers(0, 365 * 24 * 60).map(lambda minutes: utc("2026-01-01 00:00") + timedelta(minutes=minutes)),
)
def test_the_next_time_at_an_hour(hour: int, zone: str, after: datetime) -> None:
    """At most a day and a change of the clocks away; shown as that hour unless the clocks leave it out."""
    moment = at_hour(hour, zone, after=after)

    assert timedelta() <= moment - after <= timedelta(hours=25)
    assert moment.astimezone(ZoneInfo(zone)).hour in (hour, hour + 1)
    assert at_hour(hour, zone, after=moment) == moment
