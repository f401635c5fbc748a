"""The front pages: of the site, and of each newsletter with its latest issue."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.model import Newsletter
from newsletter.store.revision import Part
from newsletter.web.caching import public
from newsletter.web.site import Site, site_of


def front(request: Request) -> Response:
    """GET /: the newsletter, or which there are."""
    site = site_of(request)
    newsletters = site.newsletters
    if len(newsletters) == 1:
        return _front(site, newsletters[0])
    return site.page("front", path="/", newsletters=newsletters)


def newsletter(request: Request) -> Response:
    """GET /{newsletter}: its latest issue, and the sign-up."""
    site = site_of(request)
    return _front(site, site.newsletter(request))


def _front(site: Site, newsletter: Newsletter) -> Response:
    latest = site.back_issues.latest(newsletter.name)
    shown = latest.shown if latest else None
    return site.page("newsletter", newsletter=newsletter, path=f"/{newsletter.name}", here="latest", issue=shown)


routes = [
    Route("/", public(front, parts=[Part.ISSUES])),
    Route("/{newsletter}", public(newsletter, parts=[Part.ISSUES])),
]
