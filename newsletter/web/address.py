"""Another address: the button of the new one, and the objection of the old one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import address_changes
from newsletter.links import Purpose
from newsletter.store.address_changes import Changed
from newsletter.web.personal import Visit, masked_email, visit


def confirmation(request: Request) -> Response:
    """GET /address/{token}: the button."""
    coming = visit(request, Purpose.ADDRESS)
    change = address_changes.find(coming.site.app.store, coming.claim, coming.mark)
    if change is None or not address_changes.is_open(change, coming.claim, now=coming.site.clock()):
        return _expired(coming)
    return coming.page("address", email=masked_email(change.email), done=False)


def confirm(request: Request) -> Response:
    """POST /address/{token}: harmless when it was done already."""
    coming = visit(request, Purpose.ADDRESS)
    app, now = coming.site.app, coming.site.clock()
    change = address_changes.find(app.store, coming.claim, coming.mark)
    if change is None or not address_changes.is_open(change, coming.claim, now=now):
        return _expired(coming)
    came_to = address_changes.confirm(app.store, app.links, coming.claim, coming.mark, network=coming.network, now=now)
    if came_to is not Changed.DONE:
        return _expired(coming)
    preferences = coming.url(Purpose.PREFERENCES)
    return coming.page("address", email=masked_email(change.email), done=True, preferences=preferences)


def objection(request: Request) -> Response:
    """GET /object/{token}: the button."""
    coming = visit(request, Purpose.OBJECT)
    if address_changes.find(coming.site.app.store, coming.claim, coming.mark) is None:
        return _expired(coming)
    return coming.page("object", done=False)


def object_to(request: Request) -> Response:
    """POST /object/{token}: harmless when it was done already."""
    coming = visit(request, Purpose.OBJECT)
    app, now = coming.site.app, coming.site.clock()
    if address_changes.find(app.store, coming.claim, coming.mark) is None:
        return _expired(coming)
    came_to = address_changes.object_to(
        app.store, app.links, coming.claim, coming.mark, network=coming.network, now=now
    )
    return coming.page("object", done=True) if came_to is Changed.DONE else _expired(coming)


def _expired(coming: Visit) -> Response:
    return coming.page("expired", status=410)


routes = [
    Route("/address/{token}", confirmation),
    Route("/address/{token}", confirm, methods=["POST"]),
    Route("/object/{token}", objection),
    Route("/object/{token}", object_to, methods=["POST"]),
]
