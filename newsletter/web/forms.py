"""What a form sent, as plain text: `application/x-www-form-urlencoded`, which needs no parser of files.

Mail programs that unsubscribe somebody may send `multipart/form-data` (RFC 8058, section 3.2); `is_one_click` knows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

BODY = "newsletter.body"  # in the scope: the bytes that `safety` has read
_TYPE = "application/x-www-form-urlencoded"
_FIELDS = 1000


@dataclass(frozen=True, slots=True)
class Form:
    """The fields, each with its values in order."""

    fields: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str:
        """The value of a field that is sent once, without space around it; empty where it is missing."""
        values = self.fields.get(name, ())
        return values[-1].strip() if values else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, as checkboxes of one name have them."""
        return self.fields.get(name, ())


def read_form(request: Request) -> Form:
    """The form of a POST. HTTPException 400 for what is none, 415 for another kind of body."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise HTTPException(415)
    try:
        pairs = parse_qsl(
            request.scope[BODY].decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_FIELDS,
        )
    except ValueError as error:  # also what is no ASCII, or no UTF-8 below its percent signs
        raise HTTPException(400) from error
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), value.replace("\0", ""))
    return Form(fields)


_ONE_CLICK = ("List-Unsubscribe", "One-Click")
_PART = re.compile(
    rb'\r\nContent-Disposition: *form-data; *name="?List-Unsubscribe"?[^\r]*\r\n(?:[^\r]+\r\n)*\r\nOne-Click\r\n',
    re.IGNORECASE,
)


def is_one_click(request: Request) -> bool:
    """Whether somebody, or their mail program for them, unsubscribes by this POST."""
    body: bytes = request.scope[BODY]
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return _PART.search(b"\r\n" + body) is not None
    try:
        return _ONE_CLICK in parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS)
    except ValueError:
        return False
