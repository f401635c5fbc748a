"""Kind `listing`: pages of Hugging Face Daily Papers that someone saved as text.

    blocks                               strict turns
      header …  Subscribe … Feb 12         header …
      (blank)                              SubscribeTitle
      Title                                Abstract …
      (blank)                              Title
      Abstract …                           Abstract …
      (blank)
        • 5 authors / · / Oct 7, 2024 2    (authors, date, comments; any of it may be missing)

There is neither id nor address in them: an entry is known by the words of its title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import pairwise
from urllib.parse import urlencode

from newsletter.errors import Problem, ReadError
from newsletter.model import Entry, Signals, Source
from newsletter.registry import Option
from newsletter.sources import Request, Response
from newsletter.sources.clean import moment, one_line, shortened
from newsletter.sources.decode import first_byte, is_html, text
from newsletter.sources.files import matching
from newsletter.sources.identity import identify

_SEARCH = "https://huggingface.co/papers?"
_HEADER = re.compile(
    r"new|get trending papers .*|subscribe|daily papers|trending papers|daily|weekly|monthly|by\s*ak\b.*", re.IGNORECASE
)
_NO_TEXT = {b"<", b"{", b"["}  # XML or JSON, for another kind
_HEADER_LINES = 30  # where the header has ended at the latest
_AUTHORS = re.compile(r"[•·*]\s*([\d,]{1,9})\s+authors?", re.IGNORECASE)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS)
_DAY = re.compile(
    rf"(?:[·•]\s*)?(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:,\s*(?P<year>\d{{4}}))?(?:\s+(?P<comments>\d{{1,6}}))?",
    re.ASCII,
)
_LONGEST_TITLE = 300  # characters; the longest of 9,581 real ones has 175, abstracts begin at about 400
_LEAP = 2000  # a year in which every day exists
_EARLIEST = 1991  # arXiv's first year


@dataclass(frozen=True, slots=True)
class ListingKind:
    """Saved pages of Daily Papers."""

    options: Mapping[str, Option] = field(
        default_factory=lambda: {
            "path": Option(required=True, help="the saved pages: a file or a pattern such as listings/*.txt"),
            "year": Option(type=int, help="the year the pages were saved, where they do not tell by themselves"),
        }
    )
    has_history: bool = False

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """A year that arXiv has seen."""
        year = options.get("year")
        if isinstance(year, int) and not _EARLIEST <= year <= date.max.year:
            return (Problem(key="year", what=f"{year} is before arXiv or after everything", hint="such as 2025"),)
        return ()

    def requests(self, source: Source, *, now: datetime) -> Sequence[Request]:
        """Every file that matches. SourceError when none does."""
        del now
        return matching(str(source.options["path"]))

    def read(self, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """The papers of one page, in its order. ReadError for what is no such page."""
        if is_html(response.body):
            raise ReadError("got an HTML page: save it as text, or copy its text into a file")
        page = read_page(text(response.body))
        if first_byte(response.body) in _NO_TEXT or not any(paper.abstract for paper in page.papers):
            raise ReadError("no papers in it: expected titles and abstracts, as in a saved page of Daily Papers")
        year = source.options.get("year")
        saved = _saved(page, year=year if isinstance(year, int) else None, today=now.astimezone(UTC).date())
        return [_entry(paper, source, saved=saved, now=now) for paper in page.papers]


# --- the text -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day as a page tells it: without its year where that is the page's own."""

    month: int
    day: int
    year: int | None = None


@dataclass(slots=True, kw_only=True)
class Paper:
    """What a page says of one paper."""

    title: str
    abstract: str = ""
    authors: int | None = None
    day: Day | None = None
    comments: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A saved page: its own day, if it tells it, and its papers."""

    day: Day | None
    papers: Sequence[Paper]


def read_page(told: str) -> Page:
    """A saved page of either form."""
    lines = [one_line(line) for line in told.strip().split("\n")]
    header, day = _header(lines)
    body = lines[len(header) :]
    glued = header and "Subscribe" not in header
    while body and (not body[0] or (day and _day(body[0]))):
        body = body[1:]
    if body and glued:
        body[0] = body[0].removeprefix("Subscribe")
    paragraphs = filter(None, body) if _is_in_turns(body) else _paragraphs(body)
    return Page(day=day, papers=list(_papers(list(paragraphs))))


def _header(lines: Sequence[str]) -> tuple[Sequence[str], Day | None]:
    """The lines above the papers, and the page's own day, which stands just below them."""
    known = [number for number, line in enumerate(lines[:_HEADER_LINES]) if _HEADER.fullmatch(line)]
    end = known[-1] + 1 if known else 0
    following = next(filter(None, lines[end:]), "")
    own = _day(following)
    return lines[:end], own[0] if own else None


