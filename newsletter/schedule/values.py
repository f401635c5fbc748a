"""What the values in schedules.yaml mean: from the text of one value to the value, or a `Mistake`.

The text is what stands in the file, not what YAML 1.1 would make of it: there `08:00` is the number 480, and `no`
(the language, or a keyword) is false.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Collection
from datetime import date, time, timedelta
from email.utils import getaddresses
from functools import cache

from newsletter.addresses import complaint
from newsletter.model import Window
from newsletter.schedule import cron
from newsletter.schedule.slots import SUBSCRIBER

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY = {
    "day": frozenset(range(7)),
    "weekday": frozenset(range(5)),
    "weekend": frozenset({5, 6}),
    **{name: frozenset({number}) for number, name in enumerate(WEEKDAYS)},
}
LONGEST = timedelta(days=366)
FEW = 16  # more choices than this are a catalogue, not a hint


class Mistake(ValueError):
    """A value that cannot be used: `what` is wrong with it, and a `hint` what to write where one can be given."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


def suggestion(word: str, choices: Collection[str]) -> str:
    """Tell the choice that looks most like the word, else all of them when they are few, else nothing."""
    folded = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(word[:64].casefold(), folded, n=1)
    if close:
        return f"did you mean '{folded[close[0]]}'?"
    return f"choose from: {', '.join(choices)}" if 0 < len(choices) <= FEW else ""


def quoted(text: str) -> str:
    """Show a value in a message: in quotes, control characters escaped, cut where it is long."""
    return repr(text if len(text) <= 40 else text[:39] + "…")  # noqa: PLR2004 (a line of a terminal has 80)


# --- text -------------------------------------------------------------------------------------------------------


def verbatim(text: str) -> str:
    """Text as it stands, on one line: no control characters, no line breaks, nothing that UTF-8 cannot carry."""
    if not text.strip():
        raise Mistake("is empty", "give it a value, or leave the key out where it is optional")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        raise Mistake("holds a line break or another control character")
    return text


def prose(text: str) -> str:
    """Text for readers; white space is collapsed, so that it may be folded over several lines in the file."""
    return verbatim(" ".join(text.split()))


def name(text: str) -> str:
    """The name of a newsletter, source, topic or schedule: it becomes part of addresses and keys."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", text):
        raise Mistake("is not a valid name", "lower-case letters a-z, digits and hyphens, beginning with no hyphen")
    return text


def unless(text: str, taken: Collection[str]) -> str:
    """The name, which is none of those that pages have."""
    if text in taken:
        raise Mistake("is the name of a page, which would be hidden", f"another one, such as {text}-letter")
    return text


def one_of(choices: Collection[str], noun: str) -> Callable[[str], str]:
    """Read one of the choices; `noun` is what they are called in messages."""

    def parse(text: str) -> str:
        if text in choices:
            return text
        raise Mistake(f"there is no {noun} {quoted(text)}", suggestion(text, choices) or f"no {noun} is defined")

    return parse


def language(text: str) -> str:
    """A language tag such as `en`, `pt-BR`: the shape of RFC 5646, not its registry."""
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", text):
        raise Mistake(f"{quoted(text)} is not a language tag", "such as en, de or pt-BR")
    return text


_NOT_UNDERSTOOD = [("", "")]  # by releases of Python that know CVE-2023-27043; older ones found several


def mailbox(text: str) -> str:
    """One RFC 5322 mailbox: an address, alone or in angle brackets after a display name."""
    text = verbatim(text).strip()
    found = getaddresses([text])
    if len(found) != 1 or found == _NOT_UNDERSTOOD:
        raise Mistake("must be one address", "a display name that holds a comma needs quotes")
    display_name, address = found[0]
    # The parser is lenient: it takes comments and drops what it does not understand. What it understood must be all.
    if text not in {address, f"<{address}>"} and not (display_name and text.endswith(f"<{address}>")):
        raise Mistake(f"{quoted(text)} is not a mailbox", "such as Daily Papers <papers@example.org>")
    if reason := complaint(address):
        raise Mistake(f"{quoted(address)} is not an e-mail address", reason)
    return text


# --- numbers ----------------------------------------------------------------------------------------------------


def integer(text: str) -> int:
    """Read a whole number of at most nine digits, always decimal."""
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise Mistake(f"{quoted(text)} is not a whole number")
    return int(text)


def between(low: int, high: int) -> Callable[[str], int]:
    """Read a whole number from low to high, both included."""

    def parse(text: str) -> int:
        number = integer(text)
        if not low <= number <= high:
            raise Mistake(f"{number} is not in {low}-{high}")
        return number

    return parse


def factor(text: str) -> float:
    """Read a number from 0.01 to 100."""
    try:
        number = float(text)
    except ValueError:
        raise Mistake(f"{quoted(text)} is not a number", "such as 0.5 or 2") from None
    if not 0.01 <= number <= 100:  # noqa: PLR2004 - the bounds it names
        raise Mistake(f"{quoted(text)} is not in 0.01-100", "1 is what a source weighs that says nothing")
    return number


def boolean(text: str) -> bool:
    """Read yes or no, in the spellings of YAML 1.1."""
    if text.lower() in {"true", "yes", "on"}:
        return True
    if text.lower() in {"false", "no", "off"}:
        return False
    raise Mistake(f"{quoted(text)} is neither true nor false")


# --- time -------------------------------------------------------------------------------------------------------


def duration(text: str) -> timedelta:
    """Read a number of minutes, hours or days: `30m`, `6h`, `2d`."""
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    if not match:
        raise Mistake(f"{quoted(text)} is not a duration", "such as 30m, 6h or 2d")
    unit = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[match[2]]
    if int(match[1]) * unit > LONGEST:
        raise Mistake(f"{quoted(text)} is longer than {LONGEST.days} days")
    return int(match[1]) * unit


def age(text: str) -> timedelta:
    """Read a duration longer than zero."""
    value = duration(text)
    if not value:
        raise Mistake("must be longer than zero")
    return value


def catch_up(text: str) -> timedelta:
    """How late a slot may still be taken up; `never` and 0 are the zero duration."""
    if text in {"never", "0"}:
        return timedelta(0)
    try:
        return duration(text)
    except Mistake as mistake:
        raise Mistake(mistake.what, mistake.hint and f"{mistake.hint}, or never") from None


def wall_time(text: str) -> time:
    """A time of day as the clock on the wall shows it, `08:00` to `23:59`."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    if not match:
        raise Mistake(f"{quoted(text)} is not a time of day", 'such as "08:00"')
    hour, minute = int(match[1]), int(match[2])
    if hour > 23 or minute > 59:  # noqa: PLR2004 (the clock's own numbers)
        raise Mistake(f"{quoted(text)} is not a time of day", "00:00 to 23:59; midnight is the 00:00 that begins a day")
    return time(hour, minute)


