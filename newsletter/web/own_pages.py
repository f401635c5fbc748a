"""What our own pages may do and no others: forms that act with a cookie, the cookie itself, the way on after a form."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newsletter.web.forms import Form, read_form
from newsletter.web.safety import is_same_site
from newsletter.web.site import Site, site_of


def own_form(request: Request) -> Form:
    """A form that one of our pages sent. HTTPException 403 for one of another site."""
    if not is_same_site(request, base_url=site_of(request).app.config.base_url):
        raise HTTPException(403)
    return read_form(request)


def with_own_forms(page: Response) -> Response:
    """A private page whose forms come back with the name of our site.

    With `no-referrer` browsers send forms with `Origin: null` (Fetch standard, "append a request Origin header").
    """
    page.headers["Referrer-Policy"] = "same-origin"
    return page


def see(site: Site, path: str) -> RedirectResponse:
    """On to another page, by GET. The address is our own."""
    return RedirectResponse(f"{site.root}{path}", status_code=303, headers={"Cache-Control": "no-store"})


def cookie(request: Request, name: str) -> str:
    """The value of a cookie of ours, empty where there is none."""
    return request.cookies.get(_named(site_of(request), name), "")


def set_cookie(site: Site, response: Response, name: str, value: str, *, lasts: timedelta) -> None:
    """Have the browser keep a secret, from scripts and from other sites."""
    response.set_cookie(
        _named(site, name),
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=_is_https(site),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(site: Site, response: Response, name: str) -> None:
    """Have the browser forget it."""
    response.delete_cookie(_named(site, name), path="/", secure=_is_https(site), httponly=True, samesite="lax")


def _named(site: Site, name: str) -> str:
    """A name that browsers keep to this host and to HTTPS, where there is HTTPS (RFC 6265bis, section 4.1.3)."""
    return f"__Host-{name}" if _is_https(site) else name


def _is_https(site: Site) -> bool:
    return urlsplit(site.app.config.base_url).scheme == "https"
