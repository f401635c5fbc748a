"""Lists of readers from other places: whose column is which, and what each row says about consent.

The columns of these exports are known, and any file with a column of addresses will do:

- listmonk: `uuid, email, name, attributes, status, created_at, updated_at`; status enabled, disabled, blocklisted
  (github.com/knadh/listmonk, cmd/subscribers.go, handleExportSubscribers).
- Mailchimp: `Email Address, First Name, Last Name, …, MEMBER_RATING, OPTIN_TIME, OPTIN_IP, CONFIRM_TIME, …,
  LAST_CHANGED, LEID, EUID, NOTES, TAGS`, in the files subscribed_, unsubscribed_ (with UNSUB_TIME) and cleaned_… (with
  CLEAN_TIME) (mailchimp.com/help/view-export-contacts, docs.buttondown.com/mailchimp).
- Buttondown: `email` or `email_address`, notes, metadata, tags, `subscriber_type` or `type`, unsubscription_date,
  undeliverability_date (docs.buttondown.com/api-subscribers-introduction, and the types in
  github.com/buttondown/openapi, enums.json).
- Substack: `email, active_subscription, expiry, plan, email_disabled, created_at, first_payment_at`; an inactive
  subscription is one that pays nothing (github.com/TryGhost/migrate, packages/mg-substack).
- A plain list of addresses, with a header or without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import PurePath
from zoneinfo import available_timezones

from newsletter.addresses import address, is_plain
from newsletter.language import speak
from newsletter.model import Preferences
from newsletter.sheets import Sheet, harmless, plain
from newsletter.store.enrolment import CHOSE_NOTHING, Entrant
from newsletter.store.subscribers import Subscriber
from newsletter.wordlist import LONGEST, MOST, is_word, read_words, write_words

CADENCES = ("daily", "weekly", "monthly")
_LISTS = ("topics", "include", "exclude", "authors")
# What a reader chose: in our own export, or in a column that the importer names. Another's means something else by it.
_CHOICES = (*_LISTS, "hour", "language", "stories", "paused_until")
FIELDS = ("email", "name", "first name", "last name", "timezone", "cadence", "status", "suppressed", *_CHOICES)
_STANDING = ("email", "name", "timezone", "cadence", "state", "since", "suppressed")  # all of it in earlier releases
COLUMNS = (*_STANDING, *_CHOICES)
_MOST_STORIES = 9999
_LONGEST_NAME = 300
_LONGEST_EVIDENCE = 500

# The usual names of columns, letters and digits only; of two for the same thing the first in this order is taken.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "email": (
        *("email", "emailaddress", "subscriberemail", "emailadresse", "mailadresse", "mail"),
        *("adresseemail", "adressemail", "courriel", "البريدالإلكتروني"),
    ),
    "name": ("name", "fullname", "displayname", "subscribername", "nomcomplet", "الاسم"),
    "first name": ("firstname", "fname", "givenname", "vorname", "prénom"),
    "last name": ("lastname", "lname", "surname", "familyname", "nachname", "nom"),
    "timezone": ("timezone", "tz", "zeitzone", "fuseauhoraire"),
    "cadence": ("cadence", "frequency"),
    "status": ("status", "subscriberstatus", "subscribertype", "subscriptionstatus", "state", "type"),
    "suppressed": ("suppressed",),
}
# What says by being filled in that somebody left, or that their address takes no mail.
_LEFT = ("unsubtime", "unsubscriptiondate", "unsubscribedat", "emaildisabled")
_GONE = ("cleantime", "undeliverabilitydate")
# When and how they agreed there: kept as evidence.
_EVIDENCE: Mapping[str, str] = {
    "optintime": "signed up there",
    "optinip": "from",
    "confirmtime": "confirmed there",
    "confirmip": "from",
    "createdat": "there since",
    "creationdate": "there since",
    "created": "there since",
    "since": "there since",
    "unsubtime": "left there",
    "unsubscriptiondate": "left there",
    "cleantime": "removed there",
    "undeliverabilitydate": "undeliverable there since",
}

_AGREED = frozenset(
    (
        "subscribed",
        "confirmed",
        "active",
        "enabled",
        "regular",
        "premium",
        "trialed",
        "unpaid",
        "gifted",
        "churning",
        "churned",
        "paused",
        "past_due",
    )
)
_WAITING = frozenset(["pending", "unconfirmed", "unactivated"])
_AWAY = frozenset(["left", "unsubscribed", "disabled", "removed", "inactive"])
_BARRED = frozenset(
    (
        "suppressed",
        "blocklisted",
        "blacklisted",
        "blocked",
        "banned",
        "cleaned",
        "bounced",
        "complained",
        "spam",
        "spammy",
        "undeliverable",
    )
)
_NO = frozenset(("", "0", "false", "no", "none", "null", "nil"))


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be used: the line it begins on, what stands there, and why not."""

    line: int
    value: str
    reason: str


