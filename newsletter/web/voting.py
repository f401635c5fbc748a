"""A reader says that they like a story: by the link in a mail and a button, or signed in by the button on a page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.errors import NotFound
from newsletter.links import Purpose
from newsletter.model import Newsletter, Story
from newsletter.permalinks import read_permalink
from newsletter.render.sanitize import sanitize_story
from newsletter.store.issues import names
from newsletter.web.addresses import issue_path, story_path
from newsletter.web.forms import Form, read_form
from newsletter.web.likes import likes_of
from newsletter.web.own_pages import own_form, see
from newsletter.web.personal import Visit, visit
from newsletter.web.session import voter_of
from newsletter.web.site import Site, site_of
from newsletter.web.stories import find_story


def button(request: Request) -> Response:
    """GET /preferences/{token}/vote/{key}: changes nothing, whoever follows links."""
    return _page(*_asked(request))


def vote(request: Request) -> Response:
    """POST /preferences/{token}/vote/{key}: likes it, or with `back` takes that back; harmless again and again."""
    coming, newsletter, story = _asked(request)
    _count(coming.site, newsletter, story, coming.claim.subscriber, read_form(request))
    return _page(coming, newsletter, story)


def press(request: Request) -> Response:
    """POST /{newsletter}/stories/{key}: the same, by a reader who is signed in; back to the issue it was pressed in.

    Who is not signed in any more comes to the page of the story, which says how to vote.
    """
    site, form = site_of(request), own_form(request)
    newsletter = site.newsletter(request)
    key = read_permalink(request.path_params["key"])
    voter = voter_of(request, newsletter)
    story, _ = find_story(site, newsletter, key)
    if voter is not None:
        _count(site, newsletter, story, voter, form)
    slot = form.one("issue")
    return see(site, issue_path(newsletter.name, slot) if slot else story_path(newsletter.name, story.key))


def _count(site: Site, newsletter: Newsletter, story: Story, voter: int, form: Form) -> None:
    votes = site.app.store.votes
    if form.one("back"):
        votes.take_back(newsletter.name, names(story), voter)
    elif not votes.has(newsletter.name, names(story), voter):
        votes.add(newsletter.name, story.key, voter, now=site.clock())


def _asked(request: Request) -> tuple[Visit, Newsletter, Story]:
    """Who asks, and of which story. NotFound for one that the newsletter has not, and for who is no reader of it."""
    coming = visit(request, Purpose.PREFERENCES)
    is_reader = coming.reader is not None and coming.reader.state == "confirmed"
    if coming.newsletter is None or not coming.newsletter.votes or not is_reader:
        raise NotFound("there is nothing to vote on")
    story, _ = find_story(coming.site, coming.newsletter, read_permalink(request.path_params["key"]))
    return coming, coming.newsletter, story


def _page(coming: Visit, newsletter: Newsletter, story: Story) -> Response:
    likes = likes_of(coming.site, newsletter, [story], voter=coming.claim.subscriber)
    return coming.page(
        "vote",
        story=sanitize_story(story),
        liked=story.key in likes.liked,
        count=likes.counts.get(story.key, 0),
    )


routes = [
    Route("/preferences/{token}/vote/{key:path}", button, methods=["GET"]),
    Route("/preferences/{token}/vote/{key:path}", vote, methods=["POST"]),
    Route("/{newsletter}/stories/{key:path}", press, methods=["POST"]),
]
