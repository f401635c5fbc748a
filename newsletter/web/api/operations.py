"""What an operation of the API is: how it is asked, what it does, what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from newsletter.errors import NotFound
from newsletter.store import Store
from newsletter.store.operators import Operator
from newsletter.web.site import Site

ROOT = "/api/v1"
LARGEST = 2**63 - 1  # of a number in the database
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")


class Row(Protocol):
    """What has a number by which pages go."""

    @property
    def id(self) -> int:
        """Its number."""
        ...


R = TypeVar("R", bound=Row)


class Refusal(Exception):
    """A request that is not answered as it was meant; `status`, the words and the headers tell the program."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Nothing:
    """No parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, read and checked: `query` and `body` are what the operation declares."""

    site: Site
    operator: Operator | None
    path: dict[str, str]
    query: Any
    body: Any

    @property
    def store(self) -> Store:
        """The database."""
        return self.site.app.store

    @property
    def now(self) -> datetime:
        """The time."""
        return self.site.clock()

    @property
    def who(self) -> str:
        """The operator for whom this is done, as the log of events names them."""
        return f"{self.operator.name} (API)" if self.operator else ""

    def url(self, path: str | None) -> str | None:
        """The whole address of a path, where there is one."""
        return self.site.url(path) if path else None

    @property
    def number(self) -> int:
        """The number in the path. NotFound for what is none."""
        text = self.path["id"]
        if not _NUMBER.fullmatch(text) or int(text) > LARGEST:
            raise NotFound(f"{text[:30]!r} is no number of anything")
        return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an operation answers; `about` is the subscriber whose data is in it."""

    value: object = None
    status: int = 200
    location: str = ""
    about: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One of the table: `errors` are the refusals it makes beside those that all of them may meet."""

    method: str
    path: str  # below ROOT, with {names}
    summary: str
    act: Callable[[Call], Reply]
    answer: Any = None  # the type of its answer; None: there is none
    query: type = Nothing
    body: type | None = None
    statuses: tuple[int, ...] = (200,)
    errors: tuple[int, ...] = ()
    is_open: bool = False  # no token is asked for

    @property
    def name(self) -> str:
        """What it is called."""
        return self.act.__name__


def page(found: Sequence[R], path: str, *, limit: int, **others: str | None) -> tuple[Sequence[R], str | None]:
    """A page of what was found with one more than its limit, and the path of the next; None after the last."""
    if len(found) <= limit:
        return found, None
    shown = found[:limit]
    kept = {name: value for name, value in others.items() if value}
    return shown, f"{ROOT}{path}?{urlencode({**kept, 'after': shown[-1].id, 'limit': limit})}"
