"""What a reader chooses, by the link that stands in every mail."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import address_changes, consent
from newsletter.addresses import address
from newsletter.language import languages, speak
from newsletter.links import Purpose
from newsletter.model import Newsletter, Preferences
from newsletter.preferences import HOURS, offered, read_preferences, zones
from newsletter.render.phrases import REST
from newsletter.replan import replanned
from newsletter.store.applications import Full, Wish
from newsletter.tailor import asks, tailor
from newsletter.web.forms import Form, read_form
from newsletter.web.personal import Visit, masked_email, visit


def preferences(request: Request) -> Response:
    """GET /preferences/{token}."""
    coming = visit(request, Purpose.PREFERENCES)
    return _page(coming, coming.preferences)


def choose(request: Request) -> Response:
    """POST /preferences/{token}: choose, or ask for a link to one's data, or for another address."""
    coming = visit(request, Purpose.PREFERENCES)
    sent = read_form(request)
    site, now = coming.site, coming.site.clock()
    if coming.newsletter is None or coming.reader is None or coming.reader.state != "confirmed":
        return _page(coming, coming.preferences)
    if sent.one("wish") == Wish.ACCOUNT:
        consent.apply(
            site.app.store,
            wish=Wish.ACCOUNT,
            newsletter=coming.newsletter.name,
            email=coming.reader.email,
            language=coming.language.tag,
            network=coming.network,
            now=now,
        )
        site.ring()
        return coming.page("inbox")
    if sent.one("wish") == Wish.ADDRESS:
        return _readdress(coming, sent)
    chosen, mistakes = read_preferences(
        sent.fields,
        offered(site.app.plan, coming.newsletter),
        before=coming.preferences,
        today=now.astimezone(ZoneInfo(coming.preferences.timezone or "UTC")).date(),
        language=coming.language,
    )
    if mistakes:
        return _page(coming, chosen, mistakes=mistakes, typed=sent.fields)
    how = consent.told("link", coming.network, coming.language.tag)
    reader = coming.claim.subscriber
    with replanned(site.app, reader, now=now):
        site.app.store.subscribers.choose(reader, coming.newsletter.name, chosen, how=how, now=now)
    return _page(visit(request, Purpose.PREFERENCES), chosen, saved=True)


def _readdress(coming: Visit, sent: Form) -> Response:
    """The same answer for every address that can be one."""
    try:
        email = address(sent.one("email"))
    except ValueError:
        wrong = coming.language.gettext("This is not an email address that a mail can be sent to.")
        return _page(coming, coming.preferences, mistakes={"email": wrong}, typed=sent.fields)
    full = address_changes.ask(
        coming.site.app.store,
        coming.claim,
        email=email,
        language=coming.language.tag,
        network=coming.network,
        now=coming.site.clock(),
    )
    if full is not None:
        return coming.page("later", status=503 if full is Full.ALL else 429)
    coming.site.ring()
    return coming.page("asked")


def _page(
    coming: Visit,
    chosen: Preferences,
    *,
    mistakes: Mapping[str, str] | None = None,
    typed: Mapping[str, tuple[str, ...]] | None = None,
    saved: bool = False,
) -> Response:
    if coming.newsletter is None or coming.reader is None or coming.reader.state != "confirmed":
        return coming.page("goodbye", known=False)
    return coming.page(
        "preferences",
        status=400 if mistakes else 200,
        email=masked_email(coming.reader.email),
        offer=offered(coming.site.app.plan, coming.newsletter),
        chosen=chosen,
        mistakes=mistakes or {},
        typed=typed or {},
        saved=saved,
        counted=_counted(coming, coming.newsletter, chosen),
        hours=HOURS,
        zones=zones(),
        languages=[(tag, speak(tag).name) for tag in languages()],
        unsubscribe=coming.url(Purpose.UNSUBSCRIBE),
    )


def _counted(coming: Visit, newsletter: Newsletter, chosen: Preferences) -> str:
    """How much of the latest issue they would get; empty before the first, and for who chose nothing."""
    latest = coming.site.back_issues.latest(newsletter.name)
    if latest is None or not latest.issue.stories or asks(chosen) == Preferences():
        return ""
    count = len(tailor(latest.issue, chosen, topics=(*newsletter.topics, REST)).stories)
    return coming.language.ngettext(
        "Of the latest issue's %(all)s stories you would get %(count)s.",
        "Of the latest issue's %(all)s stories you would get %(count)s.",
        count,
        all=coming.language.number(len(latest.issue.stories)),
    )


routes = [
    Route("/preferences/{token}", preferences),
    Route("/preferences/{token}", choose, methods=["POST"]),
]
