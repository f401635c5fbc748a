"""The way of a request: who asks and how often, what is asked, whether it was done before, the answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from newsletter import operators
from newsletter.errors import NotFound, StoreError
from newsletter.store.operators import Operator
from newsletter.web.api.bodies import read_json
from newsletter.web.api.operations import Call, Operation, Refusal, Reply
from newsletter.web.api.shapes import Mistaken, read, read_query, show
from newsletter.web.forms import BODY
from newsletter.web.problems import problem
from newsletter.web.rates import Rates
from newsletter.web.site import PRIVATE, Site, site_of

IDEMPOTENCY = "Idempotency-Key"
KEY = r'"[!#-\[\]-~]{1,200}"|[!#-\[\]-~]{1,200}'
_KEY = re.compile(KEY)
_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750, section 2.1


def answer(operations: Mapping[str, Operation], request: Request, *, rates: Rates) -> Response:
    """The answer to a request for one of the operations of a path, by method."""
    operation = operations["GET" if request.method == "HEAD" else request.method]
    site = site_of(request)
    try:
        operator = None if operation.is_open else _operator(request, site, rates)
        return _done(operation, request, site, operator)
    except Refusal as error:
        return problem(error.status, str(error), headers=error.headers)
    except Mistaken as error:
        return problem(422, "the request is not what this operation asks for", errors=error.mistakes)
    except NotFound as error:
        return problem(404, str(error))
    except StoreError as error:
        return problem(503, str(error))


def _operator(request: Request, site: Site, rates: Rates) -> Operator:
    """For whom the request is made. Refusal of a stranger, and of one who asks too often.

    RFC 6750, section 3: who showed something is told that it is good for nothing, others only what to show.
    """
    told = _BEARER.fullmatch(request.headers.get("authorization", "").strip())
    # A token that is none is looked up like any other.
    operator = operators.bearer(site.app.store, told[1] if told else "-", now=site.clock())
    if operator is None:
        wrong = "authorization" in request.headers
        challenge = 'Bearer realm="newsletter"' + (', error="invalid_token"' if wrong else "")
        detail = "the token is not known, or was revoked" if wrong else "a token is needed: Authorization: Bearer TOKEN"
        raise Refusal(401, detail, headers={"WWW-Authenticate": challenge})
    if wait := rates.wait(operator.id):
        headers = {"Retry-After": str(int(wait) + 1)}
        raise Refusal(429, f"at most {rates.per_second:g} requests a second", headers=headers)
    return operator


def _done(operation: Operation, request: Request, site: Site, operator: Operator | None) -> Response:
    call = Call(
        site=site,
        operator=operator,
        path={name: str(value) for name, value in request.path_params.items()},
        query=read_query(operation.query, request.query_params.multi_items()),
        body=read(operation.body, read_json(request), where="body") if operation.body else None,
    )
    key = _key(request) if operation.method == "POST" else ""
    if not key or operator is None:
        return _response(site, operation.act(call))
    return _once(operation, request, call, operator, key)


def _key(request: Request) -> str:
    """The key of a request that is not to be done twice, empty where there is none. Refusal."""
    told = request.headers.get(IDEMPOTENCY)
    if told is None:
        return ""
    found = _KEY.fullmatch(told.strip())
    if not found:
        raise Refusal(400, f"{IDEMPOTENCY} must be 1 to 200 visible ASCII characters, with or without quotes around")
    return found[0].strip('"')


def _once(operation: Operation, request: Request, call: Call, operator: Operator, key: str) -> Response:
    """Do it under a key, or answer what was answered when it was done (draft-ietf-httpapi-idempotency-key-header).

    What was refused was not done, and its key is free again.
    """
    asked = f"{request.method}\n{request.url.path}\n{request.url.query}"
    digest = hashlib.sha256(asked.encode() + b"\n" + request.scope[BODY]).hexdigest()
    kept = call.store.requests.begin(key, operator=operator.id, request=digest, now=call.now)
    if kept is None:
        try:
            reply = operation.act(call)
        except BaseException:
            call.store.requests.drop(key, operator=operator.id)
            raise
        response = _response(call.site, reply)
        call.store.requests.finish(
            key,
            operator=operator.id,
            status=reply.status,
            location=response.headers.get("location", ""),
            body=bytes(response.body).decode(),
            subscriber=reply.about,
        )
        return response
    if kept.request != digest:
        raise Refusal(422, f"this {IDEMPOTENCY} was used for another request")
    if not kept.status:
        raise Refusal(409, "the first request with this key is still being done")
    if not kept.body:
        raise Refusal(410, "this was done, and what it was about has been erased since")
    return _json(kept.body, status=kept.status, location=kept.location)


def _response(site: Site, reply: Reply) -> Response:
    if reply.value is None:
        return Response(status_code=reply.status, headers=PRIVATE)
    location = site.url(reply.location) if reply.location else ""
    return _json(json.dumps(show(reply.value), ensure_ascii=False, allow_nan=False), reply.status, location)


def _json(body: str, status: int, location: str) -> Response:
    headers = {**PRIVATE, **({"Location": location} if location else {})}
    return Response(body.encode("utf-8", "replace"), status_code=status, media_type="application/json", headers=headers)
