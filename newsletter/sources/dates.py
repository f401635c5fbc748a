"""Dates as feeds write them: ISO 8601, RFC 822 and what people make of those, in a dozen languages. Pure.

Nothing is guessed that could be wrong by months: 03/04/2026 is no date, and neither is what leaves out its year.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

_LONGEST = 100  # characters; the longest of 1,790 distinct real dates has 32

# What the names of each month begin with, without accents, in English, German, French, Spanish, Italian, Portuguese,
# Dutch, Scandinavian, Hungarian, Polish, Czech, Turkish, Russian, Ukrainian, Bulgarian and Greek. The longest that
# fits counts: červen is June and červenec July.
_MONTHS = (
    "jan gen ene sty led oca янв січ яну ιαν",
    "feb fev fee lut uno sub фев лют φεβ",
    "mar maar mrt mrz bre мар берез μαρ",
    "apr avr abr avg kwi dub nis апр квіт απρ",
    "may mai maj mag mei kve май мая трав μαι",
    "jun juin giu cze cerv haz июн черв юни ιουν",
    "jul juil giul lug lip cervenec cervenc tem июл лип юли ιουλ",
    "aug aou ago sie srp agu авг серп αυγ",
    "sep set szep wrz zar eyl сен верес сеп σεπ",
    "oct okt ott out pazd rij eki окт жовт οκτ",
    "nov lis kas ноя лист ное νοε",
    "dec dez dic des gru pro ara дек груд δεκ",
)
# Hours east of Greenwich: RFC 822 section 5.1 and what else is common. The letters of the military alphabet say
# nothing (RFC 5322 section 4.3), and neither does a name that is not here.
_ZONES = (
    "-10 hst, -9 akst, -8 pst pt akdt, -7 mst mt pdt, -6 cst ct mdt, -5 est et cdt, -4 ast at edt, -3 adt brt art, "
    "1 cet met bst wat, 2 cest mest mesz eet sast cat, 3 msk eest eat trt, 4 msd gst, 5 pkt, 5.5 ist, 7 wib ict, "
    "8 sgt hkt awst, 9 jst kst, 9.5 acst, 10 aest, 11 aedt, 12 nzst, 13 nzdt"
)

_CLOCK = re.compile(
    r"""(?: (?<![\d+-]) (?P<hour>\d\d?) [:h] (?P<minute>\d\d) (?: : (?P<second>\d\d) )?
          | (?<=\dt) (?P<hours>\d\d) (?P<minutes>\d\d) (?P<seconds>\d\d)? )
        (?: [.,:] \d+ )?  (?!\d) (?: \s* (?P<half>[ap]) \.? m\b )?""",
    re.VERBOSE,
)
_OFFSET = re.compile(r"(?<!\d)([+-])\s?(\d\d?)(?::?(\d\d))?(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")
_YEAR = re.compile(r"\s*\d{4}\s*")
_FOUR = 4  # digits of a year
_PIVOT = 50  # from here on two digits are of the last century
_DECEMBER = 12
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?")
_DAYS = tuple(
    re.compile(rf"(?<!\d){pattern}(?!\d)")
    for pattern in (
        r"(?P<year>\d{4})([-/.])(?P<month>\d\d?)(?:\2(?P<day>\d\d?))?",
        r"(?P<year>\d{4})-?w(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
        r"(?P<year>\d{4})-?(?P<ordinal>\d{3})",
        r"(?P<day>\d\d?)([-.])(?P<month>\d\d?)\2(?P<year>\d{4})",
    )
)
_SLASHED = re.compile(r"(?<!\d)(\d\d?)/(\d\d?)/(\d{4})(?!\d)")
_WRITTEN = str.maketrans({"年": "-", "月": "-", "日": " ", "년": "-", "월": "-", "일": " "})


def read_date(text: str) -> datetime | None:
    """The moment a text tells, in UTC; None where it tells none. Without a zone it is taken to be in UTC."""
    told = _folded(text[:_LONGEST])
    if epoch := _EPOCH.fullmatch(told):
        return datetime.fromtimestamp(int(epoch[1]), UTC)
    clock = _CLOCK.search(told)
    before, after = (told[: clock.start()], told[clock.end() :]) if clock else (told, "")
    offset = _OFFSET.search(after)
    if offset:
        after = after[: offset.start()] + " " + after[offset.end() :]
    try:
        day = _day(before + " " + after, month_first=bool(clock and clock["half"]))
        moment = _at(day, clock) if day else None
        return moment and (moment - _east(offset, after)).astimezone(UTC)
    except (ValueError, OverflowError):  # a day or a year that the calendar does not have
        return None


def _folded(text: str) -> str:
    """In lower case, without accents, and with the numbers of East Asian dates set apart as elsewhere."""
    spelled = unicodedata.normalize("NFKD", text.translate(_WRITTEN).replace("- ", "-"))
    return "".join(one for one in spelled if not unicodedata.combining(one)).casefold().strip()


def _at(day: date, clock: re.Match[str] | None) -> datetime:
    """That time of that day. A time that there is none of counts as midnight, 24:00 as that of the next day."""
    midnight = datetime.combine(day, time(), UTC)
    if clock is None:
        return midnight
    hour, minute, second = (int(clock[name] or clock[f"{name}s"] or 0) for name in ("hour", "minute", "second"))
    if clock["half"]:
        hour = hour % 12 + (12 if clock["half"] == "p" else 0)
    if (hour, minute, second) == (24, 0, 0):
        return midnight + timedelta(days=1)
    with suppress(ValueError):
        return datetime.combine(day, time(hour, minute, min(second, 59)), UTC)  # 60 is a leap second
    return midnight


def _east(offset: re.Match[str] | None, after: str) -> timedelta:
    """How far east of Greenwich: by the number behind the time, else by the name of a zone there."""
    if offset:
        sign, hours, minutes = offset.groups()
        east = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return -east if sign == "-" else east
    names = (name for name in _WORD.findall(after) if name in _HOURS_EAST)
    return timedelta(hours=_HOURS_EAST[next(names, "utc")])


def _day(told: str, *, month_first: bool) -> date | None:
    if months := [month for word in _WORD.findall(told) if (month := _month(word))]:
        return _of_words(months, _NUMBER.findall(told))
    for pattern in _DAYS:
        if found := pattern.search(told):
            return _of_calendar(found.groupdict())
    if slashed := _SLASHED.search(told):
        return _of_slashes(*map(int, slashed.groups()), month_first=month_first)
    return date(int(told), 1, 1) if _YEAR.fullmatch(told) else None


def _of_calendar(parts: Mapping[str, str | None]) -> date:
    given = {name: int(number) for name, number in parts.items() if number}
    year = given["year"]
    if "week" in given:
        return date.fromisocalendar(year, given["week"], given.get("weekday", 1))
    if "ordinal" in given:
        return date(year, 1, 1) + timedelta(days=given["ordinal"] - 1)
    return date(year, given.get("month", 1), given.get("day", 1))


def _of_slashes(first: int, second: int, year: int, *, month_first: bool) -> date | None:
    if first > _DECEMBER:
        return date(year, second, first)
    return date(year, first, second) if second > _DECEMBER or month_first else None


def _of_words(months: Sequence[int], numbers: Sequence[str]) -> date | None:
    """The day, month and year of a date with the month's name in it; the year has four digits, or comes last."""
    year = next((number for number in numbers if len(number) == _FOUR), numbers[-1] if len(numbers) > 1 else "")
    if not year:
        return None
    days = [number for number in numbers if number is not year]
    # French and Spanish Tuesdays begin like March, so the last one counts.
    return date(_year(year), months[-1], int(days[0]) if days else 1)


def _year(written: str) -> int:
    """Of two digits, by RFC 5322 section 4.3."""
    year = int(written)
    return year if len(written) == _FOUR else year + 1900 if year >= _PIVOT else year + 2000


def _month(word: str) -> int:
    return next((number for end in _LENGTHS if (number := _NUMBER_OF.get(word[:end]))), 0)


_NUMBER_OF = {_folded(stem): number for number, stems in enumerate(_MONTHS, 1) for stem in stems.split()}
_LENGTHS = range(max(map(len, _NUMBER_OF)), 2, -1)
_HOURS_EAST = {"utc": 0.0} | {
    name: float(hours) for hours, *names in (zone.split() for zone in _ZONES.split(", ")) for name in names
}
