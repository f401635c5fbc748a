"""Joining: the form, the question by mail, the button that answers it, and the way to be left alone.

The form answers every address alike, and does the same work for it: one row is added. What an address is to us, a
reader, a stranger, one that bounces, shows only in the mail it gets (see `desk`).
"""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import consent
from newsletter.addresses import address
from newsletter.errors import LinkError
from newsletter.language import Language, languages, speak
from newsletter.links import Purpose
from newsletter.model import Newsletter
from newsletter.store.applications import Full
from newsletter.store.consent import Joined
from newsletter.web.forms import Form, read_form
from newsletter.web.personal import network, visit
from newsletter.web.site import Site, site_of

_SOONEST = timedelta(seconds=1)  # nobody types an address in less
_LATEST = timedelta(days=1)
_LATER = "3600"  # seconds, for Retry-After


def form(request: Request) -> Response:
    """GET /{newsletter}/subscribe: the form alone."""
    site = site_of(request)
    return _form(site, site.newsletter(request), speak(""))


def subscribe(request: Request) -> Response:
    """POST /{newsletter}/subscribe."""
    sent = read_form(request)
    site = site_of(request)
    newsletter = site.newsletter(request)
    now = site.clock()
    language = _language(sent, newsletter)
    if sent.all("website") not in ((), ("",)):  # nobody sees that field
        return _look(site, newsletter, language)
    try:
        (typed,) = sent.all("email")
        email = address(typed.strip())
    except ValueError:
        return _form(site, newsletter, language, email=sent.one("email"), wrong=True, status=400)
    try:
        age = now - site.app.links.read_stamp(newsletter.name, sent.one("page"))
    except LinkError:
        age = None
    if age is None or age > _LATEST or age < -_LATEST:
        return _form(site, newsletter, language, email=email, once_more=True)
    if age < _SOONEST:
        return _look(site, newsletter, language)
    full = consent.apply(
        site.app.store,
        newsletter=newsletter.name,
        email=email,
        language=language.tag,
        network=network(request),
        now=now,
    )
    if full is not None:
        return _later(site, newsletter, language, full)
    site.ring()
    return _look(site, newsletter, language)


def embed(request: Request) -> Response:
    """GET /{newsletter}/embed: a form to copy into another site."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    return site.page("embed", newsletter=newsletter, path=f"/{newsletter.name}/embed")


def confirmation(request: Request) -> Response:
    """GET /confirm/{token}: the button."""
    coming = visit(request, Purpose.CONFIRM)
    if coming.newsletter is None or coming.reader is None or consent.is_expired(coming.claim, now=coming.site.clock()):
        return _expired(request)
    return coming.page("confirm")


def confirm(request: Request) -> Response:
    """POST /confirm/{token}."""
    coming = visit(request, Purpose.CONFIRM)
    now = coming.site.clock()
    if coming.newsletter is None or consent.is_expired(coming.claim, now=now):
        return _expired(request)
    store = coming.site.app.store
    joined = consent.confirm(
        store,
        coming.site.app.links,
        coming.claim,
        network=coming.network,
        language=coming.language.tag,
        now=now,
    )
    if joined in (Joined.GONE, Joined.LEFT):
        return _expired(request)
    coming.site.ring()
    return coming.page("welcome", preferences=coming.url(Purpose.PREFERENCES))


def never(request: Request) -> Response:
    """GET /never/{token}: the button of those who want to be left alone."""
    return visit(request, Purpose.NEVER).page("never", done=False)


def never_again(request: Request) -> Response:
    """POST /never/{token}: harmless when it was done already."""
    coming = visit(request, Purpose.NEVER)
    app = coming.site.app
    now = coming.site.clock()
    consent.never_again(app.store, app.links, coming.claim, fingerprint=coming.mark, now=now)
    return coming.page("never", done=True)


def _language(sent: Form, newsletter: Newsletter) -> Language:
    """The language of the page that the form stood on, else the newsletter's."""
    asked = sent.one("language")
    return speak(asked if asked in languages() else newsletter.language)


def _form(
    site: Site,
    newsletter: Newsletter,
    language: Language,
    *,
    email: str = "",
    wrong: bool = False,
    once_more: bool = False,
    status: int = 200,
) -> Response:
    return site.page(
        "subscribe",
        newsletter=newsletter,
        language=language,
        path=f"/{newsletter.name}/subscribe",
        status=status,
        private=bool(email),
        email=email[:254],
        wrong=wrong,
        once_more=once_more,
    )


def _look(site: Site, newsletter: Newsletter, language: Language) -> Response:
    """What everybody is told."""
    return site.page("inbox", newsletter=newsletter, language=language, private=True)


def _later(site: Site, newsletter: Newsletter, language: Language, full: Full) -> Response:
    response = site.page(
        "later", newsletter=newsletter, language=language, private=True, status=503 if full is Full.ALL else 429
    )
    response.headers["Retry-After"] = _LATER
    return response


def _expired(request: Request) -> Response:
    """A link that brings nobody in any more: the form stands there, for a new mail."""
    coming = visit(request, Purpose.CONFIRM)
    return coming.page("expired", status=410)


routes = [
    Route("/confirm/{token}", confirmation),
    Route("/confirm/{token}", confirm, methods=["POST"]),
    Route("/never/{token}", never),
    Route("/never/{token}", never_again, methods=["POST"]),
    Route("/{newsletter}/subscribe", form),
    Route("/{newsletter}/subscribe", subscribe, methods=["POST"]),
    Route("/{newsletter}/embed", embed),
]