class Roster:
    """A list of readers in a table, read row by row."""

    def __init__(self, sheet: Sheet, *, file: str, columns: Mapping[str, str] | None = None, state: str = "") -> None:
        """On a table that was just opened. ValueError, with the headers there are, when no column has addresses.

        `columns` says which header is which of FIELDS, an empty one that none is. `state`, left or suppressed, is that
        of everybody in the file; without it, a file that is named after those who left is taken at its word.
        """
        self._sheet = sheet
        self._rows = sheet.rows
        self._file = PurePath(file).name
        self.state = state or _state_of(self._file)
        if self._file.casefold().startswith("nonsubscribed"):  # Mailchimp's name for contacts of other kinds
            raise ValueError("a file of that name holds people who never subscribed; call it otherwise if they did")
        line, header = next(self._rows, (0, []))
        header = [cell.strip() for cell in header]
        if not header:
            raise ValueError("there is nothing in it")
        self._first: tuple[int, list[str]] | None = None
        if not columns and any(is_plain(cell) for cell in header):  # a list without a header
            self._first = (line, header)
            self.columns = {"email": next(place for place, cell in enumerate(header) if is_plain(cell))}
            self.header: list[str] = []
        else:
            self.header = header
            self.columns = _columns(header, columns or {})
        self._ours = _is_ours(header)
        folded = [_folded(name) for name in self.header]
        self._left = [place for place, name in enumerate(folded) if name in _LEFT]
        self._gone = [place for place, name in enumerate(folded) if name in _GONE]
        self._evidence = [(place, _EVIDENCE[name]) for place, name in enumerate(folded) if name in _EVIDENCE]

    @property
    def ignored(self) -> list[str]:
        """The headers of columns that nothing is taken from."""
        used = {*self.columns.values(), *self._left, *self._gone, *(place for place, _ in self._evidence)}
        return [name for place, name in enumerate(self.header) if place not in used and name]

    def read(self) -> Iterator[Entrant | Refused]:
        """Each row as somebody to be enrolled, or why it cannot be. ValueError where the table itself ends badly."""
        if self._first:
            yield self._one(*self._first)
        for line, row in self._rows:
            yield self._one(line, row)

    def _one(self, line: int, row: list[str]) -> Entrant | Refused:
        cells = {field: row[place].strip() if place < len(row) else "" for field, place in self.columns.items()}
        try:
            state, suppressed = self._consent(cells, row)
            return Entrant(
                email=address(plain(cells["email"])),
                name=self._name(cells, row),
                timezone=_timezone(cells.get("timezone", "")),
                cadence=_cadence(cells.get("cadence", "")),
                state=state,
                suppressed=suppressed,
                evidence=self._evidenced(line, row),
                chosen=_chosen({field: cells[field] for field in _CHOICES if cells.get(field)}),
            )
        except ValueError as error:
            return Refused(line=line, value=cells["email"][:200], reason=str(error))

    def _consent(self, cells: Mapping[str, str], row: list[str]) -> tuple[str, str]:
        """Whether they agreed (empty: as the importer says), wait or left; and why their address takes no mail."""
        said = cells.get("status", "")
        state, barred = _standing(said)
        suppressed = "" if cells.get("suppressed", "").casefold() in _NO else plain(cells["suppressed"])
        if self.state == "left" or any(_filled(row, place) for place in self._left):
            state = "left"
        where = said or "in a list of such"
        if self.state == "suppressed" or barred or any(_filled(row, place) for place in self._gone):
            state, suppressed = "left", suppressed or f"where it came from: {where}"
        return state, suppressed

    def _name(self, cells: Mapping[str, str], row: list[str]) -> str:
        name = plain(row[self.columns["name"]] if self._ours and len(row) > 1 else cells.get("name", ""))
        if not name:
            parts = (plain(cells.get(field, "")) for field in ("first name", "last name"))
            name = " ".join(part for part in parts if part)
        if "\0" in name:
            raise ValueError("there is a NUL in the name")
        if len(name) > _LONGEST_NAME:
            raise ValueError(f"the name is longer than {_LONGEST_NAME} letters")
        return name

    def _evidenced(self, line: int, row: list[str]) -> str:
        told = [f"imported from {self._file}, line {line}"]
        for place, words in self._evidence:
            if place < len(row) and (cell := " ".join(row[place].split())) and cell.casefold() not in _NO:
                told.append(f"{words} {cell if cell.isprintable() else ascii(cell)}")
        return "; ".join(told)[:_LONGEST_EVIDENCE]