def _is_in_turns(lines: Sequence[str]) -> bool:
    """Whether each line is a title or a whole abstract: one stands right above the other, or nothing is blank."""
    above = (
        line and not _is_about(line) and len(line) <= _LONGEST_TITLE < len(following)
        for line, following in pairwise(lines)
    )
    return "" not in lines or any(above)


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Lines joined up to the next blank one; what is told about a paper stands on lines of its own."""
    paragraph: list[str] = []
    for line in [*lines, ""]:
        about = _is_about(line)
        if (not line or about) and paragraph:
            yield " ".join(paragraph)
            paragraph = []
        if about:
            yield line
        elif line:
            paragraph.append(line)


def _papers(paragraphs: Sequence[str]) -> Iterator[Paper]:
    paper: Paper | None = None
    noted = False  # whether authors or a day ended the paper
    for number, paragraph in enumerate(paragraphs):
        if _is_about(paragraph):
            if paper:
                _note(paper, paragraph)
                noted = True
        elif paper and not noted and _is_abstract(paper, paragraphs, number):
            paper.abstract = f"{paper.abstract} {paragraph}".strip()
        else:
            if paper:
                yield paper
            paper, noted = Paper(title=shortened(paragraph, _LONGEST_TITLE)), False
    if paper:
        yield paper


def _is_abstract(paper: Paper, paragraphs: Sequence[str], number: int) -> bool:
    """Whether a paragraph below a title belongs to it. A further one does if it is too long for a title."""
    too_long = len(paragraphs[number]) > _LONGEST_TITLE
    return too_long or (not paper.abstract and not _begins_paper(paragraphs, number))


def _begins_paper(paragraphs: Sequence[str], number: int) -> bool:
    """Whether a short paragraph below a title is the next title: it ends like one, and an abstract follows it."""
    following = next(iter(paragraphs[number + 1 : number + 2]), "")
    return not paragraphs[number].endswith(".") and len(following) > _LONGEST_TITLE


def _is_about(line: str) -> bool:
    return line in {"·", "•"} or _AUTHORS.fullmatch(line) is not None or _day(line) is not None


def _note(paper: Paper, line: str) -> None:
    if authors := _AUTHORS.fullmatch(line):
        paper.authors = int(authors[1].replace(",", "") or 0) or None
    elif dated := _day(line):
        paper.day, paper.comments = dated


def _day(line: str) -> tuple[Day, int | None] | None:
    """A day and the number of comments that may follow it: `Oct 7, 2024 2`, `Feb 12`."""
    told = _DAY.fullmatch(line)
    if told is None:
        return None
    month = next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(told["month"][:3]))
    day = Day(month=month, day=int(told["day"]), year=int(told["year"]) if told["year"] else None)
    return (day, int(told["comments"]) if told["comments"] else None) if _date(day, day.year or _LEAP) else None


# --- its days -------------------------------------------------------------------------------------------------------


def _saved(page: Page, *, year: int | None, today: date) -> date | None:
    """The day a page was saved.

    A page leaves out its own year, so that year is none of those on it: the first after all of them. Where there are
    none, or that day is still to come, it is the last such day until today.
    """
    if page.day is None:
        return None
    if year or page.day.year:
        return _date(page.day, year or page.day.year or 0)
    years = [paper.day.year for paper in page.papers if paper.day and paper.day.year]
    told = _date(page.day, max(years) + 1) if years else None
    return told if told and told <= today else _last(page.day, today)


def _last(day: Day, limit: date) -> date | None:
    """The last such day until `limit`; up to eight years back for 29 February."""
    found = (_date(day, limit.year - back) for back in range(9))
    return next((one for one in found if one and one <= limit), None)


def _dated(day: Day | None, saved: date | None) -> date | None:
    if day is None:
        return None
    if day.year:
        return _date(day, day.year)
    return _last(day, saved) if saved else None


def _date(day: Day, year: int) -> date | None:
    try:
        return date(year, day.month, day.day)
    except ValueError:
        return None


# --- its entries ----------------------------------------------------------------------------------------------------


def _entry(paper: Paper, source: Source, *, saved: date | None, now: datetime) -> Entry:
    key, aliases = identify(source=source.name, guid="", url="", title=paper.title)
    published = _dated(paper.day, saved)
    return Entry(
        key=key,
        aliases=aliases,
        source=source.name,
        guid=key,
        url=_SEARCH + urlencode({"q": paper.title}),
        title=paper.title,
        summary=shortened(paper.abstract),
        author_count=paper.authors,
        published=moment(datetime.combine(published, time(), UTC), now=now) if published else None,
        listed=saved,
        signals=Signals(comments=paper.comments),
    )
