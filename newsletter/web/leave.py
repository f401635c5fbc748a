"""Leaving: one button that asks nothing, the same for mail programs that press it themselves (RFC 8058)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import consent
from newsletter.links import Purpose
from newsletter.web.forms import is_one_click, read_form
from newsletter.web.personal import Visit, visit


def unsubscription(request: Request) -> Response:
    """GET /unsubscribe/{token}: the button, and "less often" beside it."""
    return _button(visit(request, Purpose.UNSUBSCRIBE))


def unsubscribe(request: Request) -> Response:
    """POST /unsubscribe/{token}, from our page or from a mail program: however often, whatever became of the reader.

    What says neither to leave nor to have less changes nothing and gets the button.
    """
    coming = visit(request, Purpose.UNSUBSCRIBE)
    site, now = coming.site, coming.site.clock()
    store = site.app.store
    if is_one_click(request):
        consent.leave(store, coming.claim, network=coming.network, now=now)
        return coming.page("goodbye", known=store.subscribers.reader(coming.claim.subscriber) is not None)
    match read_form(request).one("instead"):
        case "weekly" if "weekly" in site.cadences(coming.claim.newsletter):
            changed = consent.less_often(store, coming.claim, cadence="weekly", network=coming.network, now=now)
            return _less(coming) if changed else _button(coming)
        case "pause":
            until = consent.pause(store, coming.claim, network=coming.network, now=now)
            return _less(coming, until=coming.language.full_date(until)) if until else _button(coming)
        case "again" if coming.newsletter is not None:
            return _again(coming)
    return _button(coming, status=400)


def _button(coming: Visit, *, status: int = 200) -> Response:
    is_reader = coming.reader is not None and coming.reader.state == "confirmed"
    cadences = coming.site.cadences(coming.claim.newsletter)
    is_weekly = coming.preferences.cadence == "weekly"
    return coming.page(
        "unsubscribe", status=status, weekly=is_reader and "weekly" in cadences and not is_weekly, pause=is_reader
    )


def _less(coming: Visit, *, until: str = "") -> Response:
    return coming.page("less", until=until, preferences=coming.url(Purpose.PREFERENCES))


def _again(coming: Visit) -> Response:
    """The way back goes through a new confirmation, to the address that left."""
    site = coming.site
    reader = site.app.store.subscribers.reader(coming.claim.subscriber)
    if reader is not None:
        consent.apply(
            site.app.store,
            newsletter=coming.claim.newsletter,
            email=reader.email,
            language=coming.language.tag,
            network=coming.network,
            now=site.clock(),
        )
        site.ring()
    return coming.page("inbox")


routes = [
    Route("/unsubscribe/{token}", unsubscription),
    Route("/unsubscribe/{token}", unsubscribe, methods=["POST"]),
]
