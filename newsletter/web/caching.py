"""Answers that anybody may keep for a while, and need not be sent again to who has them (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
import re

from starlette.requests import Request
from starlette.responses import Response

_SECONDS = 60  # a page may be so much older than what it tells
_TAG = re.compile(r'(?:W/)?("[^"]*")|(\*)')

_STAMP = re.compile(rb'name="page" value="[^"]*"')


def public(request: Request, response: Response, *, seconds: int = _SECONDS) -> Response:
    """The same answer with a tag, or 304 where the asker has it already."""
    if response.status_code != 200:  # noqa: PLR2004
        return response
    content = _STAMP.sub(b"", bytes(response.body))  # tells only when this copy was made
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={seconds}"}
    if tag in known(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def known(header: str) -> set[str]:
    """The tags of an If-None-Match header; weak ones count as strong, as this header compares them."""
    return {strong for strong, _ in _TAG.findall(header) if strong}
