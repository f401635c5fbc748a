"""A reader in a browser of their own: a button behind the link in their mail leaves a cookie there.

It says who they are, and is good for a vote: public pages have their buttons from then on. What they chose, and what is
kept on them, needs the link itself.
"""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.errors import LinkError, NotFound
from newsletter.links import Purpose
from newsletter.model import Newsletter
from newsletter.web.own_pages import cookie, drop_cookie, own_form, see, set_cookie, with_own_forms
from newsletter.web.personal import Visit, visit
from newsletter.web.site import site_of

LASTS = timedelta(days=90)
READER = "reader"  # the name of the cookie


def voter_of(request: Request, newsletter: Newsletter) -> int | None:
    """The number of the reader who is signed in and may vote; None for anybody else, and for who left since."""
    told = cookie(request, READER)
    if not told or not newsletter.votes:
        return None
    site = site_of(request)
    try:
        claim = site.app.links.read(Purpose.SESSION, told)
    except LinkError:
        return None
    reader = site.app.store.subscribers.of(claim.subscriber, newsletter.name)
    is_reader = reader is not None and reader.state == "confirmed"
    return claim.subscriber if is_reader and site.clock() - claim.made <= LASTS else None


def shown(page: Response, newsletter: Newsletter, *, voter: int | None) -> Response:
    """A public page as anybody may keep it; one with a reader's own buttons in it, as nobody may."""
    if voter is not None:
        page.headers["Cache-Control"] = "private, no-store"
    elif newsletter.votes:
        page.headers.add_vary_header("Cookie")
    return page


def door(request: Request) -> Response:
    """GET /preferences/{token}/session: what the button does."""
    coming, _ = _coming(request)
    return with_own_forms(coming.page("session"))


def sign_in(request: Request) -> Response:
    """POST /preferences/{token}/session: this browser knows the reader, for a while."""
    own_form(request)
    coming, newsletter = _coming(request)
    site = coming.site
    entered = see(site, f"/{newsletter.name}")
    token = site.app.links.token(Purpose.SESSION, coming.claim.subscriber, newsletter.name, site.clock())
    set_cookie(site, entered, READER, token, lasts=LASTS)
    return entered


def sign_out(request: Request) -> Response:
    """POST /session: this browser knows them no more."""
    own_form(request)
    site = site_of(request)
    left = see(site, "/")
    drop_cookie(site, left, READER)
    return left


def _coming(request: Request) -> tuple[Visit, Newsletter]:
    """Who comes by the link. NotFound for who is no reader, and of a newsletter where there is nothing to do."""
    coming = visit(request, Purpose.PREFERENCES)
    newsletter = coming.newsletter
    is_reader = coming.reader is not None and coming.reader.state == "confirmed"
    if newsletter is None or not is_reader or not (newsletter.public and newsletter.votes):
        raise NotFound("there is nothing to sign in for")
    return coming, newsletter


routes = [
    Route("/preferences/{token}/session", door, methods=["GET"]),
    Route("/preferences/{token}/session", sign_in, methods=["POST"]),
    Route("/session", sign_out, methods=["POST"]),
]
