"""What mails and pages say in a reader's language: words by gettext catalogue, dates and figures by locale.

    language = speak("de-AT")
    language.gettext("Unsubscribe")                                -> "Abmelden"
    language.ngettext("%(count)s paper", "%(count)s papers", 12)   -> "12 Artikel"
    language.full_date(day), language.number(1204), language.compact(3400)

Catalogues are the `.po` files under `locale/`, read as they are: there is nothing to compile. A language without a
catalogue speaks English, in the manner of the wider world (20 November, "A, B and C"); en-US has its own manner.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal

CATALOGUES = Path(__file__).parent / "locale"
DOMAIN = "newsletter"
_WORLD = "en_001"
_KEPT = 5_000  # days and figures in words: pages say the same ones again and again


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Language:
    """One language, ready to speak. `tag` is its BCP 47 tag, `direction` ltr or rtl."""

    tag: str
    direction: str
    _locale: Locale = field(repr=False)
    _catalogue: NullTranslations = field(repr=False)

    @property
    def name(self) -> str:
        """What it calls itself: `Deutsch`."""
        return str(Locale.parse(self.tag, sep="-").get_display_name())

    def gettext(self, message: str, **values: object) -> str:
        """The message in this language, with its `%(name)s` filled in where there are values."""
        told = self._catalogue.gettext(message)
        return told % values if values else told

    def ngettext(self, one: str, many: str, count: int, **values: object) -> str:
        """The message for so many; `%(count)s` is the number as this language writes it."""
        return self._catalogue.ngettext(one, many, count) % {"count": self.number(count), **values}

    def full_date(self, day: date) -> str:
        """`Friday, 20 November 2026`."""
        return str(format_date(day, "full", locale=self._locale))

    def short_date(self, day: date) -> str:
        """`20 Nov`."""
        return _day("MMMd", day, self._locale)

    def month(self, day: date) -> str:
        """`November 2026`."""
        return _day("yMMMM", day, self._locale)

    def time(self, at: datetime) -> str:
        """`08:00`."""
        return str(format_time(at, "short", locale=self._locale))

    def number(self, number: int) -> str:
        """`1,204`."""
        return _figure(number, self._locale)

    def compact(self, number: int) -> str:
        """`261`, `3.4k`, `12k`, `1.2M`."""
        rounded = _rounded(number)
        decimals = 1 if len(str(rounded)) % 3 == 1 else 0  # 3.4k, but 12k and 120k
        short = str(format_compact_decimal(rounded, locale=self._locale, fraction_digits=decimals))
        if short.isdigit():  # German has no short thousand
            return self.number(number)
        return short.replace("K", "k") if self._locale.language == "en" else short

    def listed(self, things: Sequence[str]) -> str:
        """`A, B and C`."""
        return str(format_list(list(things), locale=self._locale)) if things else ""


@lru_cache(_KEPT)
def _day(skeleton: str, day: date, locale: Locale) -> str:
    return str(format_skeleton(skeleton, day, locale=locale))


@lru_cache(_KEPT)
def _figure(number: int, locale: Locale) -> str:
    return str(format_decimal(number, locale=locale))


@cache
def speak(tag: str) -> Language:
    """The language of a BCP 47 tag; its words are English where it has no catalogue, and it is English for no tag."""
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        tag, locale = "en", Locale.parse("en")
    direction = str(locale.text_direction)
    files = {path.parts[-3]: path for path in _files()}
    if locale.language in files:
        catalogue = _catalogue(files[locale.language], locale.language)
    else:
        catalogue = NullTranslations()
        if locale.language != "en" or not locale.territory:
            locale = Locale.parse(_WORLD)
    return Language(tag=tag, direction=direction, _locale=locale, _catalogue=catalogue)


def languages() -> list[str]:
    """The languages that mails and pages can speak: English and those with a catalogue."""
    return ["en", *(path.parts[-3] for path in _files())]


def others(chosen: Iterable[str], own: str) -> list[str]:
    """The languages among the chosen that can be spoken and are not this one; that of a region is the same language."""
    return sorted(set(chosen).intersection(languages()) - {own.partition("-")[0]})


def _rounded(number: int) -> int:
    """To what is told: 3,412 is 3,400, 12,345 is 12,000, 999,499 is 999,000, 999,500 a million."""
    length = len(str(number))
    if length <= 3:  # noqa: PLR2004 - told as it is
        return number
    kept = 3 if length % 3 == 0 else 2
    unit = int(10 ** (length - kept))
    return int((number + unit // 2) // unit * unit)


def _files() -> list[Path]:
    return sorted(CATALOGUES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def _catalogue(path: Path, language: str) -> NullTranslations:
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


ENGLISH = speak("en")
