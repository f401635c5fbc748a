"""What goes wrong, as programs read it: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong with a request: `where` names it from the outside in, as in `body.to[3]`."""

    where: str
    what: str


def problem(
    status: int, detail: str = "", *, errors: Sequence[Mistake] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """An answer that says what went wrong, with every mistake that was found."""
    told: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        told["detail"] = detail
    if errors:
        told["errors"] = [asdict(mistake) for mistake in errors]
    body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    own = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=own)
