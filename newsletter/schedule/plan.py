"""schedules.yaml -> Plan, or every mistake in it at once.

    load = read the file -> compose its nodes -> names of everything -> newsletters, sources, topics, schedules

Names are gathered before anything is read, so that a reference can be checked where it stands. The tables below are
the file's contract: a key that is in none of them is a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Any, Protocol, TypeVar

from newsletter.errors import ConfigError, Problem
from newsletter.model import Limits, Newsletter, Plan, Schedule, Source, Topic, WhenEmpty
from newsletter.registry import Option
from newsletter.schedule.filters import filters
from newsletter.schedule.nodes import Cursor, Field, compose, record, several, single
from newsletter.schedule.values import (
    Days,
    Mistake,
    a_date,
    age,
    between,
    boolean,
    catch_up,
    crontab,
    days,
    factor,
    integer,
    language,
    mailbox,
    name,
    one_of,
    prose,
    timezone,
    unless,
    verbatim,
    wall_time,
    window,
)

T = TypeVar("T")

LARGEST = 1_000_000  # bytes
INIT = "`newsletter init` writes one to begin with"


class Kind(Protocol):
    """What this room needs to know of a source kind (see `newsletter.sources.Kind`)."""

    @property
    def options(self) -> Mapping[str, Option]:
        """The keys it takes beside `kind`."""
        ...

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """What is wrong with option values of the right types; `Problem.key` is the option's name."""
        ...


Stamp = tuple[int, int]  # of a file: when it was written (in nanoseconds), its size


