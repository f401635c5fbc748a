"""What pages are dressed with, each file under a name that changes with its content, so that it is kept for good."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.web.memory import takes_gzip

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """A file and the name it is served under: `style.3f9c2a1b.css`."""

    name: str
    content: bytes
    packed: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Static:
    """All of them, by the name that templates know."""

    files: Mapping[str, File]

    def path(self, name: str) -> str:
        """Where a file is found, below the root of the pages."""
        return f"/static/{self.files[name].name}"


def read_static(folders: Sequence[Path]) -> Static:
    """The files of the folders; one in an earlier folder stands in for its namesake in a later one."""
    files: dict[str, File] = {}
    for folder in reversed(folders):
        for path in sorted(folder.glob("*")):
            if path.suffix in _TYPES:
                content = path.read_bytes()
                name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
                files[path.name] = File(name, content, gzip.compress(content, mtime=0), _TYPES[path.suffix])
    return Static(files)


def static_file(request: Request) -> Response:
    """GET /static/{name}: one of them."""
    static: Static = request.app.state.site.static
    for file in static.files.values():
        if file.name == request.path_params["name"]:
            headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
            if not takes_gzip(request.headers.get("accept-encoding", "")):
                return Response(file.content, media_type=file.content_type, headers=headers)
            return Response(file.packed, media_type=file.content_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(status_code=404)


routes = [Route("/static/{name}", static_file)]
