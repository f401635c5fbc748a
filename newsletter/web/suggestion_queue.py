"""What readers suggest, as the editor finds it: a queue with two buttons beside each."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import suggestions
from newsletter.errors import NewsletterError
from newsletter.model import Newsletter
from newsletter.render.sanitize import TITLE, clean, web_address
from newsletter.store.operators import Operator
from newsletter.store.suggestions import WAITING, Suggestion
from newsletter.web.forms import Form
from newsletter.web.operator import acting, number_in, operator_of, operator_page
from newsletter.web.own_pages import see
from newsletter.web.site import Site, site_of

_SHOWN = 100  # of those that wait; more come up as these are decided
_DECIDED = 20


def queue(request: Request) -> Response:
    """GET /operator/{newsletter}/suggestions: nothing is asked for, and nothing is written."""
    site = site_of(request)
    who = operator_of(request)
    if who is None:
        return see(site, "/operator/login")
    return _page(site, site.app.newsletter(request.path_params["newsletter"]), who)


def decide(request: Request) -> Response:
    """POST /operator/{newsletter}/suggestions: approve or decline one, or look up what they are."""
    site = site_of(request)
    who, form = acting(request)
    newsletter = site.app.newsletter(request.path_params["newsletter"])
    try:
        _act(site, newsletter, form, who)
    except NewsletterError as error:
        return _page(site, newsletter, who, mistake=str(error), status=400)
    return see(site, f"/operator/{newsletter.name}/suggestions")


def _act(site: Site, newsletter: Newsletter, form: Form, who: Operator) -> None:
    app, now = site.app, site.clock()
    match form.one("do"):
        case "approve":
            suggestions.approve(app, number_in(form, "suggestion"), title=form.one("title"), who=who.name, now=now)
        case "decline":
            suggestions.decline(app, number_in(form, "suggestion"), who=who.name, now=now)
        case "look-up":
            suggestions.look_up(app, newsletter.name, now=now)
        case _:
            raise HTTPException(400)


def _page(site: Site, newsletter: Newsletter, who: Operator, *, mistake: str = "", status: int = 200) -> Response:
    store = site.app.store.suggestions
    waiting = store.list(newsletter.name, state=WAITING, limit=_SHOWN)
    return operator_page(
        site,
        "suggestions",
        who=who,
        status=status,
        mistake=mistake,
        paper=newsletter,
        count=store.waiting().get(newsletter.name, 0),
        waiting=[_shown(one) for one in waiting],
        is_any_unknown=any(map(suggestions.can_be_looked_up, waiting)),
        decided=[_shown(one) for one in store.decided(newsletter.name, limit=_DECIDED)],
    )


def _shown(one: Suggestion) -> tuple[Suggestion, str, str]:
    """With its address and title as they may be shown."""
    return one, web_address(one.url), clean(one.title, TITLE)


routes = [
    Route("/operator/{newsletter}/suggestions", queue, methods=["GET"]),
    Route("/operator/{newsletter}/suggestions", decide, methods=["POST"]),
]
