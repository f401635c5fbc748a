"""The OpenAPI 3.1 document, made of the table of operations and what they declare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from newsletter import __version__
from newsletter.web import problems
from newsletter.web.api.door import IDEMPOTENCY, KEY
from newsletter.web.api.operations import LARGEST, ROOT, Operation
from newsletter.web.api.shapes import parameters, schema

_PATH = {
    "id": {"type": "integer", "minimum": 1, "maximum": LARGEST},
    "key": {"type": "string", "minLength": 1},
    "name": {"type": "string", "minLength": 1},
}
_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457), with every mistake that was found.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
                "required": ["where", "what"],
            },
        },
    },
    "required": ["type", "title", "status"],
}
_ANY = (422, 503)
_WITH_TOKEN = (401, 429)
_WITH_BODY = (400, 413, 415)
_WITH_KEY = (400, 409, 410)
_KEY = {
    "name": IDEMPOTENCY,
    "in": "header",
    "required": False,
    "description": "Asked again with the same key within a day, nothing is done and the first answer is given again.",
    "schema": {"type": "string", "pattern": f"^({KEY})$"},
}


def document(operations: Iterable[Operation], *, base_url: str) -> dict[str, Any]:
    """The whole document."""
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "newsletter",
            "version": __version__,
            "description": "Subscribers, issues, deliveries, search and one-off sends, for programs of an operator.",
        },
        "servers": [{"url": f"{base_url}{ROOT}"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    asked = [
        {"name": name, "in": "path", "required": True, "schema": _PATH[name]}
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
    asked += parameters(operation.query)
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[1]],
        "security": [] if operation.is_open else [{"token": []}],
        "responses": _responses(operation, schemas),
    }
    if operation.method == "POST":
        asked.append(_KEY)
    if operation.body is not None:
        body = schema(operation.body, schemas, is_answer=False)
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {**told, "parameters": asked} if asked else told


def _responses(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for status in operation.statuses:
        done[str(status)] = {"description": problems.phrase(status)}
        if operation.answer is not None:
            answer = schema(operation.answer, schemas, is_answer=True)
            done[str(status)]["content"] = {"application/json": {"schema": answer}}
    refused = {*_ANY, *operation.errors}
    refused.update(() if operation.is_open else _WITH_TOKEN)
    refused.update(_WITH_BODY if operation.body else ())
    refused.update(_WITH_KEY if operation.method == "POST" else ())
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted(refused):
        done[str(status)] = {"description": problems.phrase(status), "content": content}
    return done
