"""Back issues: which there are, what was best on a day, in a week, in a month, and each issue as it was mailed."""

from __future__ import annotations

from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter import back_issues
from newsletter.back_issues import BackIssue, Period
from newsletter.model import Newsletter
from newsletter.store.revision import Part
from newsletter.web.addresses import archive_path, issue_path
from newsletter.web.caching import public
from newsletter.web.likes import likes_of
from newsletter.web.pictures import PICTURE, picture_of
from newsletter.web.session import READER, shown, voter_of
from newsletter.web.site import Site, site_of

_LISTED = 3_000  # issues on the page of all: years of them
_SHOWN = 100  # stories of a month


def archive(request: Request) -> Response:
    """GET /{newsletter}/archive: every issue, by month."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    listed = back_issues.days(site.app.store.issues.public(newsletter.name, limit=_LISTED))
    months = [(month, list(group)) for month, group in groupby(listed, key=lambda one: one[0].replace(day=1))]
    return site.page(
        "archive", newsletter=newsletter, path=archive_path(newsletter.name), here="archive", months=months
    )


def period(request: Request) -> Response:
    """GET /{newsletter}/archive/{period}: the stories of a day, week or month, the best first."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    period = back_issues.read_period(request.path_params["period"])
    ranked, count = site.back_issues.best(newsletter.name, period, limit=_SHOWN)
    return site.page(
        "period",
        newsletter=newsletter,
        path=archive_path(newsletter.name, period.name),
        here="archive",
        period=period,
        kinds=[back_issues.period_of(period.last, kind) for kind in ("day", "week", "month")],
        before=_if_any(site, newsletter, period.before),
        after=_if_any(site, newsletter, period.after),
        ranked=ranked,
        likes=likes_of(site, newsletter, [one.story for one in ranked]),
        more=count - len(ranked),
    )


def issue(request: Request) -> Response:
    """GET /{newsletter}/{schedule}/{day}: an issue, the same stories as in the mail."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    told = _told(site, newsletter, request)
    voter = voter_of(request, newsletter)
    page = site.page(
        "issue",
        newsletter=newsletter,
        path=issue_path(newsletter.name, told.slot),
        here="archive",
        issue=told.shown,
        slot=told.slot,
        subject=told.subject,
        published_at=told.published_at,
        day=back_issues.period_of(told.issue.slot.date, "day"),
        likes=likes_of(site, newsletter, told.shown.stories, voter=voter),
    )
    return shown(page, newsletter, voter=voter)


def picture(request: Request) -> Response:
    """GET /{newsletter}/{schedule}/{day}.png: its picture."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    return picture_of(_told(site, newsletter, request).shown, title=newsletter.title)


def _told(site: Site, newsletter: Newsletter, request: Request) -> BackIssue:
    slot = f"{request.path_params['schedule']}/{request.path_params['day']}"
    return site.back_issues.named(newsletter.name, slot)


def _if_any(site: Site, newsletter: Newsletter, period: Period) -> Period | None:
    """The period, unless it lies wholly before the first issue or after the last."""
    span = site.back_issues.span(newsletter.name)
    return period if span and period.last >= span[0] and period.first <= span[1] else None


routes = [
    Route("/{newsletter}/archive", public(archive, parts=[Part.ISSUES])),
    Route("/{newsletter}/archive/{period}", public(period)),
]
# Asked last: its path is that of any two names.
issue_routes = [
    Route(f"/{{newsletter}}/{{schedule}}/{{day}}{PICTURE}", public(picture, parts=[Part.ISSUES], seconds=86_400)),
    Route("/{newsletter}/{schedule}/{day}", public(issue, knows=READER, parts=[Part.ISSUES, Part.VOTES])),
]
