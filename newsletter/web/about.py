"""What a newsletter is: when it comes, what it reads, how else to follow it."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.model import Newsletter
from newsletter.render.sanitize import web_address
from newsletter.schedule import slots
from newsletter.sources.opml import Subscription, write_opml
from newsletter.web.caching import public
from newsletter.web.site import Site, site_of


def about(request: Request) -> Response:
    """GET /{newsletter}/about."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    return site.page(
        "about",
        newsletter=newsletter,
        path=f"/{newsletter.name}/about",
        here="about",
        schedules=[
            (schedule, slots.next_slots(schedule, now=site.clock(), count=1, zones=site.app.places(schedule)))
            for schedule in site.app.plan.schedules.values()
            if schedule.newsletter == newsletter.name
        ],
        sources=[(name, _address(site, name)) for name in newsletter.sources],
        topics=site.app.topics(newsletter),
    )


def opml(request: Request) -> Response:
    """GET /{newsletter}/sources.opml: its feeds, for a feed reader."""
    site = site_of(request)
    newsletter = site.newsletter(request)
    body = write_opml(feeds(site, newsletter), title=newsletter.title)
    headers = {"Content-Disposition": f'attachment; filename="{newsletter.name}.opml"'}
    return Response(body, media_type="text/x-opml", headers=headers)


def feeds(site: Site, newsletter: Newsletter) -> list[Subscription]:
    """Those of its sources that a feed reader can follow."""
    return [
        Subscription(title=name, url=url)
        for name in newsletter.sources
        if site.app.plan.sources[name].kind == "feed" and (url := _address(site, name))
    ]


def _address(site: Site, name: str) -> str:
    """Where a source is found, empty where that is nobody's business: an address with a password in it is a key."""
    url = site.app.plan.sources[name].options.get("url")
    return web_address(url) if isinstance(url, str) and "@" not in urlsplit(url).netloc else ""


routes = [
    Route("/{newsletter}/about", public(about, parts=[])),
    Route("/{newsletter}/sources.opml", public(opml, parts=[])),
]
