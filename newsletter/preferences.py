"""A form of preferences, read: what a reader chose, and every mistake beside the field it is in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from zoneinfo import available_timezones

from newsletter.language import Language, languages
from newsletter.model import Newsletter, Plan, Preferences, Topic
from newsletter.wordlist import LONGEST, MOST, is_word, read_words

Fields = Mapping[str, Sequence[str]]

HOURS = range(24)
LONGEST_PAUSE = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What can be chosen of a newsletter."""

    topics: tuple[Topic, ...]
    cadences: tuple[str, ...]
    stories: int


def offered(plan: Plan, newsletter: Newsletter) -> Offer:
    """By its topics, its schedules and its limits."""
    schedules = [schedule for schedule in plan.schedules.values() if schedule.newsletter == newsletter.name]
    return Offer(
        topics=tuple(plan.topics[name] for name in newsletter.topics),
        cadences=tuple(name for name in _CADENCES if any(schedule.cadence == name for schedule in schedules)),
        stories=newsletter.limits.stories,
    )


_CADENCES = ("daily", "weekly", "monthly")


@cache
def zones() -> tuple[str, ...]:
    """The time zones that can be chosen: those of places, and UTC."""
    places = (zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return ("UTC", *sorted(places))


def read_preferences(
    fields: Fields, offer: Offer, *, before: Preferences, today: date, language: Language
) -> tuple[Preferences, dict[str, str]]:
    """What a form says, and its mistakes by field, in the reader's language; without any the preferences can be kept.

    The whole form counts: what is not in it is not chosen. Only of choices that did not come, such as those that are
    not offered, stays what was `before`; a time zone that nobody can choose any more may stay too.
    """
    reading = _Reading(fields, language)
    _ = language.gettext
    chosen = Preferences(
        topics=reading.topics(offer),
        include=reading.words("include"),
        exclude=reading.words("exclude"),
        authors=reading.words("authors"),
        cadence=reading.choice("cadence", offer.cadences, before.cadence),
        hour=reading.number("hour", 0, 23, _("An hour is a number from 0 to 23.")),
        timezone=reading.choice("timezone", ("", *zones(), before.timezone), before.timezone),
        language=reading.choice("language", ("", *languages()), before.language),
        stories=reading.number(
            "stories", 1, offer.stories, _("This is a number from 1 to %(most)s.", most=offer.stories)
        ),
        paused_until=reading.day("paused_until", today),
    )
    return chosen, reading.mistakes


@dataclass
class _Reading:
    fields: Fields
    language: Language
    mistakes: dict[str, str] = field(default_factory=dict)

    def _text(self, name: str) -> str | None:
        values = self.fields.get(name, ())
        return values[0].strip() if values else None

    def _wrong(self, name: str, what: str) -> None:
        self.mistakes.setdefault(name, what)

    def topics(self, offer: Offer) -> tuple[str, ...]:
        """In the newsletter's order; all of them is none in particular."""
        known = [topic.name for topic in offer.topics]
        chosen = set(self.fields.get("topics", ()))
        if not chosen <= set(known):
            self._wrong("topics", self.language.gettext("There is no such topic."))
        return tuple(name for name in known if name in chosen) if chosen != set(known) else ()

    def choice(self, name: str, choices: Sequence[str], otherwise: str) -> str:
        text = self._text(name)
        if text is not None and text not in choices:
            self._wrong(name, self.language.gettext("This is none of the choices."))
        return otherwise if text is None or text not in choices else text

    def number(self, name: str, least: int, most: int, what: str) -> int | None:
        text = self._text(name)
        if not text:
            return None
        if not re.fullmatch("[0-9]{1,4}", text) or not least <= int(text) <= most:
            self._wrong(name, what)
            return None
        return int(text)

    def words(self, name: str) -> tuple[str, ...]:
        words = read_words(self._text(name) or "")
        if len(words) > MOST:
            self._wrong(name, self.language.gettext("These are more than %(most)s.", most=MOST))
        elif not all(is_word(word) for word in words):
            what = self.language.gettext("One of them is longer than %(most)s characters.", most=LONGEST)
            self._wrong(name, what)
        return words

    def day(self, name: str, today: date) -> date | None:
        """A pause that is over is none."""
        text = self._text(name)
        if not text:
            return None
        day = _parsed(date.fromisoformat, text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
        if day is None or day - today > LONGEST_PAUSE:
            self._wrong(name, self.language.gettext("This is no day of the coming year."))
            return None
        return day if day > today else None


def _parsed(read: Callable[[str], date], text: str) -> date | None:
    try:
        return read(text)
    except ValueError:
        return None
