"""The next issue, as an editor sees it: what it would be, what is said of it, and the button that lets it go."""

from __future__ import annotations

from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import editor
from newsletter.errors import NewsletterError, NotFound, StoreError
from newsletter.model import Change, Composed, Slot
from newsletter.render.sanitize import sanitize
from newsletter.store.drafts import Draft
from newsletter.store.operators import Operator
from newsletter.web.forms import Form
from newsletter.web.operator import acting, number_in, operator_of, operator_page
from newsletter.web.own_pages import see
from newsletter.web.site import Site, site_of


def next_issue(request: Request) -> Response:
    """GET /operator/{newsletter}/next: nothing is collected, and nothing is written."""
    site = site_of(request)
    who = operator_of(request)
    if who is None:
        return see(site, "/operator/login")
    return _page(site, site.app.newsletter(request.path_params["newsletter"]).name, who)


def edit(request: Request) -> Response:
    """POST /operator/{newsletter}/next: what an editor says, does to the draft, or takes back."""
    site = site_of(request)
    who, form = acting(request)
    newsletter = site.app.newsletter(request.path_params["newsletter"]).name
    try:
        _act(site, newsletter, form, who)
    except NewsletterError as error:
        return _page(site, newsletter, who, mistake=str(error), status=400)
    return see(site, f"/operator/{newsletter}/next")


def _act(site: Site, newsletter: str, form: Form, who: Operator) -> None:
    app, now, name = site.app, site.clock(), who.name
    story = form.one("story")
    match form.one("do"):
        case "pin":
            editor.pin(app, newsletter, story, until=_day(form, "until"), who=name, now=now)
        case "hide":
            editor.hide(app, newsletter, story, until=_day(form, "until"), who=name, now=now)
        case "blurb":
            editor.blurb(app, newsletter, story, form.one("text"), who=name, now=now)
        case "intro":
            day = _day(form, "day") or editor.next_slot(app, newsletter, now=now).date
            editor.intro(app, newsletter, form.one("text"), day=day, who=name, now=now)
        case "undo":
            editor.undo(app, newsletter, number_in(form, "edit"), who=name, now=now)
        case "approve":
            draft = _draft(site, newsletter, form)
            editor.approve(app, draft, who=name, now=now)
        case "decline":
            editor.decline(app, _draft(site, newsletter, form), who=name, now=now)
        case _:
            raise HTTPException(400)


def _draft(site: Site, newsletter: str, form: Form) -> Draft:
    """The draft that was on the page. StoreError when there is another one now."""
    draft = site.app.store.drafts.get(newsletter, form.one("slot"))
    if draft.revision != number_in(form, "revision"):
        raise StoreError("the draft was changed meanwhile: look at it again")
    return draft


def _page(site: Site, newsletter: str, who: Operator, *, mistake: str = "", status: int = 200) -> Response:
    app, now = site.app, site.clock()
    edits = app.store.edits.list(newsletter)
    try:
        slot = editor.next_slot(app, newsletter, now=now)
    except NotFound as error:
        return operator_page(site, "nothing", who=who, paper=app.newsletter(newsletter), why=str(error), status=status)
    draft, composed = _next(site, slot)
    pinned = {edit.key for edit in edits if edit.kind is Change.PIN}
    return operator_page(
        site,
        "next",
        who=who,
        status=status,
        mistake=mistake,
        paper=app.newsletter(newsletter),
        slot=slot,
        draft=draft,
        composed=composed,
        issue=sanitize(composed.issue) if composed.issue else None,
        edits=edits,
        pinned=pinned,
        blurbs={edit.key: edit.text for edit in edits if edit.kind is Change.BLURB},
        intro=next((edit.text for edit in edits if (edit.kind, edit.key) == (Change.INTRO, slot.date.isoformat())), ""),
    )


def _next(site: Site, slot: Slot) -> tuple[Draft | None, Composed]:
    """The draft of a slot with what is in it, else what would be composed now."""
    draft = site.app.store.drafts.find(slot)
    if draft is not None:
        return draft, Composed(issue=draft.issue, reason=draft.reason)
    return None, site.app.compose(slot, now=site.clock())


def _day(form: Form, name: str) -> date | None:
    said = form.one(name)
    try:
        return date.fromisoformat(said) if said else None
    except ValueError as error:
        raise StoreError(f"{said[:40]!r} is not a date like 2026-11-20") from error


routes = [
    Route("/operator/{newsletter}/next", next_issue, methods=["GET"]),
    Route("/operator/{newsletter}/next", edit, methods=["POST"]),
]
