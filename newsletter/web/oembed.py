"""What other sites may show in place of a link to an issue: oEmbed 1.0, https://oembed.com."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newsletter.errors import NotFound
from newsletter.store.revision import Part
from newsletter.web.addresses import issue_path
from newsletter.web.caching import public
from newsletter.web.pictures import PICTURE, SIZE
from newsletter.web.site import site_of


def oembed(request: Request) -> Response:
    """GET /oembed?url=…: the picture of an issue, at most as large as asked; 404 for any other address of ours.

    The address is compared, never fetched.
    """
    site = site_of(request)
    if request.query_params.get("format", "json") != "json":
        return Response("only json\n", status_code=501, media_type="text/plain")
    url = request.query_params.get("url", "")[:2000]
    base = site.app.config.base_url
    if not url.startswith(f"{base}/"):
        raise NotFound("an address of another site")
    name, _, slot = unquote(urlsplit(url).path.removeprefix(f"{site.root}/")).partition("/")
    known = {one.name: one for one in site.newsletters}
    if name not in known:
        raise NotFound(f"there is no newsletter {name!r}")
    back_issue = site.back_issues.named(name, slot)
    width = min(_number(request.query_params.get("maxwidth", "")), SIZE[0])
    height = min(_number(request.query_params.get("maxheight", "")), SIZE[1])
    scale = min(width / SIZE[0], height / SIZE[1])
    address = site.url(issue_path(name, slot))
    told = {
        "version": "1.0",
        "type": "photo",
        "title": back_issue.subject,
        "provider_name": known[name].title,
        "provider_url": site.url(f"/{name}"),
        "cache_age": 86_400,
        "url": f"{address}{PICTURE}",
        "width": int(SIZE[0] * scale),
        "height": int(SIZE[1] * scale),
    }
    return JSONResponse(told)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) <= 5 and int(text) else SIZE[0]  # noqa: PLR2004


routes = [Route("/oembed", public(oembed, reads=("url", "format", "maxwidth", "maxheight"), parts=[Part.ISSUES]))]