def window(text: str) -> Window:
    """Hours of the clock, `08:00-18:00`; `22:00-06:00` runs over midnight."""
    start, dash, end = (part.strip() for part in text.partition("-"))
    if not dash:
        raise Mistake(f"{quoted(text)} is not a window", 'such as "08:00-18:00"')
    hours = Window(start=wall_time(start), end=wall_time(end))
    if hours.start == hours.end:
        raise Mistake(f"{quoted(text)} is empty", "leave the key out for mail at any hour")
    return hours


Days = tuple[frozenset[int], frozenset[int]]  # weekdays (0 is Monday) and days of the month


def days(text: str) -> Days:
    """The days that one word of `every` stands for: weekdays, or the number of a day of each month."""
    if text.lower() in EVERY:
        return EVERY[text.lower()], frozenset()
    if text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= 31:  # noqa: PLR2004 (the calendar's)
        return frozenset(), frozenset({int(text)})
    raise Mistake(f"{quoted(text)} is not a day", f"choose from: {', '.join(EVERY)}, or the 1 to 31 of a month")


def a_date(text: str) -> date:
    """Read a date, `2026-01-05`."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Mistake(f"{quoted(text)} is not a date", "such as 2026-01-05")


def crontab(text: str) -> str:
    """Five crontab fields, each checked, that fall on some day at least once."""
    try:
        pattern = cron.parse(text)
    except ValueError as error:
        raise Mistake(str(error), f"five fields: {' '.join(cron.FIELDS)}") from None
    if not pattern.ever():
        raise Mistake("no year has such a day")
    return text


@cache
def zone_names() -> frozenset[str]:
    """Every IANA time zone known here. Kept, since finding them reads some hundred files."""
    return frozenset(zoneinfo.available_timezones())


def timezone(text: str) -> str:
    """An IANA time zone name, or `subscriber`: the zone of each reader."""
    if text == SUBSCRIBER or text in zone_names():
        return text
    place = "/" + text.replace(" ", "_").casefold()
    there = sorted(zone for zone in zone_names() if zone.casefold().endswith(place))
    hint = f"did you mean '{there[0]}'?" if there else suggestion(text, [SUBSCRIBER, *sorted(zone_names())])
    raise Mistake(f"there is no time zone {quoted(text)}", hint or "a name such as Europe/Paris, UTC, or subscriber")
