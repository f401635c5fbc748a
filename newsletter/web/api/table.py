"""All operations, and their routes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.web.api import archive, issues, readers, sends, suggestions
from newsletter.web.api.document import document
from newsletter.web.api.door import answer
from newsletter.web.api.operations import ROOT, Operation
from newsletter.web.site import site_of

OPERATIONS: tuple[Operation, ...] = (
    *readers.OPERATIONS,
    *issues.OPERATIONS,
    *sends.OPERATIONS,
    *suggestions.OPERATIONS,
    *archive.OPERATIONS,
)


def described(request: Request) -> Response:
    """GET /api/v1/openapi.json: everything above, for programs to read; it tells nothing that is secret."""
    told = document(OPERATIONS, base_url=site_of(request).app.config.base_url)
    return Response(json.dumps(told, ensure_ascii=False, indent=1), media_type="application/json")


def _routes() -> list[BaseRoute]:
    """One for each path, so that a method it does not have is answered with those it has."""
    paths: dict[str, dict[str, Operation]] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method] = operation
    return [
        Route(ROOT + path.replace("{key}", "{key:path}"), _endpoint(known), methods=list(known))
        for path, known in paths.items()
    ]


def _endpoint(known: dict[str, Operation]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        return answer(known, request, rates=site_of(request).rates)

    return endpoint


routes = [*_routes(), Route(f"{ROOT}/openapi.json", described)]
