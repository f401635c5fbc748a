"""What a form sent, as plain text: `application/x-www-form-urlencoded`, which needs no parser of files."""

from __future__ import annotations

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