def stamp(path: Path) -> Stamp | None:
    """Which state of the file this is, None where there is none: it differs once the file has changed."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def load(path: Path, *, kinds: Mapping[str, Kind], themes: Collection[str]) -> Plan:
    """Read schedules.yaml. ConfigError holds every problem found, in the order of their lines."""
    return read(_text(path), file=str(path), kinds=kinds, themes=themes)


def read(text: str, *, file: str, kinds: Mapping[str, Kind], themes: Collection[str]) -> Plan:
    """Read the text of a schedules.yaml; `file` is what messages call it. ConfigError as from `load`."""
    noted: list[Problem] = []
    root = compose(text, file=file, noted=noted)
    if root and not root.empty:
        plan = root.read(lambda cursor: _plan(cursor, kinds=kinds, themes=themes))
    elif not noted:
        noted.append(Problem(key="file", what="is empty", hint=INIT, file=file))
    if noted or not plan:
        # Items of one list can have the same mistake on the same line.
        raise ConfigError(sorted(dict.fromkeys(noted), key=lambda problem: problem.line))
    return plan


def _text(path: Path) -> str:
    def refused(what: str, *, hint: str = "", line: int = 0) -> ConfigError:
        return ConfigError([Problem(key="file", what=what, hint=hint, file=str(path), line=line)])

    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise refused("there is no such file", hint=INIT) from None
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror}", hint=INIT) from None
    if len(data) > LARGEST:
        raise refused(f"is larger than {LARGEST // 1000} kB", hint=f"is it the right file? {INIT}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refused("is not UTF-8 text", hint=f"save it as UTF-8; {INIT}", line=line) from None


# --- the four parts ---------------------------------------------------------------------------------------------

# The first part of an address of the web pages is a newsletter's name or one of these, the second a schedule's or ...
SITE = frozenset(
    {
        "account",
        "address",
        "api",
        "confirm",
        "never",
        "object",
        "oembed",
        "operator",
        "preferences",
        "session",
        "static",
        "subscribe",
        "unsubscribe",
    }
)
PAGES = frozenset({"about", "archive", "embed", "search", "stories", "subscribe", "topics"})

Values = dict[str, Any]  # by the attributes of the class they are for


def _plan(root: Cursor, *, kinds: Mapping[str, Kind], themes: Collection[str]) -> Plan:
    parts = record(root, root.entries(), PARTS)
    newsletters, sources, topics, schedules = (parts.get(part, {}) for part in PARTS)
    of_newsletter = _newsletter_fields(sources=sources, topics=topics, themes=themes)
    of_schedule = _schedule_fields(newsletters=newsletters)
    return Plan(
        newsletters=_each(
            newsletters, Newsletter, lambda cursor: record(cursor, cursor.entries(), of_newsletter), SITE
        ),
        sources=_each(sources, Source, lambda cursor: _source(cursor, kinds)),
        topics=_each(topics, Topic, lambda cursor: record(cursor, cursor.entries(), TOPIC)),
        schedules=_each(schedules, Schedule, lambda cursor: _schedule(cursor, of_schedule), PAGES),
    )


def _part(cursor: Cursor) -> dict[str, Cursor]:
    return {} if cursor.empty else cursor.entries()


def _newsletters(cursor: Cursor) -> dict[str, Cursor]:
    part = _part(cursor)
    if not part:
        raise Mistake("none is defined", INIT)
    return part


PARTS = {
    "newsletters": Field(read=_newsletters, required=INIT),
    "sources": Field(read=_part),
    "topics": Field(read=_part),
    "schedules": Field(read=_part),
}


def _each(
    part: Mapping[str, Cursor],
    make: Callable[..., T],
    fill: Callable[[Cursor], Values],
    taken: Collection[str] = frozenset(),
) -> dict[str, T]:
    """Make the things of a part, each under its name; one with a mistake, or whose name is taken, is left out."""
    things: dict[str, T] = {}
    for called, cursor in part.items():
        before = len(cursor.noted)
        _check_name(cursor, called, taken)
        values = cursor.read(fill)
        if values is not None and len(cursor.noted) == before:
            things[called] = make(name=called, **values)
    return things


def _check_name(cursor: Cursor, called: str, taken: Collection[str]) -> None:
    cursor.read(lambda _: unless(name(called), taken))


# --- newsletters and topics -------------------------------------------------------------------------------------

LIMITS = {
    "stories": Field(read=single(between(1, 500))),
    "per_topic": Field(read=single(between(1, 500))),
}

TOPIC = {
    "title": Field(read=single(prose), required="such as title: Language models"),
    "about": Field(read=single(prose)),
    "keywords": Field(read=several(prose)),
    "exclude": Field(read=several(prose)),
    "umbrella": Field(read=single(prose)),
    "examples": Field(read=several(prose)),
}


def _newsletter_fields(
    *, sources: Collection[str], topics: Collection[str], themes: Collection[str]
) -> Mapping[str, Field]:
    return {
        "title": Field(read=single(prose), required="such as title: Daily Papers"),
        "from": Field(
            read=single(mailbox), required='such as from: "Daily Papers <papers@example.org>"', attribute="sender"
        ),
        "theme": Field(read=single(one_of(themes, "theme"))),
        "sources": Field(read=several(one_of(sources, "source"), least=1), required="such as sources: [my-source]"),
        "topics": Field(read=several(one_of(topics, "topic"))),
        "limits": Field(read=_limits),
        "filters": Field(read=filters),
        "when_empty": Field(read=single(_when_empty)),
        "max_age": Field(read=single(age)),
        "language": Field(read=single(language)),
        "address": Field(read=single(prose)),
        "noun": Field(read=single(one_of(("paper", "story"), "noun"))),
        "images": Field(read=single(boolean)),
        "approval": Field(read=single(_approval)),
        "votes": Field(read=single(boolean)),
        "public": Field(read=single(boolean)),
    }


def _limits(cursor: Cursor) -> Limits:
    return Limits(**record(cursor, cursor.entries(), LIMITS))


def _approval(text: str) -> bool:
    return one_of(("required", "none"), "choice")(text) == "required"


def _when_empty(text: str) -> WhenEmpty:
    return WhenEmpty(one_of([choice.value for choice in WhenEmpty], "choice")(text))


# --- sources ----------------------------------------------------------------------------------------------------

NEEDED = "this kind of source needs it"

OPTION: Mapping[type, Callable[[Cursor], object]] = {
    str: single(verbatim),
    int: single(integer),
    bool: single(boolean),
    tuple: several(verbatim),
}


def _source(cursor: Cursor, kinds: Mapping[str, Kind]) -> Values:
    """Read a source by what its kind takes. Of a kind nobody knows, nothing else can be said."""
    entries = cursor.entries()
    fields = _source_fields(kinds)
    said = record(cursor, {key: entries[key] for key in entries if key in fields}, fields)
    if "kind" not in said:
        return {}
    given = {key: entries[key] for key in entries if key not in fields}
    return {**said, "options": _options(cursor, given, kinds[said["kind"]])}


def _source_fields(kinds: Mapping[str, Kind]) -> Mapping[str, Field]:
    """What every source may say, whatever its kind."""
    return {
        "kind": Field(read=single(one_of(kinds, "kind of source")), required="such as kind: feed"),
        "weight": Field(read=single(factor)),
    }


def _options(cursor: Cursor, given: Mapping[str, Cursor], kind: Kind) -> Values:
    fields = {
        key: Field(read=OPTION[option.type], required=(option.help or NEEDED) if option.required else "")
        for key, option in kind.options.items()
    }
    before = len(cursor.noted)
    values = record(cursor, given, fields)
    if any(option.required and key not in values for key, option in kind.options.items()):
        return values
    clean = len(cursor.noted) == before
    for problem in kind.check(values):
        # A value that could not be read is missing here, and has been reported for what it is.
        if clean or problem.key in values:
            place = given.get(problem.key)
            key = "" if place else problem.key
            (place or cursor).note(problem.what, problem.hint, key=key)
    return values


# --- schedules --------------------------------------------------------------------------------------------------

CADENCES = ("daily", "weekly", "monthly")


def _schedule_fields(*, newsletters: Collection[str]) -> Mapping[str, Field]:
    return {
        "newsletter": Field(
            read=single(one_of(newsletters, "newsletter")), required="the name of one, as it stands under newsletters"
        ),
        "every": Field(read=_every),
        "weeks": Field(read=single(between(1, 52))),
        "starting": Field(read=single(a_date)),
        "at": Field(read=_at),
        "cron": Field(read=single(crontab)),
        "timezone": Field(read=single(timezone)),
        "catch_up": Field(read=single(catch_up)),
        "window": Field(read=single(window)),
        "expires": Field(read=single(age)),
        "cadence": Field(read=single(one_of(CADENCES, "cadence"))),
    }


def _schedule(cursor: Cursor, fields: Mapping[str, Field]) -> Values:
    entries = cursor.entries()
    if "cron" in entries:
        for key in ("every", "at", "weeks", "starting"):
            if key in entries:
                entries[key].note("cannot stand beside cron", "cron says both the days and the times")
    elif "at" not in entries:
        cursor.note("is missing", 'such as at: "08:00"; or give cron', key="at")
    values = record(cursor, entries, fields)
    if "every" in values:
        values["weekdays"], values["month_days"] = values.pop("every")
    return values


def _every(cursor: Cursor) -> Days:
    said = several(days, least=1)(cursor)
    return frozenset().union(*(weekdays for weekdays, _ in said)), frozenset().union(*(numbers for _, numbers in said))


def _at(cursor: Cursor) -> tuple[time, ...]:
    return tuple(sorted(several(wall_time, least=1)(cursor)))
