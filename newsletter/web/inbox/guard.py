"""Who may ask for mails, and what the pages that show them may do.

The server listens on this machine, where every site that somebody visits can reach it. It answers to names of this
machine only (a site whose own name leads here, by DNS rebinding, reads nothing), and changes something only when one of
its own pages asks. Pages run the one script beside them; the HTML of a mail runs none.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104  # what an operator may ask for
_PAGE = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    # Not `no-referrer`: with that, browsers do not say the origin of a form.
    "Referrer-Policy": "same-origin",
    # What a mail links to is not even looked up.
    "X-DNS-Prefetch-Control": "off",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """The application, for those who may ask it; with headers that hold browsers to it."""

    def __init__(self, app: ASGIApp, *, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server for each request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**_HEADERS, "Content-Security-Policy": policy(_PAGE)}.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = refusal(scope["method"], Headers(scope=scope), bound=self._host)
        app = PlainTextResponse(refused[1], status_code=refused[0]) if refused else self._app
        await app(scope, receive, send_with_headers)


def refusal(method: str, headers: Mapping[str, str], *, bound: str) -> tuple[HTTPStatus, str] | None:
    """Why a request is not answered; None when it is. `bound` is the host that the server listens at."""
    host = headers.get("host", "")
    name = _host_name(host)
    if not (name in _LOOPBACK or name == bound or (bound in _EVERYWHERE and _is_address(name))):
        return (
            HTTPStatus.MISDIRECTED_REQUEST,
            f"this server is not called {name[:80] or 'nothing'}: ask it by address\n",
        )
    if method in {"GET", "HEAD"}:
        return None
    # Every browser names the origin; who is no browser cannot be misled by a site (RFC 6454 section 7).
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if (origin is not None and origin != f"http://{host}") or site not in {"same-origin", "none"}:
        return HTTPStatus.FORBIDDEN, "only the pages of this server may change anything\n"
    return None


def mail_policy(parts: str, *, images: bool) -> str:
    """The Content-Security-Policy of a mail's HTML: its styles, its own images at `parts`; others if `images`."""
    return policy(
        {
            "sandbox": "allow-popups allow-popups-to-escape-sandbox",
            "default-src": "'none'",
            "style-src": "'unsafe-inline'",  # mails have their styles in them
            "img-src": f"data: {parts} https: http:" if images else f"data: {parts}",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'self'",
        }
    )


def policy(rules: Mapping[str, str]) -> str:
    """Rules in the form of the header Content-Security-Policy."""
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
