"""The operator's own pages: the way in and out, how everything is doing, what became of an issue.

An operator is known by a cookie with the secret of a session, which is good for nothing once the session is ended;
every form that changes something must come from our own pages besides (see `safety.is_same_site`).
"""

from __future__ import annotations

from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import operators
from newsletter.model import Newsletter
from newsletter.operators import SESSION_LASTS, WAIT
from newsletter.schedule import slots
from newsletter.store.issues import PUBLISHED
from newsletter.store.operators import Operator
from newsletter.web.forms import Form
from newsletter.web.own_pages import cookie, drop_cookie, own_form, see, set_cookie, with_own_forms
from newsletter.web.personal import network
from newsletter.web.site import Site, site_of

_COOKIE = "operator"
_ISSUES, _SLOTS, _REPLIES = 7, 3, 20


def login_page(request: Request) -> Response:
    """GET /operator/login."""
    return _login(site_of(request))


def log_in(request: Request) -> Response:
    """POST /operator/login: a new session, or the same answer for a wrong name and a wrong password."""
    site, form = site_of(request), own_form(request)
    store, now = site.app.store, site.clock()
    try:
        secret = operators.log_in(store, form.one("name"), _secret(form), network=network(request), now=now)
    except PermissionError:
        limited = _login(site, "That was tried too often. Wait a while, then try again.", status=429)
        limited.headers["Retry-After"] = str(int(WAIT.total_seconds()))
        return limited
    if secret is None:
        return _login(site, "Name or password is wrong.", status=401)
    store.operators.dismiss(cookie(request, _COOKIE))  # whatever was there before is over
    entered = see(site, "/operator")
    set_cookie(site, entered, _COOKIE, secret, lasts=SESSION_LASTS)
    return entered


def log_out(request: Request) -> Response:
    """POST /operator/logout: the session is over, not only its cookie."""
    site = site_of(request)
    own_form(request)
    site.app.store.operators.dismiss(cookie(request, _COOKIE))
    left = see(site, "/operator/login")
    drop_cookie(site, left, _COOKIE)
    return left


def dashboard(request: Request) -> Response:
    """GET /operator: every newsletter and how it is doing."""
    site = site_of(request)
    who = operator_of(request)
    if who is None:
        return see(site, "/operator/login")
    store, now = site.app.store, site.clock()
    suggested = store.suggestions.waiting()
    return operator_page(
        site,
        "dashboard",
        who=who,
        newsletters=[
            {**_standing(site, one, now), "suggested": suggested.get(one.name, 0)}
            for one in site.app.plan.newsletters.values()
        ],
        failing=[source for source in store.sources.list() if source.error and source.name in site.app.plan.sources],
        alarms=[alarm for alarm in store.alarms.list() if alarm.over_at is None],
    )


def issue(request: Request) -> Response:
    """GET /operator/issues/{number}: its deliveries by state, and what servers said most often."""
    site = site_of(request)
    who = operator_of(request)
    if who is None:
        return see(site, "/operator/login")
    store = site.app.store
    number = request.path_params["number"]
    if number >= 2**63:  # more than any database counts
        raise HTTPException(404)
    decided = store.issues.get(number)
    counts = store.deliveries.counts(decided.id)
    return operator_page(
        site,
        "issue",
        who=who,
        issue=decided,
        states=[(state.value, count, store.deliveries.reasons(decided.id, state)) for state, count in counts.items()],
        replies=store.deliveries.replies(decided.id, limit=_REPLIES),
        is_public=decided.state == PUBLISHED and store.issues.named(decided.newsletter, decided.slot) == decided.id,
    )


def _standing(site: Site, newsletter: Newsletter, now: datetime) -> dict[str, object]:
    app = site.app
    mine = [schedule for schedule in app.plan.schedules.values() if schedule.newsletter == newsletter.name]
    coming = [slot for one in mine for slot in slots.next_slots(one, now=now, count=_SLOTS, zones=app.places(one))]
    issues = app.store.issues.list(newsletter.name, limit=_ISSUES)
    return {
        "newsletter": newsletter,
        "readers": app.store.subscribers.tally(newsletter.name),
        "coming": sorted(coming, key=lambda slot: slot.at)[:_SLOTS],
        "drafts": app.store.drafts.list(newsletter.name),
        "issues": [(one, app.store.deliveries.counts(one.id)) for one in issues],
    }


# --- who is there, for all pages of an operator ---------------------------------------------------------------------


def operator_of(request: Request) -> Operator | None:
    """Who is logged in, None for nobody."""
    site = site_of(request)
    return operators.who(site.app.store, cookie(request, _COOKIE), now=site.clock())


def acting(request: Request) -> tuple[Operator, Form]:
    """Who sent a form of ours, and what it says. HTTPException 403 for a form of another site, or of nobody's."""
    form = own_form(request)
    who = operator_of(request)
    if who is None:
        raise HTTPException(403)
    return who, form


def number_in(form: Form, name: str) -> int:
    """A number that one of our forms sends. HTTPException 400 for what is none."""
    said = form.one(name)
    if not (said.isascii() and said.isdigit() and len(said) < 10):  # noqa: PLR2004
        raise HTTPException(400)
    return int(said)


def operator_page(
    site: Site, template: str, *, who: Operator | None, status: int = 200, **variables: object
) -> Response:
    """A page from `templates/web/operator/`, which only an operator sees; it gets `who`."""
    page = site.page(f"operator/{template}", status=status, private=True, who=who, **variables)  # type: ignore[arg-type]
    return with_own_forms(page)


def _login(site: Site, mistake: str = "", *, status: int = 200) -> Response:
    return operator_page(site, "login", who=None, status=status, mistake=mistake)


def _secret(form: Form) -> str:
    """The password as it was typed: a space may be part of it."""
    typed = form.all("password")
    return typed[-1] if typed else ""


routes = [
    Route("/operator", dashboard),
    Route("/operator/login", login_page, methods=["GET"]),
    Route("/operator/login", log_in, methods=["POST"]),
    Route("/operator/logout", log_out, methods=["POST"]),
    Route("/operator/issues/{number:int}", issue),
]
