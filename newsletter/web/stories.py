"""A page for each story, with what is like it and where it was told; and the latest stories of each topic."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.back_issues import BackIssue
from newsletter.errors import NotFound, NotReady
from newsletter.model import Newsletter, Story
from newsletter.permalinks import read_permalink
from newsletter.render.sanitize import sanitize_story
from newsletter.search import Filters, Found, search
from newsletter.web.addresses import story_path, topic_path
from newsletter.web.caching import public
from newsletter.web.likes import likes_of
from newsletter.web.session import READER, shown, voter_of
from newsletter.web.site import Site, site_of

_ALIKE = 6
_LATEST = 40


def story(request: Request) -> Response:
    """GET /{newsletter}/stories/{key}."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    key = read_permalink(request.path_params["key"])
    told, told_in = find_story(site, newsletter, key)
    voter = voter_of(request, newsletter)
    alike = _alike(site, newsletter, key)
    page = site.page(
        "story",
        newsletter=newsletter,
        path=story_path(newsletter.name, told.key),
        story=sanitize_story(told),
        told_in=told_in,
        likes=likes_of(site, newsletter, [told], voter=voter),
        alike=[(found, sanitize_story(found.story)) for found in alike or ()],
    )
    if alike is None:
        page.headers["Cache-Control"] = "no-store"
        return page
    return shown(page, newsletter, voter=voter)


def _alike(site: Site, newsletter: Newsletter, key: str) -> list[Found] | None:
    """The stories most like one; None while that is not known yet."""
    try:
        return search(site.app.archive, like=[key], filters=Filters(sources=newsletter.sources), limit=_ALIKE)
    except NotReady:
        return None
    except NotFound:  # it was told, and has left the archive since
        return []


def find_story(site: Site, newsletter: Newsletter, key: str) -> tuple[Story, list[tuple[BackIssue, str]]]:
    """A story as its sources have it now, and where this newsletter told it, the oldest first.

    NotFound for one that is not its own.
    """
    archive = site.app.archive
    known = archive.stories(archive.find([key])[key])
    mine = [one for one in known.values() if {mention.source for mention in one.mentions} & set(newsletter.sources)]
    issues = site.back_issues.telling(newsletter.name, mine[0] if mine else Story(key=key, title="", url=""))
    in_issues = [
        (one, other, section.title)
        for one in issues
        for section in one.issue.sections
        for other in section.stories
        if key in (other.key, *other.aliases)
    ]
    if not mine and not in_issues:
        raise NotFound(f"{newsletter.name} has no story {key!r}")
    return (mine[0] if mine else in_issues[-1][1]), [(one, title) for one, _, title in in_issues]


def topics(request: Request) -> Response:
    """GET /{newsletter}/topics."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    found = site.app.topics(newsletter)
    return site.page("topics", newsletter=newsletter, path=f"/{newsletter.name}/topics", here="topics", topics=found)


def topic(request: Request) -> Response:
    """GET /{newsletter}/topics/{topic}: its latest stories."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    name = request.path_params["topic"]
    known = {one.name: one for one in site.app.topics(newsletter)}
    if name not in known:
        raise NotFound(f"{newsletter.name} has no topic {name!r}")
    found = search(site.app.archive, filters=Filters(topics=(name,), sources=newsletter.sources), limit=_LATEST)
    return site.page(
        "topic",
        newsletter=newsletter,
        path=topic_path(newsletter.name, name),
        here="topics",
        topic=known[name],
        found=[(one, sanitize_story(one.story)) for one in found],
    )


routes = [
    Route("/{newsletter}/topics", public(topics, parts=[])),
    Route("/{newsletter}/topics/{topic}", public(topic, searches=True)),
    Route("/{newsletter}/stories/{key:path}", public(story, knows=READER, searches=True)),
]
