"""What holds for every request and every answer, whatever the page: sizes, times, headers, who is asking.

The rules are those of OWASP ASVS 5.0, chapters 3 (web frontend) and 4 (API): a body has a size and a time, pages run no
script but ours, are framed by nobody and name themselves to no other site.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.web.forms import BODY
from newsletter.web.problems import problem

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

BODY_LIMIT = 64 * 1024  # bytes of a form
UPLOAD_LIMIT = 1024 * 1024  # bytes of what a program sends to the API
DRAINED = 4 * 1024 * 1024  # bytes of a body that is too large, and is announced as such; more is cut off
DRAIN_SECONDS = 1.0
BODY_SECONDS = 15.0  # for a whole body to arrive

_SOURCES = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in _SOURCES.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_API = "/api/v1/"  # below the path of BASE_URL
_A_YEAR = "max-age=31536000"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Tokens stand in paths, and whoever reads a log must not be able to use them.
_TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{16,}")


@dataclass(frozen=True, slots=True)
class Safety:
    """The middleware around all pages; `is_https` is whether the public address is."""

    app: ASGIApp
    is_https: bool
    body_seconds: float = BODY_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (called by the server)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._dress(MutableHeaders(scope=message))
            await send(message)

        limit = UPLOAD_LIMIT if is_api(scope) else BODY_LIMIT
        refusal, body = await self._body(scope, receive, limit)
        if refusal is not None:
            await refusal(scope, receive, dressed)
            return
        scope[BODY] = body
        await self.app(scope, _replayed(body, receive), dressed)

    def _dress(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self.is_https:
            headers.setdefault("Strict-Transport-Security", _A_YEAR)

    async def _body(self, scope: Scope, receive: Receive, limit: int) -> tuple[Response | None, bytes]:
        """The whole body, or the answer to one that is too large or too slow; it is read before anything is done."""
        if scope["method"] in _SAFE_METHODS:
            return None, b""
        told = Headers(scope=scope).get("content-length", "0")
        if told.isascii() and told.isdigit() and int(told) > limit:
            if int(told) <= DRAINED:
                await self._drain(receive)
            return _refusal(scope, 413, f"at most {limit} bytes"), b""
        body = bytearray()
        try:
            async with asyncio.timeout(self.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return _refusal(scope, 400, "the request broke off"), b""
                    body += message.get("body", b"")
                    if len(body) > limit:
                        return _refusal(scope, 413, f"at most {limit} bytes"), b""
                    if not message.get("more_body", False):
                        return None, bytes(body)
        except TimeoutError:
            return _refusal(scope, 408, "the request took too long"), b""

    async def _drain(self, receive: Receive) -> None:
        """Let a body arrive and forget it: who is still sending when the connection closes never sees the answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                more = True
                while more:
                    more = (await receive()).get("more_body", False)


def _refusal(scope: Scope, status: int, why: str) -> Response:
    headers = {"Connection": "close"}
    if is_api(scope):
        return problem(status, why, headers=headers)
    return PlainTextResponse(f"{why}\n", status_code=status, headers=headers)


def is_api(scope: Scope) -> bool:
    """Whether a request is for the API, whose answers programs read."""
    return _API in f"{scope['path']}/"


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A body that is here already, as the application expects to receive it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def is_same_site(request: Request, *, base_url: str) -> bool:
    """Whether a request that acts with somebody's cookie comes from our own pages.

    Browsers say so in `Sec-Fetch-Site` and `Origin`, which scripts cannot write; a request with neither is no browser's
    of this decade (OWASP, Cross-Site Request Forgery Prevention: verifying the origin).
    """
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None and fetched != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin == "/".join(base_url.split("/")[:3]) if origin is not None else fetched == "same-origin"


def client_address(request: Request, *, trusted: Sequence[Network]) -> str:
    """Who asks: the peer, or whom a trusted proxy names in `X-Forwarded-For`, read from the right.

    What stands further left was written by whoever asked, and counts for nothing.
    """
    peer = request.client.host if request.client else ""
    named = [part.strip() for part in ",".join(request.headers.getlist("x-forwarded-for")).split(",") if part.strip()]
    while named and _is_in(peer, trusted):
        peer = named.pop()
    return peer


def prefix(address: str) -> str:
    """The network that an address is counted with: /24, or /64 of IPv6, which one person may have all of."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    length = 24 if parsed.version == 4 else 64  # noqa: PLR2004
    return str(ipaddress.ip_network(f"{parsed}/{length}", strict=False))


def masked(path: str) -> str:
    """A path as it may stand in a log: without the tokens in it."""
    return _TOKEN.sub("…", path)


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
