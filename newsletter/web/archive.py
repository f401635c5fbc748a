"""Back issues: which there are, what was best on a day, in a week, in a month, and each issue as it was mailed."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import back_issues
from newsletter.back_issues import Period
from newsletter.model import Newsletter
from newsletter.render.sanitize import sanitize, sanitize_story
from newsletter.web.addresses import archive_path, issue_path
from newsletter.web.caching import public
from newsletter.web.pictures import PICTURE, picture_of
from newsletter.web.site import Site, site_of

_LISTED = 3_000  # issues on the page of all: years of them
_SHOWN = 100  # stories of a month


def archive(request: Request) -> Response:
    """GET /{newsletter}/archive: every issue, by month."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    listed = back_issues.days(site.app.store.issues.public(newsletter.name, limit=_LISTED))
    months = [(month, list(group)) for month, group in groupby(listed, key=lambda one: one[0].replace(day=1))]
    return public(
        request,
        site.page("archive", newsletter=newsletter, path=archive_path(newsletter.name), here="archive", months=months),
    )


def period(request: Request) -> Response:
    """GET /{newsletter}/archive/{period}: the stories of a day, week or month, the best first."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    period = back_issues.read_period(request.path_params["period"])
    ranked = site.back_issues.best(newsletter.name, period)
    page = site.page(
        "period",
        newsletter=newsletter,
        path=archive_path(newsletter.name, period.name),
        here="archive",
        period=period,
        kinds=[back_issues.period_of(period.last, kind) for kind in ("day", "week", "month")],
        before=_if_any(site, newsletter, period.before),
        after=_if_any(site, newsletter, period.after),
        ranked=[(one, sanitize_story(one.story)) for one in ranked[:_SHOWN]],
        more=max(0, len(ranked) - _SHOWN),
    )
    return public(request, page)


def issue(request: Request) -> Response:
    """GET /{newsletter}/{schedule}/{day}: an issue, the same stories as in the mail; with `.png` its picture."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    day = request.path_params["day"]
    slot = f"{request.path_params['schedule']}/{day.removesuffix(PICTURE)}"
    back_issue = site.back_issues.named(newsletter.name, slot)
    told = sanitize(back_issue.issue)
    if day.endswith(PICTURE):
        return public(request, picture_of(told, title=newsletter.title), seconds=86_400)
    page = site.page(
        "issue",
        newsletter=newsletter,
        path=issue_path(newsletter.name, slot),
        here="archive",
        issue=told,
        subject=back_issue.subject,
        published_at=back_issue.published_at,
        day=back_issues.period_of(told.slot.date, "day"),
    )
    return public(request, page)


def _if_any(site: Site, newsletter: Newsletter, period: Period) -> Period | None:
    """The period, unless it lies wholly before the first issue or after the last."""
    listed = back_issues.days(site.app.store.issues.public(newsletter.name, limit=_LISTED))
    if not listed:
        return None
    newest, oldest = _day(listed[0]), _day(listed[-1])
    return period if period.last >= oldest and period.first <= newest else None


def _day(listed: tuple[date, object]) -> date:
    return listed[0]


routes = [
    Route("/{newsletter}/archive", archive),
    Route("/{newsletter}/archive/{period}", period),
]
# Asked last: its path is that of any two names.
issue_routes = [Route("/{newsletter}/{schedule}/{day}", issue)]
