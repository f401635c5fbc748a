"""Feeds out: the issues of a newsletter, the stories of a topic or of a search, as Atom (RFC 4287) and JSON Feed 1.1.

    https://www.rfc-editor.org/rfc/rfc4287    https://www.jsonfeed.org/version/1.1/

A feed is short: the newest 20, and never more than half a megabyte, since every reader asks for all of it again and
again. Whoever asks with the tag of the last answer (If-None-Match) gets 304.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.errors import NotFound
from newsletter.language import speak
from newsletter.model import Newsletter, Story
from newsletter.render.sanitize import sanitize_story
from newsletter.search import Filters, Found, search
from newsletter.store.revision import Part
from newsletter.web.addresses import issue_path, story_path, topic_path
from newsletter.web.caching import public
from newsletter.web.searching import READ, answers, read_asked
from newsletter.web.site import Site, site_of

ENTRIES = 20
LARGEST = 500_000  # bytes
_ATOM = "http://www.w3.org/2005/Atom"
_SECONDS = 300
_NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])  # XML 1.0, section 2.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a feed. `html` is markup of our own templates; all else is plain text."""

    url: str
    title: str
    summary: str
    html: str
    at: datetime
    published: datetime
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed before it is written: `url` is its own, `home` the page with the same."""

    url: str
    home: str
    title: str
    language: str
    items: Sequence[Item]
    hub: str = ""


Write = Callable[[Feed], Response]


def issues(request: Request) -> Response:
    """GET /{newsletter}/feed.atom and feed.json: the latest issues."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    items = [
        Item(
            url=site.url(issue_path(newsletter.name, one.slot)),
            title=one.subject,
            summary=one.shown.preheader,
            html=site.fragment("feed-issue", newsletter=newsletter, issue=one.shown),
            at=one.published_at,
            published=one.published_at,
        )
        for one in site.back_issues.newest(newsletter.name, limit=ENTRIES)
    ]
    return _answer(request, site, newsletter, title=newsletter.title, home=f"/{newsletter.name}", items=items)


def topic(request: Request) -> Response:
    """GET /{newsletter}/topics/{topic}/feed.atom and feed.json: its latest stories."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    name = request.path_params["topic"]
    known = {one.name: one.title for one in site.app.topics(newsletter)}
    if name not in known:
        raise NotFound(f"{newsletter.name} has no topic {name!r}")
    found = search(site.app.archive, filters=Filters(topics=(name,), sources=newsletter.sources), limit=ENTRIES)
    items = [_item(site, newsletter, one) for one in found]
    home = topic_path(newsletter.name, name)
    return _answer(request, site, newsletter, title=f"{newsletter.title}: {known[name]}", home=home, items=items)


def searched(request: Request) -> Response:
    """GET /{newsletter}/search/feed.atom?q=… and feed.json: the latest among the best answers to a question."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    asked = read_asked(request.query_params, newsletter=newsletter)
    found = [] if asked.is_empty else answers(site, newsletter, asked, limit=2 * ENTRIES)
    newest = sorted(found, key=lambda one: one.day, reverse=True)[:ENTRIES]
    query = f"?{request.url.query}" if request.url.query else ""
    items = [_item(site, newsletter, one) for one in newest]
    title = f"{newsletter.title}: {asked.text or asked.author or asked.topic}"
    home = f"/{newsletter.name}/search{query}"
    return _answer(request, site, newsletter, title=title, home=home, items=items)


def atom(feed: Feed) -> Response:
    """RFC 4287: the order of children is free, ids and dates are required."""
    root = Element("feed", {"xmlns": _ATOM, "xml:lang": feed.language})
    _text(root, "title", feed.title)
    _text(root, "id", feed.home)
    _text(root, "updated", _stamp(max((item.at for item in feed.items), default=_EPOCH)))
    SubElement(root, "link", rel="self", type="application/atom+xml", href=feed.url)
    SubElement(root, "link", rel="alternate", type="text/html", href=feed.home)
    if feed.hub:
        SubElement(root, "link", rel="hub", href=feed.hub)
    _text(SubElement(root, "author"), "name", feed.title)
    for item in feed.items:
        entry = SubElement(root, "entry")
        _text(entry, "title", item.title)
        _text(entry, "id", item.url)
        _text(entry, "updated", _stamp(item.at))
        _text(entry, "published", _stamp(item.published))
        SubElement(entry, "link", rel="alternate", type="text/html", href=item.url)
        for name in item.authors:
            _text(SubElement(entry, "author"), "name", name)
        for tag in item.tags:
            SubElement(entry, "category", term=tag.translate(_NOT_XML))
        if item.summary:
            _text(entry, "summary", item.summary)
        content = SubElement(entry, "content", type="html")
        content.text = item.html.translate(_NOT_XML)
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, media_type="application/atom+xml; charset=utf-8")


def jsonfeed(feed: Feed) -> Response:
    """https://www.jsonfeed.org/version/1.1/."""
    told: dict[str, object] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.url,
        "language": feed.language,
        "items": [
            {
                "id": item.url,
                "url": item.url,
                "title": item.title,
                "summary": item.summary,
                "content_html": item.html,
                "date_published": _stamp(item.published),
                "date_modified": _stamp(item.at),
                "authors": [{"name": name} for name in item.authors],
                "tags": list(item.tags),
            }
            for item in feed.items
        ],
    }
    if feed.hub:
        told["hubs"] = [{"type": "WebSub", "url": feed.hub}]
    body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, media_type="application/feed+json")


_WRITERS: dict[str, Write] = {"atom": atom, "json": jsonfeed}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _answer(
    request: Request, site: Site, newsletter: Newsletter, *, title: str, home: str, items: list[Item]
) -> Response:
    """The feed as its address asks for, without its last entries where it would be too large."""
    write = _WRITERS.get(request.path_params["kind"])
    if write is None:
        raise NotFound("feeds are .atom or .json")
    query = f"?{request.url.query}" if request.url.query else ""
    path = request.url.path.removeprefix(site.root)
    while True:
        feed = Feed(
            url=site.url(f"{path}{query}"),
            home=site.url(home),
            title=title,
            language=speak(newsletter.language).tag,
            items=items,
            hub=site.app.config.websub_hub,
        )
        response = write(feed)
        if len(response.body) <= LARGEST or not items:
            break
        items = items[: len(items) // 2]
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"  # readers that are web pages ask from theirs
    if feed.hub:  # WebSub section 4: also for those who look at headers only
        response.headers["Link"] = f'<{feed.hub}>; rel="hub", <{feed.url}>; rel="self"'
    return response


def _item(site: Site, newsletter: Newsletter, found: Found) -> Item:
    story: Story = sanitize_story(found.story)
    at = datetime.combine(found.day, time(), UTC)
    return Item(
        url=site.url(story_path(newsletter.name, found.story.key)),
        title=story.title,
        summary=story.tldr or story.brief,
        html=site.fragment("feed-story", newsletter=newsletter, story=story),
        at=story.first_seen or at,
        published=story.published or at,
        authors=story.authors,
        tags=tuple(filter(None, (found.topic, *story.tags))),
    )


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text.translate(_NOT_XML)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


routes = [
    Route("/{newsletter}/feed.{kind}", public(issues, parts=[Part.ISSUES], seconds=_SECONDS)),
    Route("/{newsletter}/topics/{topic}/feed.{kind}", public(topic, searches=True, seconds=_SECONDS)),
    Route("/{newsletter}/search/feed.{kind}", public(searched, reads=READ, searches=True, seconds=_SECONDS)),
]
