"""The routes of all pages, with what happens when there is none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from newsletter.errors import LinkError, NotFound, NotReady
from newsletter.web import (
    about,
    account,
    address,
    archive,
    feeds,
    home,
    leave,
    next_issue,
    oembed,
    operator,
    preferences,
    searching,
    session,
    signup,
    static,
    stories,
    suggesting,
    suggestion_queue,
    voting,
)
from newsletter.web.api import table
from newsletter.web.problems import problem
from newsletter.web.safety import Safety, is_api, masked
from newsletter.web.site import Site, site_of

log = logging.getLogger("newsletter.web")

_GONE = "There is nothing here."
_WORDS = {
    400: "That could not be read.",
    403: "That is not yours to do.",
    404: _GONE,
    405: "That cannot be done here.",
    415: "That could not be read.",
    500: "Something went wrong on our side. It was noted; please try again later.",
    503: "The archive is being read. In a moment it can be searched; please try again then.",
}
_MOMENT = "5"  # seconds, for Retry-After


def build(site: Site) -> Safety:
    """The application that serves a site."""
    routes: list[BaseRoute] = [
        *static.routes,
        *table.routes,
        *oembed.routes,
        *voting.routes,
        *suggesting.routes,
        *session.routes,
        *operator.routes,
        *next_issue.routes,
        *suggestion_queue.routes,
        *account.routes,
        *address.routes,
        *leave.routes,
        *preferences.routes,
        *signup.routes,
        *home.routes,
        *feeds.routes,
        *about.routes,
        *searching.routes,
        *stories.routes,
        *archive.routes,
        *archive.issue_routes,
    ]
    application = Starlette(
        routes=[Mount(site.root, routes=routes)] if site.root else routes,
        exception_handlers={
            HTTPException: _refused,
            NotFound: _not_found,
            LinkError: _not_found,
            NotReady: _not_ready,
            Exception: _failed,
        },
    )
    application.router.redirect_slashes = False  # one address for each page, and one check of who may see it
    application.state.site = site
    # Around everything, also around the answer to what nobody expected.
    return Safety(application, is_https=urlsplit(site.app.config.base_url).scheme == "https")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # Starlette asks by class
    return _notice(request, error.status_code, headers=error.headers)


def _not_found(request: Request, _error: Exception) -> Response:
    """Also of a link that is damaged or forged: it is not said which."""
    return _notice(request, 404)


def _not_ready(request: Request, _error: Exception) -> Response:
    """The first seconds of a server that has a large archive."""
    return _notice(request, 503, headers={"Retry-After": _MOMENT})


def _failed(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, masked(request.url.path), exc_info=error)
    return _notice(request, 500)


def _notice(request: Request, status: int, *, headers: object = None) -> Response:
    site = site_of(request)
    if is_api(request.scope):
        return problem(status, headers=dict(headers) if isinstance(headers, Mapping) else None)
    response = site.page("notice", status=status, private=True, title=_WORDS.get(status, _GONE), lines=())
    if isinstance(headers, dict):
        response.headers.update(headers)
    return response
