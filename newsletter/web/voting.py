"""A reader says that they like a story: the link in a mail leads to a button, and the button can be pressed again."""

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
from newsletter.web.forms import read_form
from newsletter.web.personal import Visit, visit
from newsletter.web.stories import find_story


def button(request: Request) -> Response:
    """GET /preferences/{token}/vote/{key}: changes nothing, whoever follows links."""
    return _page(*_asked(request))


def vote(request: Request) -> Response:
    """POST /preferences/{token}/vote/{key}: likes it, or with `back` takes that back; harmless again and again."""
    coming, newsletter, story = _asked(request)
    sent = read_form(request)
    votes, subscriber = coming.site.app.store.votes, coming.claim.subscriber
    if sent.one("back"):
        votes.take_back(newsletter.name, names(story), subscriber)
    elif not votes.has(newsletter.name, names(story), subscriber):
        votes.add(newsletter.name, story.key, subscriber, now=coming.site.clock())
    return _page(coming, newsletter, story)


def _asked(request: Request) -> tuple[Visit, Newsletter, Story]:
    """Who asks, and of which story. NotFound for one that the newsletter has not, and for who is no reader of it."""
    coming = visit(request, Purpose.PREFERENCES)
    is_reader = coming.reader is not None and coming.reader.state == "confirmed"
    if coming.newsletter is None or not coming.newsletter.votes or not is_reader:
        raise NotFound("there is nothing to vote on")
    story, _ = find_story(coming.site, coming.newsletter, read_permalink(request.path_params["key"]))
    return coming, coming.newsletter, story


def _page(coming: Visit, newsletter: Newsletter, story: Story) -> Response:
    votes = coming.site.app.store.votes
    return coming.page(
        "vote",
        story=sanitize_story(story),
        liked=votes.has(newsletter.name, names(story), coming.claim.subscriber),
        count=sum(votes.counts(newsletter.name, names(story)).values()),
    )


routes = [
    Route("/preferences/{token}/vote/{key:path}", button, methods=["GET"]),
    Route("/preferences/{token}/vote/{key:path}", vote, methods=["POST"]),
]
