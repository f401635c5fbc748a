"""Pure time arithmetic: the turns of a schedule, and which of them is due.

A turn is a wall time on a local date, and its identity is just that (`Slot.key`): never an instant, since instants
move when time zones change their rules. Each date has its turn once, whatever the clocks do:

    a wall time that comes twice (clocks go back)      its first moment
    a wall time that is left out (clocks go forward)   as much later as the clocks jump: 02:30 is at 03:30
    two turns that such a jump puts on one instant     the later one only

Of several turns that were missed only the newest is due, and only while `catch_up` lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain, islice
from zoneinfo import ZoneInfo

from newsletter.model import Schedule, Slot
from newsletter.schedule import cron

SUBSCRIBER = "subscriber"
TICK = timedelta(minutes=5)  # no schedule is stricter than this: the clock that asks ticks, it does not flow

APART = timedelta(hours=20)  # less than any two turns that the clocks alone bring together

_DAY = timedelta(days=1)
# Local dates are within a day of the date in UTC, and a jump of the clocks is at most a day (Apia, 2011).
_MARGIN = 2 * _DAY
_WEEK = 7 * _DAY
_A_MONDAY = date(1970, 1, 5)
_WEEKS_AHEAD = 41 * 53  # `0 8 29 2 */4` may have to wait 40 years


def instant(day: date, wall_time: time, zone: str) -> datetime:
    """The moment (UTC) at which the clocks of a zone show this wall time on this day.

    The first such moment where it comes twice; where it is left out, the moment as much later as the clocks jump,
    which is what PEP 495 gives for fold=0.
    """
    return datetime.combine(day, wall_time.replace(fold=0), _clocks(zone)).astimezone(UTC)


# The library keeps eight of them, and reads the files of all others again each time.
_clocks = lru_cache(maxsize=1024)(ZoneInfo)


def due(schedule: Schedule, *, now: datetime, zones: Collection[str] = ()) -> Slot | None:
    """The newest turn that has begun and can still be taken up at `now`, or None.

    It can be taken up for `catch_up` (at least a tick) after it is due. Where the time zone is that of the
    subscriber, it begins when the first of `zones` is due and can be taken up until the last of them was.
    """
    past = slots_between(schedule, after=now - _grace(schedule) - _MARGIN, until=now, zones=zones)
    return next((slot for slot in reversed(list(past)) if now <= last_call(slot, schedule, zones)), None)


def lapsed(schedule: Schedule, *, since: datetime, now: datetime, zones: Collection[str] = ()) -> list[Slot]:
    """The turns that were due at `since`, or began after it, and are not due at `now` any more."""
    then, still = (due(schedule, now=moment, zones=zones) for moment in (since, now))
    begun = [*([then] if then else []), *slots_between(schedule, after=since, until=now, zones=zones)]
    return [slot for slot in dict.fromkeys(begun) if slot != still]


def last_call(slot: Slot, schedule: Schedule, zones: Collection[str]) -> datetime:
    """Until when (UTC) a turn can be taken up: `catch_up` after it was due for the last of its readers."""
    return max(due_at(slot, schedule, zone) for zone in _places(schedule, zones)) + _grace(schedule)


def due_at(slot: Slot, schedule: Schedule, zone: str) -> datetime:
    """When (UTC) a reader in this zone is due for the issue of a slot: for all at once, or at their own wall time."""
    if schedule.timezone != SUBSCRIBER:
        return slot.at
    return instant(slot.date, time.fromisoformat(slot.time) if slot.time else _times(schedule)[0], zone)


def at_hour(hour: int, zone: str, *, after: datetime) -> datetime:
    """The first moment (UTC), `after` itself or later, at which the clocks of a zone show an hour (0 to 23)."""
    today = after.astimezone(_clocks(zone)).date()
    moments = (instant(today + number * _DAY, time(hour), zone) for number in range(-1, 3))
    return next(moment for moment in moments if moment >= after)


def apart(schedule: Schedule) -> timedelta | None:
    """How far apart two issues are due for a reader who moves; None where a day has several turns."""
    return APART if len(_times(schedule)) == 1 else None


def slots_between(
    schedule: Schedule, *, after: datetime, until: datetime, zones: Collection[str] = ()
) -> Iterator[Slot]:
    """Yield the turns that begin after one moment and not after the other, in order."""
    first, last = (_utc(after) - _MARGIN).date(), (_utc(until) + _MARGIN).date()
    found = chain.from_iterable(
        slots_on(schedule, first + number * _DAY, zones=zones) for number in range((last - first).days + 1)
    )
    inside = sorted((slot for slot in found if after < slot.at <= until), key=lambda slot: (slot.at, slot.key))
    yield from {slot.at: slot for slot in inside}.values()


def next_slots(schedule: Schedule, *, now: datetime, count: int, zones: Collection[str] = ()) -> list[Slot]:
    """The next `count` turns after `now`, in order; fewer only where there are no more in 40 years."""
    start = _utc(now)
    weeks = (
        slots_between(schedule, after=start + number * _WEEK, until=start + (number + 1) * _WEEK, zones=zones)
        for number in range(_WEEKS_AHEAD)
    )
    return list(islice(chain.from_iterable(weeks), count))


def slots_on(schedule: Schedule, day: date, *, zones: Collection[str] = ()) -> tuple[Slot, ...]:
    """The turns of a local date, in the order of their wall times; none where the schedule leaves the day out."""
    if not _falls_on(schedule, day):
        return ()
    times = _times(schedule)
    return tuple(
        Slot(
            newsletter=schedule.newsletter,
            schedule=schedule.name,
            date=day,
            at=min(instant(day, wall_time, zone) for zone in _places(schedule, zones)),
            time=f"{wall_time:%H:%M}" if len(times) > 1 else "",
        )
        for wall_time in times
    )


def slot_on(schedule: Schedule, day: date, *, zones: Collection[str] = ()) -> Slot | None:
    """The first turn of a local date, past or to come, for an operator who names the date; None without one."""
    return next(iter(slots_on(schedule, day, zones=zones)), None)


def _places(schedule: Schedule, zones: Collection[str]) -> Collection[str]:
    """The zones whose clocks count. A newsletter that has no readers yet goes by UTC."""
    return (zones or ("UTC",)) if schedule.timezone == SUBSCRIBER else (schedule.timezone,)


def _times(schedule: Schedule) -> tuple[time, ...]:
    return cron.parse(schedule.cron).times if schedule.cron else tuple(sorted(set(schedule.at)))


def _falls_on(schedule: Schedule, day: date) -> bool:
    if schedule.cron:
        return cron.parse(schedule.cron).falls_on(day)
    return (day.weekday() in schedule.weekdays or _is_month_day(schedule, day)) and _is_its_week(schedule, day)


def _is_month_day(schedule: Schedule, day: date) -> bool:
    """Whether a day of the month is meant: the 31st of a month without one is its last day."""
    last = (day + _DAY).day == 1
    return day.day in schedule.month_days or (last and any(wanted > day.day for wanted in schedule.month_days))


def _is_its_week(schedule: Schedule, day: date) -> bool:
    """Whether a week counts, where only one of several does. Weeks begin on Monday."""
    first = schedule.starting or _A_MONDAY
    monday = first - first.weekday() * _DAY
    return day >= (schedule.starting or date.min) and (day - monday).days // 7 % schedule.weeks == 0


def _grace(schedule: Schedule) -> timedelta:
    return max(schedule.catch_up, TICK)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone says nothing about what is due: {moment.isoformat()}")
    return moment.astimezone(UTC)