def written(readers: Iterable[tuple[Subscriber, Preferences]]) -> Iterator[list[str]]:
    """The rows of a table that `Roster` reads, its header first; no cell is a formula to a spreadsheet."""
    yield list(COLUMNS)
    for who, chosen in readers:
        since = who.since.isoformat() if who.since else ""
        cells = (who.email, who.name, who.timezone, who.cadence, who.state, since, who.suppressed)
        yield [*map(harmless, cells), *_cells(chosen)]


@lru_cache(maxsize=10_000)
def _cells(chosen: Preferences) -> tuple[str, ...]:
    """What somebody chose, which is often the same."""
    values = ((field, getattr(chosen, field)) for field in _CHOICES)
    return tuple(
        harmless(write_words(value) if field in _LISTS else "" if value is None else str(value))
        for field, value in values
    )


def _chosen(cells: Mapping[str, str]) -> Preferences:
    """What cells that are filled in say that somebody chose. ValueError."""
    if not cells:
        return CHOSE_NOTHING
    said = {field: plain(cell) for field, cell in cells.items()}
    language = said.get("language", "")
    if language and speak(language).tag != language:
        raise ValueError(f"language: {language[:60]!r} is none; they are named like en or pt-BR")
    return Preferences(
        topics=_words("topics", said.get("topics", "")),
        include=_words("include", said.get("include", "")),
        exclude=_words("exclude", said.get("exclude", "")),
        authors=_words("authors", said.get("authors", "")),
        hour=_number("hour", said.get("hour", ""), 0, 23),
        language=language,
        stories=_number("stories", said.get("stories", ""), 1, _MOST_STORIES),
        paused_until=_day("paused_until", said.get("paused_until", "")),
    )


def _words(field: str, said: str) -> tuple[str, ...]:
    words = read_words(said)
    if len(words) > MOST:
        raise ValueError(f"{field}: these are more than {MOST}")
    for word in words:
        if not is_word(word):
            raise ValueError(f"{field}: {word[:60]!r} has more than {LONGEST} characters, or some that nobody sees")
    return words


def _number(field: str, said: str, least: int, most: int) -> int | None:
    if not said:
        return None
    if not re.fullmatch("[0-9]{1,4}", said) or not least <= int(said) <= most:
        raise ValueError(f"{field}: {said[:60]!r} is no number from {least} to {most}")
    return int(said)


def _day(field: str, said: str) -> date | None:
    if not said:
        return None
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ValueError(f"{field}: {said[:60]!r} is no day; they are written like 2026-12-24") from None


def _columns(header: list[str], asked: Mapping[str, str]) -> dict[str, int]:
    folded = [_folded(name) for name in header]
    found = {field: place for place, field in enumerate(header) if field in _CHOICES} if _is_ours(header) else {}
    for field in FIELDS:
        if field in asked:
            if not asked[field]:
                found.pop(field, None)
                continue
            places = [place for place, name in enumerate(header) if name.casefold() == asked[field].strip().casefold()]
            if not places:
                raise ValueError(f"it has no column {asked[field]!r} for {field}, but: {_listed(header)}")
        else:
            places = [folded.index(name) for name in _NAMES.get(field, ()) if name in folded]
        if places:
            found[field] = places[0]
    if "email" not in found:
        raise ValueError(f'no column is called email, but: {_listed(header)}; --map email="…" says which one it is')
    return found


def _is_ours(header: list[str]) -> bool:
    return tuple(header) in (COLUMNS, _STANDING)


def _listed(header: list[str]) -> str:
    return ", ".join(repr(name[:60]) for name in header[:40])


@cache
def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _state_of(file: str) -> str:
    """What a file is named after: Mailchimp writes one for each state."""
    name = file.casefold()
    if name.startswith("cleaned"):
        return "suppressed"
    return "left" if name.startswith(("unsubscribed", "unsubscribers")) else ""


def _standing(said: str) -> tuple[str, bool]:
    word = said.casefold().replace(" ", "_")
    if not word or word in _AGREED:
        return "", False
    if word in _WAITING:
        return "pending", False
    if word in _AWAY:
        return "left", False
    if word in _BARRED:
        return "left", True
    hint = 'if that column is about something else, leave it out with --map status=""'
    raise ValueError(f"{said[:60]!r} is no status known here; {hint}")


def _filled(row: list[str], place: int) -> bool:
    return place < len(row) and row[place].strip().casefold() not in _NO


@cache
def _zones() -> dict[str, str]:
    return {zone.casefold(): zone for zone in available_timezones()}


def _timezone(said: str) -> str:
    if not said:
        return ""
    zone = _zones().get(said.casefold())
    if zone is None:
        raise ValueError(f"there is no time zone {said[:60]!r}")
    return zone


def _cadence(said: str) -> str:
    cadence = said.casefold() or "daily"
    if cadence not in CADENCES:
        raise ValueError(f"{said[:60]!r} is none of {', '.join(CADENCES)}")
    return cadence
