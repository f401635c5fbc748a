"""Kind `huggingface`: the Daily Papers of the Hugging Face Hub, by the day or the week, or those that trend.

    daily     /api/daily_papers?date=2026-11-20    a UTC day, best voted first, `[]` on weekends
    weekly    /api/daily_papers?week=2026-W47      an ISO week, best voted first
    trending  /api/daily_papers?sort=trending      the most starred of all times, papers of years ago among them

Papers gather votes for days after they were listed, so the last days (or two weeks) are asked for on every run.

The answers have drifted for years: of a paper only `id` and `title` are relied on. The outer `publishedAt` is not used:
since March 2025 it is Eastern time written as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from newsletter.errors import Problem, ReadError
from newsletter.model import Entry, Link, Signals, Source
from newsletter.registry import Option
from newsletter.sources import Request, Response
from newsletter.sources.clean import moment, one_line, safe_url, shortened
from newsletter.sources.decode import brief, described, json_value
from newsletter.sources.feed import check_url
from newsletter.sources.files import PATH, matching
from newsletter.sources.identity import arxiv_id, identify

_URL = "https://huggingface.co"
_DAYS = 4
_MOST_DAYS = 31
_TAGS = 30
_LISTS = ("daily", "weekly", "trending")
_LIMIT = 100  # the most papers one answer may hold
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EXPECTED = "a list of papers"

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class HuggingFaceKind:
    """Papers that people listed on the Hub, with their votes, comments and stars."""

    options: Mapping[str, Option] = field(
        default_factory=lambda: {
            "list": Option(help="which papers: daily, weekly or trending (daily)"),
            "days": Option(type=int, help=f"how many days back to ask for, today included ({_DAYS})"),
            "date": Option(help="one fixed day, YYYY-MM-DD, instead of the last days"),
            "url": Option(help=f"where the Hub is ({_URL})"),
            "path": PATH,
        }
    )
    has_history: bool = False

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """A list that exists, a sensible number of days, a date that exists; days and dates are of the daily list."""
        days, day = options.get("days"), options.get("date")
        problems = list(check_url(options))
        if (wanted := _list_of(options)) not in _LISTS:
            problems.append(Problem(key="list", what=f"there is no list '{wanted}'", hint=", ".join(_LISTS)))
        elif wanted != "daily":
            of_days = (name for name in ("days", "date") if name in options)
            problems += [Problem(key=name, what=f"means nothing to the {wanted} list") for name in of_days]
        if isinstance(days, int) and not 1 <= days <= _MOST_DAYS:
            problems.append(Problem(key="days", what=f"{days} is not between 1 and {_MOST_DAYS}"))
        if day is not None and _day(str(day)) is None:
            problems.append(Problem(key="date", what=f"'{day}' is no day", hint="YYYY-MM-DD"))
        return problems

    def requests(self, source: Source, *, now: datetime) -> Sequence[Request]:
        """An address for each UTC day or week of the window, the latest first; or every file that matches."""
        if path := str(source.options.get("path") or ""):
            return matching(path)
        base = str(source.options.get("url") or _URL).rstrip("/")
        queries = _queries(source.options, now.astimezone(UTC).date())
        return [Request(url=f"{base}/api/daily_papers?{query}") for query in queries]

    def read(self, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """The papers of one answer, in its order; what is no paper among them is passed over.

        ReadError when the answer is no list of papers, or none of its items is one.
        """
        value = json_value(response.body, expected=_EXPECTED)
        if not isinstance(value, list):
            raise ReadError(_not_a_list(value))
        asked = _asked(response)
        found = [entry for item in value if (entry := _entry(item, source, asked=asked, now=now))]
        if value and not found:
            first = described(value[0])
            raise ReadError(f"expected {_EXPECTED}, found {described(value)}, none of them a paper; the first: {first}")
        return found


def _list_of(options: Mapping[str, object]) -> str:
    return str(options.get("list") or _LISTS[0])


def _queries(options: Mapping[str, object], today: date) -> Sequence[str]:
    match _list_of(options):
        case "trending":
            return [f"sort=trending&limit={_LIMIT}"]
        case "weekly":  # of a week that begins today there is nothing yet
            weeks = (day.isocalendar() for day in (today, today - timedelta(weeks=1)))
            return [f"week={week.year}-W{week.week:02}&limit={_LIMIT}" for week in weeks]
    # A day to come is refused: somewhere it is tomorrow already.
    return [f"date={day.isoformat()}" for day in _window(options, today) if day <= today]


def _window(options: Mapping[str, object], today: date) -> Sequence[date]:
    fixed = _day(str(options.get("date") or ""))
    if fixed is not None:
        return [fixed]
    days = options.get("days")
    return [today - timedelta(days=back) for back in range(days if isinstance(days, int) else _DAYS)]


def _not_a_list(value: object) -> str:
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        return f"expected {_EXPECTED}, the server says: {brief(one_line(value['error']))}"
    return f"expected {_EXPECTED}, found {described(value)}"


def _asked(response: Response) -> date | None:
    """The day an answer is for: in the query of its address, or in the name of the file it was saved to."""
    request = response.request
    named = _DATE.findall(request.path.name if request.path else request.url)
    return _day(named[-1]) if named else None


def _entry(item: object, source: Source, *, asked: date | None, now: datetime) -> Entry | None:
    outer = item if isinstance(item, dict) else {}
    paper = _object(outer, "paper")
    number = arxiv_id(_text(paper, "id"))
    title = _text(paper, "title") or _text(outer, "title")
    if not number or not title:
        return None
    url = f"{_URL}/papers/{number}"
    key, aliases = identify(source=source.name, guid=number, url=url, title=title)
    authors = [author for author in _list(paper, "authors") if isinstance(author, dict)]
    shown = (_text(author, "name") for author in authors if author.get("hidden") is not True)
    listed = _moment(paper, "submittedOnDailyAt", now)
    return Entry(
        key=key,
        aliases=aliases,
        source=source.name,
        guid=number,
        url=url,
        title=title,
        summary=shortened(_text(paper, "summary") or _text(outer, "summary")),
        tldr=shortened(_text(paper, "ai_summary")),
        authors=tuple(dict.fromkeys(filter(None, shown))),
        author_count=len(authors) or None,
        organisations=_organisations(paper, outer),
        published=_moment(paper, "publishedAt", now),
        listed=listed.date() if listed else asked,
        tags=tuple(dict.fromkeys(one_line(tag) for tag in _list(paper, "ai_keywords") if isinstance(tag, str)))[:_TAGS],
        image=safe_url(_text(outer, "thumbnail"), base=_URL),
        links=_links(paper, number),
        signals=Signals(
            upvotes=_count(paper, "upvotes"), comments=_count(outer, "numComments"), stars=_count(paper, "githubStars")
        ),
    )


def _organisations(paper: Json, outer: Json) -> tuple[str, ...]:
    """The organisation a paper was listed for, by its full name and by that of its account."""
    found = _object(paper, "organization") or _object(outer, "organization")
    return tuple(dict.fromkeys(filter(None, (_text(found, "fullname"), _text(found, "name")))))


def _links(paper: Json, number: str) -> tuple[Link, ...]:
    found = {
        "code": safe_url(_text(paper, "githubRepo")),
        "project": safe_url(_text(paper, "projectPage")),
        "pdf": f"https://arxiv.org/pdf/{number}",
        "discussion": f"{_URL}/papers/{number}",
    }
    return tuple(Link(rel=rel, url=url) for rel, url in found.items() if url)


def _object(holder: Json, name: str) -> Json:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _list(holder: Json, name: str) -> list[object]:
    value = holder.get(name)
    return value if isinstance(value, list) else []


def _text(holder: Json, name: str) -> str:
    """Text on one line: titles and abstracts are hard-wrapped in answers before November 2025."""
    value = holder.get(name)
    return one_line(value) if isinstance(value, str) else ""


def _count(holder: Json, name: str) -> int | None:
    value = holder.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _moment(holder: Json, name: str, now: datetime) -> datetime | None:
    try:
        return moment(datetime.fromisoformat(_text(holder, name)), now=now)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
