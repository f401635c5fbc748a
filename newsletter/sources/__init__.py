"""Where entries come from.

    Source --kind.requests(now)--> Request --fetch--> Response --kind.read--> Entry*

A kind decides (which addresses, what the bytes mean) and does no I/O; `Fetch` does the I/O and knows no kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from newsletter.errors import FetchError, Problem
from newsletter.model import Entry, Source
from newsletter.registry import Option


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something to fetch: an http(s) address, or a file of the operator's own.

    `moved` is where the address has moved for good, and is asked instead. `etag` and `last_modified` are the validators
    of the last answer, sent as conditions (RFC 9110 section 13).
    """

    url: str = ""
    path: Path | None = None
    moved: str = ""
    etag: str = ""
    last_modified: str = ""

    @property
    def address(self) -> str:
        """What to call it in reports, and the key under which what it answered is remembered."""
        return self.url or str(self.path)

    @property
    def asked(self) -> str:
        """The http(s) address that is really asked; empty for a file."""
        return self.moved or self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The bytes of an answer. `url` is the final address after redirects, or the file's path.

    `unchanged` is True when the server (or the file's time and size) says so; the body is then empty. `moved_to` is
    where the request's own address has moved for good (RFC 9110: 301, 308), `holds` how long the answer's headers say
    that it stays as it is, `seconds` what it took to get.
    """

    request: Request
    url: str
    body: bytes
    status: int = 200
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    unchanged: bool = False
    moved_to: str = ""
    holds: timedelta = timedelta(0)
    seconds: float = 0.0


class Fetch(Protocol):
    """Fetches many things, each answer as it comes; a failure of one is a value beside its request."""

    def __call__(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Response | FetchError]]:
        """Yield every request once, with its response or the reason why there is none."""
        ...


class Read(Protocol):
    """Reads an answer by the kind of its source, wherever that is done: see `worker`."""

    def __call__(self, kind: str, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """The entries in the answer. ReadError names what is wrong with it."""
        ...


class Kind(Protocol):
    """A kind of source, as schedules.yaml names it. All methods are pure."""

    @property
    def options(self) -> Mapping[str, Option]:
        """The keys it takes beside `kind`."""
        ...

    @property
    def has_history(self) -> bool:
        """Whether what it reads carries its past along, as a feed does, and so is not all news (see `news`)."""
        ...

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """What is wrong with option values of the right types; `Problem.key` is the option's name."""
        ...

    def requests(self, source: Source, *, now: datetime) -> Sequence[Request]:
        """What to fetch for this source now. SourceError when that cannot be told (no file matches)."""
        ...

    def read(self, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """The entries in one answer, newest or best first as the source has them. ReadError names what is wrong."""
        ...


@runtime_checkable
class Lookup(Protocol):
    """What a kind has besides, if it can tell more of what sources name; a kind need not. Pure as well."""

    @property
    def is_for_all(self) -> bool:
        """Whether it is asked about what any source names; else only about what stands under its own name."""
        ...

    def scheme(self, source: Source) -> str:
        """How the keys begin that this source can be asked about, such as `arxiv:`; empty where it is not to be."""
        ...

    def lookups(self, source: Source, keys: Sequence[str]) -> Sequence[Request]:
        """What to fetch to learn more of these keys. `Kind.read` reads the answers, whose entries have such keys."""
        ...
