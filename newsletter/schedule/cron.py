"""Crontab patterns, as crontab(5) describes them: minute, hour, day of the month, month, day of the week.

Our own, and over wall times and dates rather than instants, so that a turn is (schedule, local date, wall time) and
the change to summer time is the business of `slots` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import lru_cache

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What one field may hold: numbers from low to high, and names for some of them."""

    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict)


FIELDS: Mapping[str, Range] = {
    "minute": Range(low=0, high=59),
    "hour": Range(low=0, high=23),
    "day": Range(low=1, high=31),
    "month": Range(low=1, high=12, names={name: number for number, name in enumerate(MONTHS, start=1)}),
    "weekday": Range(low=0, high=7, names={name: number for number, name in enumerate(DAYS)}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """The wall times of a crontab pattern, and the days it falls on. Weekdays are 0 (Monday) to 6."""

    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool  # day of the month or day of the week, where both are restricted; else both must agree

    def falls_on(self, day: date) -> bool:
        """Tell whether the pattern has a turn on this date."""
        by_date, by_week = day.day in self.days, day.weekday() in self.weekdays
        return day.month in self.months and ((by_date or by_week) if self.either else (by_date and by_week))

    def ever(self) -> bool:
        """Tell whether there is any such day; `0 8 31 2 *` has none. 28 years hold every date on every weekday."""
        start = date(2000, 1, 1)
        return any(self.falls_on(start + timedelta(days=number)) for number in range(28 * 366))


@lru_cache(maxsize=256)
def parse(text: str) -> Pattern:
    """Read a crontab pattern. ValueError names every field that is wrong."""
    words = text.lower().split()
    if len(words) != len(FIELDS):
        raise ValueError(f"has {len(words)} {'field' if len(words) == 1 else 'fields'}, not {len(FIELDS)}")
    numbers, mistakes = {}, []
    for word, (name, allowed) in zip(words, FIELDS.items(), strict=True):
        try:
            numbers[name] = _numbers(word, allowed)
        except ValueError as error:
            mistakes.append(f"{name} {error}")
    if mistakes:
        raise ValueError("; ".join(mistakes))
    _, _, day, _, weekday = words
    return Pattern(
        times=tuple(time(hour, minute) for hour in sorted(numbers["hour"]) for minute in sorted(numbers["minute"])),
        days=numbers["day"],
        months=numbers["month"],
        weekdays=frozenset((number - 1) % 7 for number in numbers["weekday"]),  # 0 and 7 are Sunday, our 6
        either=not day.startswith("*") and not weekday.startswith("*"),
    )


def _numbers(word: str, allowed: Range) -> frozenset[int]:
    return frozenset(number for part in word.split(",") for number in _part(part, allowed))


def _part(part: str, allowed: Range) -> range:
    match = re.fullmatch(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([0-9]{1,4}))?", part, re.ASCII)
    if not match or (match[1] == "*" and match[2]):
        raise ValueError(f"{part[:40]!r} is not a number, a range such as 1-5 or a step such as */2")
    first, last, step = match.groups()
    if step and first != "*" and not last:
        raise ValueError(f"{part!r} has a step but no range: write {first}-{allowed.high}/{step}")
    if step and not int(step):
        raise ValueError(f"{part!r} has a step of 0")
    if first == "*":
        return range(allowed.low, allowed.high + 1, int(step or 1))
    low, high = _number(first, allowed), _number(last or first, allowed)
    if last and high == 0 and low:
        high = _as_end(high, allowed)
    if low > high:
        raise ValueError(f"{part!r} runs backwards")
    return range(low, high + 1, int(step or 1))


def _as_end(number: int, allowed: Range) -> int:
    """Sunday at the end of a range of weekdays, `fri-sun`, is 7; nothing else has two numbers."""
    return 7 if "sun" in allowed.names else number


def _number(word: str, allowed: Range) -> int:
    if word in allowed.names:
        return allowed.names[word]
    if not re.fullmatch(r"[0-9]{1,4}", word):
        named = f", nor one of {' '.join(allowed.names)}" if allowed.names else ""
        raise ValueError(f"{word[:40]!r} is not a number{named}")
    if not allowed.low <= int(word) <= allowed.high:
        raise ValueError(f"{int(word)} is not in {allowed.low}-{allowed.high}")
    return int(word)
