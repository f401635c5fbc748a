"""Kind `folder`: entries that other programs drop as JSON files.

A file holds one entry, a list of entries, or one entry per line (JSON Lines):

    {"title": "…", "url": "https://…"}

`title` and `url` are needed. The others may be missing or null: `id`, `summary` (plain text, as the title is),
`content` (HTML), `authors` and `tags` (lists of texts, or one), `published` and `updated` (ISO 8601), `image` (an
address), `upvotes`, `comments` and `stars` (numbers). Keys of any other name are the program's own business.

A file with a mistake is not read at all, and is tried again on every run until it is mended. Programs had better write
under another name and rename: a file is read as it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from newsletter.errors import Problem, ReadError, SourceError
from newsletter.model import Entry, Signals, Source
from newsletter.registry import Option
from newsletter.sources import Request, Response
from newsletter.sources.clean import moment, one_line, plain_text, safe_html, safe_url, shortened
from newsletter.sources.decode import brief, described, text
from newsletter.sources.files import matching
from newsletter.sources.identity import identify

_LONGEST_TITLE = 500
_LONGEST_ID = 2000
_TAGS = 30
_GAP = re.compile(r"[\s,]*")
_WILD = re.compile(r"[*?\[]")

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FolderKind:
    """What other programs have left for us."""

    options: Mapping[str, Option] = field(
        default_factory=lambda: {
            "path": Option(required=True, help="the dropped files: a JSON file or a pattern such as inbox/*.json")
        }
    )
    has_history: bool = False

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """Nothing beyond the types: whether the folder is there shows when it is read."""
        del options
        return ()

    def requests(self, source: Source, *, now: datetime) -> Sequence[Request]:
        """Every file that matches; none is no mistake, but SourceError when the folder itself is not there."""
        del now
        pattern = str(source.options["path"])
        try:
            return matching(pattern)
        except SourceError:
            folder = Path(_WILD.split(pattern)[0] + "x").parent
            if not _WILD.search(pattern) or not folder.is_dir():
                raise
            return ()

    def read(self, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """The entries of one file, in its order. ReadError names the file, the line and the mistake."""
        found = []
        for line, value in _values(text(response.body), response.url):
            try:
                found.append(_entry(value, source, now=now))
            except _Mistake as mistake:
                raise ReadError(f"{response.url}:{line}: {mistake}") from None
        return found


class _Mistake(ValueError):
    """What is wrong with one entry."""


# --- the values of a file -------------------------------------------------------------------------------------------


def _values(written: str, name: str) -> Iterator[tuple[int, object]]:
    """Each value of a list, or of JSON Lines, with the line it begins on."""
    at = _skip(written, 0)
    end = len(written)
    try:
        if written.startswith("[", at):
            json.loads(written)  # strict about the commas, which are skipped below
            at, end = _skip(written, at + 1), written.rindex("]")
        while at < end:
            value, after = _DECODER.raw_decode(written, at)
            yield _line(written, at), value
            at = _skip(written, after)
    except json.JSONDecodeError as error:
        raise ReadError(f"{name}:{error.lineno}: is not JSON: {brief(error.msg).lower()}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets nested thousands deep
        raise ReadError(f"{name}:{_line(written, at)}: is not JSON: {brief(str(error))}") from None


_DECODER = json.JSONDecoder()


def _skip(written: str, at: int) -> int:
    gap = _GAP.match(written, at)
    return gap.end() if gap else at


def _line(written: str, at: int) -> int:
    return written.count("\n", 0, at) + 1


# --- one entry ------------------------------------------------------------------------------------------------------


def _entry(value: object, source: Source, *, now: datetime) -> Entry:
    if not isinstance(value, dict):
        raise _Mistake(f"expected an entry (an object with a title and a url), found {described(value)}")
    title = shortened(_needed(value, "title"), _LONGEST_TITLE)
    url = _address(value, "url") or _needed(value, "url")
    guid = one_line(_identifier(value))[:_LONGEST_ID]
    content = _text(value, "content")
    key, aliases = identify(source=source.name, guid=guid, url=url, title=title)
    updated = _moment(value, "updated", now)
    return Entry(
        key=key,
        aliases=aliases,
        source=source.name,
        guid=guid or key,
        url=url,
        title=title,
        summary=shortened(one_line(_text(value, "summary")) or plain_text(content)),
        content=safe_html(content, base=url) if "<" in content else "",
        authors=_texts(value, "authors"),
        published=_moment(value, "published", now) or updated,
        updated=updated,
        tags=_texts(value, "tags")[:_TAGS],
        image=_address(value, "image"),
        signals=Signals(
            upvotes=_count(value, "upvotes"), comments=_count(value, "comments"), stars=_count(value, "stars")
        ),
    )


def _needed(holder: Json, name: str) -> str:
    found = one_line(_text(holder, name))
    if not found:
        raise _Mistake(f"'{name}' is missing")
    return found


def _text(holder: Json, name: str) -> str:
    value = holder.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    raise _Mistake(f"'{name}' should be a text, found {described(value)}")


def _identifier(holder: Json) -> str:
    value = holder.get("id")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(holder, "id")


def _texts(holder: Json, name: str) -> tuple[str, ...]:
    value = holder.get(name)
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(one, str) for one in values):
        raise _Mistake(f"'{name}' should be a list of texts, found {described(value)}")
    return tuple(dict.fromkeys(filter(None, map(one_line, values))))


def _address(holder: Json, name: str) -> str:
    told = _text(holder, name)
    address = safe_url(told)
    if told and not address:
        raise _Mistake(f"'{name}' is no http(s) address: {brief(told)}")
    return address


def _moment(holder: Json, name: str, now: datetime) -> datetime | None:
    told = _text(holder, name)
    try:
        return moment(datetime.fromisoformat(told), now=now) if told else None
    except ValueError:
        raise _Mistake(f"'{name}' is no moment such as 2026-11-20T08:00:00Z: {brief(told)}") from None


def _count(holder: Json, name: str) -> int | None:
    value = holder.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31):
        return value
    raise _Mistake(f"'{name}' should be a number from 0 on, found {described(value)}")
