"""What is kept about somebody: theirs to see and to erase, by a link that was mailed to them a moment ago."""

from __future__ import annotations

import json
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import consent
from newsletter.links import Purpose
from newsletter.web.forms import read_form
from newsletter.web.personal import Visit, masked_email, visit
from newsletter.web.site import PRIVATE

_WITHIN = timedelta(days=1)


def account(request: Request) -> Response:
    """GET /account/{token}: the two buttons."""
    return _page(visit(request, Purpose.ACCOUNT))


def use(request: Request) -> Response:
    """POST /account/{token}: download everything, or erase it, which is asked once more."""
    coming = visit(request, Purpose.ACCOUNT)
    store = coming.site.app.store
    if not _is_open(coming):
        return _page(coming)
    sent = read_form(request)
    match sent.one("want"):
        case "export":
            kept = json.dumps(consent.export(store, coming.claim.subscriber), indent=2, ensure_ascii=False, default=str)
            headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="my-data.json"'}
            return Response(kept, media_type="application/json", headers=headers)
        case "erase" if sent.one("sure") == "yes":
            consent.forget(store, coming.site.app.links, coming.claim.subscriber, now=coming.site.clock())
            return coming.page("erased")
        case "erase":
            return _page(coming, sure=True)
    return _page(coming, status=400)


def _is_open(coming: Visit) -> bool:
    is_known = coming.site.app.store.subscribers.reader(coming.claim.subscriber) is not None
    return is_known and coming.site.clock() - coming.claim.made <= _WITHIN


def _page(coming: Visit, *, sure: bool = False, status: int = 200) -> Response:
    """The buttons; of a link that is too old, and of somebody who is erased, the same page says so."""
    if not _is_open(coming):
        return coming.page("expired", status=410)
    reader = coming.site.app.store.subscribers.reader(coming.claim.subscriber)
    email = masked_email(reader.email) if reader else ""
    return coming.page("account", status=status, email=email, sure=sure)


routes = [
    Route("/account/{token}", account),
    Route("/account/{token}", use, methods=["POST"]),
]
