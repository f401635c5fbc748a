"""Reading what a form sent."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request

from newsletter.web.forms import BODY, read_form

TYPE = "application/x-www-form-urlencoded"


def posted(body: bytes, content_type: str = TYPE) -> Request:
    """A request with this body, as it comes to a handler."""
    return Request({"type": "http", "headers": [(b"content-type", content_type.encode())], BODY: body})


@given(st.lists(st.tuples(st.text(min_size=1), st.text().map(str.strip)), max_size=20))
def test_what_was_typed_is_read(pairs: list[tuple[str, str]]) -> None:
    """Every field in order, whatever is in it."""
    form = read_form(posted(urlencode(pairs, errors="replace").encode()))

    for name, value in pairs:
        readable = [text.encode("utf-8", "replace").decode() for text in (name, value)]
        assert readable[1].replace("\0", "") in form.all(readable[0])


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Never more than that."""
    with suppress(HTTPException):
        form = read_form(posted(body))
        assert all("\0" not in value for values in form.fields.values() for value in values)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_another_kind_of_body_is_refused(content_type: str) -> None:
    """A page of another site may send text/plain without asking; it is no form."""
    with pytest.raises(HTTPException) as refused:
        read_form(posted(b"a=b", content_type))

    assert refused.value.status_code == 415


def test_fields_have_a_number() -> None:
    """A thousand are enough for anybody."""
    with pytest.raises(HTTPException):
        read_form(posted("&".join(f"f{number}=1" for number in range(1001)).encode()))


def test_the_last_value_counts_where_one_is_meant() -> None:
    """And none where there is none."""
    form = read_form(posted(b"a=1&a=+2+&b="))

    assert (form.one("a"), form.all("a"), form.one("b"), form.one("c")) == ("2", ("1", " 2 "), "", "")
