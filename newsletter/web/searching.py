"""The search: words and meaning, within days, topics, sources, authors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.model import Newsletter
from newsletter.render.sanitize import sanitize_story
from newsletter.search import Filters, Found, search
from newsletter.web.caching import public
from newsletter.web.site import Site, site_of

_LONGEST = 300  # characters of a question
_ANSWERS = 20
READ = ("q", "since", "until", "topic", "source", "author")  # the parameters of a search


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody looks for. `mistakes` names the fields that could not be understood, and were left out."""

    text: str
    since: date = date.min
    until: date = date.max
    topic: str = ""
    source: str = ""
    author: str = ""
    mistakes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked at all."""
        return not (self.text or self.topic or self.source or self.author) and (self.since, self.until) == (
            date.min,
            date.max,
        )


def read_asked(fields: Mapping[str, str], *, newsletter: Newsletter) -> Asked:
    """The fields of the form. Nothing is an error: what names no day, topic or source of the newsletter is left out."""
    mistakes = []

    def day(name: str, default: date) -> date:
        text = fields.get(name, "").strip()
        try:
            return date.fromisoformat(text) if text else default
        except ValueError:
            mistakes.append(name)
            return default

    def one_of(name: str, known: tuple[str, ...]) -> str:
        text = fields.get(name, "")
        if text and text not in known:
            mistakes.append(name)
            return ""
        return text

    return Asked(
        text=_line(fields.get("q", "")),
        since=day("since", date.min),
        until=day("until", date.max),
        topic=one_of("topic", newsletter.topics),
        source=one_of("source", newsletter.sources),
        author=_line(fields.get("author", "")),
        mistakes=tuple(mistakes),
    )


def answers(site: Site, newsletter: Newsletter, asked: Asked, *, limit: int = _ANSWERS) -> list[Found]:
    """The best stories of a newsletter's sources for what was asked."""
    filters = Filters(
        since=asked.since,
        until=asked.until,
        topics=(asked.topic,) if asked.topic else (),
        sources=(asked.source,) if asked.source else newsletter.sources,
        author=asked.author,
    )
    return search(site.app.archive, asked.text, filters=filters, limit=limit)


def page(request: Request) -> Response:
    """GET /{newsletter}/search?q=…&since=…&until=…&topic=…&source=…&author=…."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    asked = read_asked(request.query_params, newsletter=newsletter)
    found = [] if asked.is_empty else answers(site, newsletter, asked)
    return site.page(
        "search",
        newsletter=newsletter,
        path=f"/{newsletter.name}/search",
        here="search",
        asked=asked,
        since=asked.since.isoformat() if asked.since != date.min else "",
        until=asked.until.isoformat() if asked.until != date.max else "",
        topics=site.app.topics(newsletter),
        found=[(one, sanitize_story(one.story)) for one in found],
        query=request.url.query,
    )


def _line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())[:_LONGEST]


routes = [Route("/{newsletter}/search", public(page, reads=READ, searches=True))]
