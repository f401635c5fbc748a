"""What goes wrong, as programs read it: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

# The words of RFC 9110, section 15; Python's own are those only since 3.13.
_PHRASES = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong with a request: `where` names it from the outside in, as in `body.to[3]`."""

    where: str
    what: str


def phrase(status: int) -> str:
    """The words for a status, the same on every release of Python."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def problem(
    status: int, detail: str = "", *, errors: Sequence[Mistake] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """An answer that says what went wrong, with every mistake that was found."""
    told: dict[str, object] = {"type": "about:blank", "title": phrase(status), "status": status}
    if detail:
        told["detail"] = detail
    if errors:
        told["errors"] = [asdict(mistake) for mistake in errors]
    body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    own = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=own)
