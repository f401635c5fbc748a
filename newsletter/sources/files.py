"""The operator's own files as sources: saved answers, found by a pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from newsletter.errors import FetchError, Problem, SourceError
from newsletter.registry import Option
from newsletter.sources import Request, Response

PATH = Option(help="saved answers instead of the network: a file or a pattern such as saved/*.xml")


def matching(pattern: str) -> list[Request]:
    """A request for each file that a pattern (`*`, `?`, `**`) matches, by name. SourceError when there is none."""
    # Not Path.glob, which takes no absolute patterns.
    found = sorted(name for name in glob.glob(pattern, recursive=True) if Path(name).is_file())  # noqa: PTH207
    if not found:
        raise SourceError(f"no file matches '{pattern}'")
    return [Request(path=Path(name)) for name in found]


def either(options: Mapping[str, object], one: str, other: str) -> Sequence[Problem]:
    """The mistake of naming none or both of two options, of which a source needs exactly one."""
    if bool(options.get(one)) != bool(options.get(other)):
        return ()
    if options.get(one):
        return (Problem(key=other, what=f"stands beside '{one}'", hint="keep one of the two"),)
    return (Problem(key=one, what="is missing", hint=f"give '{one}' or '{other}'"),)


def read_file(request: Request, path: Path, *, limit: int) -> Response | FetchError:
    """The bytes of a regular file of at most `limit` bytes; its time and size are its validator."""
    where = f"could not read {path}: "
    try:
        if path.exists() and not path.is_file():
            return FetchError(where + "not a regular file")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            mark = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
            unchanged = request.etag == mark
            body = b"" if unchanged else file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return FetchError(where + (getattr(error, "strerror", None) or str(error)).lower())
    if len(body) > limit:
        return FetchError(where + too_large(limit))
    return Response(request=request, url=str(path), body=body, etag=mark, unchanged=unchanged)


def too_large(limit: int) -> str:
    """What to say of more than `limit` bytes."""
    return f"larger than {limit / 2**20:.3g} MiB, which is the limit for one answer"
