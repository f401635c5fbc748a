"""A reader suggests something to tell, by the link that stands in every mail, and sees what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import suggestions
from newsletter.errors import NotFound
from newsletter.links import Purpose
from newsletter.model import Newsletter
from newsletter.render.sanitize import TITLE, clean, web_address
from newsletter.store.suggestions import APPROVED, Answer, Suggestion
from newsletter.suggestions import LINK, NOTE, Link
from newsletter.web.forms import Form, read_form
from newsletter.web.personal import Visit, visit
from newsletter.web.stories import find_story

_SHOWN = 30  # suggestions of theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Where something was told: the name of the slot, and the day; both empty where it was not."""

    slot: str = ""
    day: str = ""


def form(request: Request) -> Response:
    """GET /preferences/{token}/suggest: the form, and what they suggested before."""
    return _page(*_coming(request))


def suggest(request: Request) -> Response:
    """POST /preferences/{token}/suggest: take it, or say why not; nothing is fetched."""
    coming, newsletter = _coming(request)
    sent = read_form(request)
    link = suggestions.read_link(sent.one("link"))
    mistakes = _mistakes(coming, sent, link)
    if mistakes or link is None:
        return _page(coming, newsletter, mistakes=mistakes, typed=sent)
    if told := _told(coming, newsletter, link.key):
        return _page(coming, newsletter, told=told)
    answer = suggestions.suggest(
        coming.site.app,
        newsletter,
        link,
        subscriber=coming.claim.subscriber,
        title=sent.one("title"),
        note=sent.one("note"),
        now=coming.site.clock(),
    )
    return _page(coming, newsletter, answer=answer)


def _coming(request: Request) -> tuple[Visit, Newsletter]:
    """Who comes. NotFound for who is no reader, and of a newsletter that takes no suggestions."""
    coming = visit(request, Purpose.PREFERENCES)
    is_reader = coming.reader is not None and coming.reader.state == "confirmed"
    if coming.newsletter is None or not coming.newsletter.suggestions or not is_reader:
        raise NotFound("there is nobody to suggest to")
    return coming, coming.newsletter


def _mistakes(coming: Visit, sent: Form, link: Link | None) -> Mapping[str, str]:
    """What is wrong with the fields, in the reader's language."""
    language, mistakes = coming.language, {}
    if link is None:
        mistakes["link"] = language.gettext(
            "This is neither the address of a public page, which begins with https://, nor an arXiv id or a DOI."
        )
    for name, most in (("title", TITLE), ("note", NOTE)):
        if len(sent.one(name)) > most:
            mistakes[name] = language.gettext("At most %(count)s characters.", count=language.number(most))
    return mistakes


def _told(coming: Visit, newsletter: Newsletter, key: str) -> Told | None:
    """The last issue that told it, if one did."""
    try:
        _, issues = find_story(coming.site, newsletter, key)
    except NotFound:
        return None
    if not issues:
        return None
    latest = issues[-1][0]
    return Told(slot=latest.slot, day=coming.language.full_date(latest.issue.slot.date))


def _page(
    coming: Visit,
    newsletter: Newsletter,
    *,
    answer: Answer | None = None,
    told: Told | None = None,
    mistakes: Mapping[str, str] | None = None,
    typed: Form | None = None,
) -> Response:
    mine = coming.site.app.store.suggestions.of(newsletter.name, coming.claim.subscriber, limit=_SHOWN)
    return coming.page(
        "suggest",
        status=400 if mistakes else 200,
        answer=answer.taken.value if answer else "told" if told else "",
        again_at=_moment(coming, answer.again_at) if answer and answer.again_at else "",
        told=told,
        mistakes=mistakes or {},
        typed={name: typed.one(name) for name in ("link", "title", "note")} if typed else {},
        limits={"link": LINK, "title": TITLE, "note": NOTE},
        most=suggestions.ALLOWED.most,
        mine=[_shown(coming, newsletter, one) for one in mine],
    )


def _moment(coming: Visit, at: datetime) -> str:
    """The minute that follows, by the reader's clock."""
    zone = coming.preferences.timezone or "UTC"
    local = (at + timedelta(seconds=59)).astimezone(ZoneInfo(zone))
    return f"{coming.language.full_date(local.date())}, {coming.language.time(local)} ({zone})"


def _shown(coming: Visit, newsletter: Newsletter, one: Suggestion) -> tuple[Suggestion, str, str, Told]:
    """One of theirs, with its address and title as they may be shown, and where it was told."""
    url = web_address(one.url)
    told = _told(coming, newsletter, one.key) if one.state == APPROVED else None
    return one, url, clean(one.title, TITLE) or url, told or Told()


routes = [
    Route("/preferences/{token}/suggest", form, methods=["GET"]),
    Route("/preferences/{token}/suggest", suggest, methods=["POST"]),
]
