"""The pages of the inbox and its little API.

GET  /                          the list: ?q=words&page=2
GET  /mail/ID                   one mail: ?show=html|text|source|headers|attachments|links|envelope
GET  /mail/ID/html              its HTML, for the frame: ?images=1 loads what is elsewhere, ?dark=1 is dark
GET  /mail/ID/raw               its bytes
GET  /mail/ID/part/N            an attachment, or an image of its HTML
POST /mail/ID/delete, /delete   one mail goes, or all
GET  /api/messages, /api/messages/ID, /api/version
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, tzinfo
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.render.environment import Templates, bundled_templates
from newsletter.web.inbox.guard import mail_policy
from newsletter.web.inbox.mail import Mail, content, read_mail
from newsletter.web.inbox.maildir import Inbox, Summary
from newsletter.web.inbox.markup import frame, links, remote_images

_FOLDER = "web/inbox"
_FILES = {"inbox.css": "text/css", "inbox.js": "text/javascript", "inbox.svg": "image/svg+xml"}
_SHOWN = 1_000_000  # characters of a text or source; the rest is in the file
_LINKS = 1_000
_PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
_URL = re.compile(r"(https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]])")
_KILO = 1000

Clock = Callable[[], datetime]


class Pages:
    """What each address answers. `clock` gives the time by which days are told; `faults` are told on every page."""

    def __init__(self, inbox: Inbox, *, clock: Clock, smtp: str = "", faults: tuple[str, ...] = ()) -> None:
        self._inbox = inbox
        self._clock = clock
        self._about = {"smtp": smtp, "faults": faults, "folder": str(inbox.folder)}

    def app(self) -> Starlette:
        """All of them as an application."""
        return Starlette(
            routes=[
                Route("/", self.list),
                Route("/static/{name}", self.static),
                Route("/delete", self.delete_all, methods=["POST"]),
                Route("/mail/{id}", self.mail),
                Route("/mail/{id}/html", self.html),
                Route("/mail/{id}/raw", self.raw),
                Route("/mail/{id}/part/{number:int}", self.part),
                Route("/mail/{id}/delete", self.delete, methods=["POST"]),
                Route("/api/version", self.version),
                Route("/api/messages", self.messages),
                Route("/api/messages/{id}", self.message),
            ],
            exception_handlers={404: self.missing},
        )

    def list(self, request: Request) -> Response:
        """Mails, newest first."""
        query = request.query_params.get("q", "")[:_KILO]
        listing = self._inbox.list(query, _number(request.query_params.get("page", "")))
        rows = [{"mail": summary, "when": self._when(summary.arrived)} for summary in listing.summaries]
        return self._page("list.html.j2", rows=rows, listing=listing, query=query, version=self._inbox.version())

    def mail(self, request: Request) -> Response:
        """One mail in one of its views; the frame as wide as a phone or dark, if wanted."""
        summary, raw = self._found(request)
        mail = read_mail(raw)
        views = _views(mail)
        asked = request.query_params.get("show", "")
        view = asked if asked in views else next(iter(views))
        newer, older = self._inbox.beside(summary.id)
        switches = {name: _switch(request, name) for name in ("images", "phone", "dark")}

        def here(**changes: object) -> str:
            """This page with other switches."""
            wanted = {"show": view, **switches, **changes}
            return f"?{urlencode({name: value if name == 'show' else 1 for name, value in wanted.items() if value})}"

        return self._page(
            "mail.html.j2",
            mail=mail,
            summary=summary,
            when=self._when(summary.arrived, full=True),
            views=views,
            view=view,
            newer=newer,
            older=older,
            links=list(islice(links(mail.html), _LINKS)),
            remote=len(remote_images(mail.html)),
            here=here,
            framed=urlencode({name: 1 for name in ("images", "dark") if switches[name]}),
            **switches,
            text=[(piece, bool(index % 2)) for index, piece in enumerate(_URL.split(mail.text[:_SHOWN]))],
            source=raw[:_SHOWN].decode("utf-8", "replace"),
            is_cut=len(raw) > _SHOWN,
        )

    def html(self, request: Request) -> Response:
        """The HTML of a mail, for a frame without rights."""
        summary, raw = self._found(request)
        mail = read_mail(raw)
        parts = f"/mail/{summary.id}/part/"
        by_id = {part.content_id: f"{parts}{part.number}" for part in mail.parts if part.content_id}
        allowed = mail_policy(f"http://{request.headers['host']}{parts}", images=_switch(request, "images"))
        headers = {"Content-Security-Policy": allowed, "Referrer-Policy": "no-referrer"}
        page = frame(mail.html, lambda identifier: by_id.get(identifier, ""), dark=_switch(request, "dark"))
        return HTMLResponse(page, headers=headers)

    def raw(self, request: Request) -> Response:
        """The bytes of a mail, to be kept as a file."""
        summary, raw = self._found(request)
        return _download(raw, f"{summary.id}.eml", "message/rfc822")

    def part(self, request: Request) -> Response:
        """An attachment, to be kept as a file; a picture is shown, since it may stand in the HTML."""
        _, raw = self._found(request)
        number = request.path_params["number"]
        part = next((part for part in read_mail(raw).parts if part.number == number), None)
        octets = content(raw, number)
        if part is None or octets is None:
            raise HTTPException(404)
        if part.content_type in _PICTURES:
            return Response(octets, media_type=part.content_type, headers={"Content-Security-Policy": "sandbox"})
        return _download(octets, part.name, "application/octet-stream")

    def delete(self, request: Request) -> Response:
        """One mail goes."""
        self._inbox.delete(request.path_params["id"])
        return RedirectResponse("/", status_code=303)

    def delete_all(self, request: Request) -> Response:  # noqa: ARG002  # Starlette's signature
        """All mails go."""
        self._inbox.delete()
        return RedirectResponse("/", status_code=303)

    def static(self, request: Request) -> Response:
        """The stylesheet, the script and the icon."""
        name = request.path_params["name"]
        if name not in _FILES:
            raise HTTPException(404)
        return Response(_file(bundled_templates() / _FOLDER / name), media_type=_FILES[name])

    def version(self, request: Request) -> Response:  # noqa: ARG002  # Starlette's signature
        """Another text when mails have come or gone."""
        return JSONResponse(self._inbox.version())

    def messages(self, request: Request) -> Response:
        """A page of mails, newest first, with how many there are."""
        query = request.query_params.get("q", "")[:_KILO]
        listing = self._inbox.list(query, _number(request.query_params.get("page", "")))
        return JSONResponse(
            {
                "total": listing.total,
                "found": listing.found,
                "page": listing.page,
                "pages": listing.pages,
                "messages": [_told(summary) for summary in listing.summaries],
            }
        )

    def message(self, request: Request) -> Response:
        """One mail."""
        summary, raw = self._found(request)
        mail = read_mail(raw)
        return JSONResponse({**_told(summary), **asdict(replace(mail, structure=()))})

    def missing(self, request: Request, error: Exception) -> Response:  # noqa: ARG002  # Starlette's signature
        """There is no such page, or mail any more."""
        return self._page("missing.html.j2", status=404)

    def _found(self, request: Request) -> tuple[Summary, bytes]:
        found = self._inbox.find(request.path_params["id"])
        if found is None:
            raise HTTPException(404)
        return found

    def _page(self, template: str, *, status: int = 200, **variables: object) -> Response:
        told = {"about": self._about, "bytes": in_bytes, **variables}
        return HTMLResponse(_templates().render(f"{_FOLDER}/{template}", told), status_code=status)

    def _when(self, moment: datetime, *, full: bool = False) -> str:
        """The time of today's, the day of others; both in the zone of the clock."""
        now = self._clock().astimezone()
        return when(moment, now=now, zone=now.tzinfo, full=full)


def when(moment: datetime, *, now: datetime, zone: tzinfo | None, full: bool = False) -> str:
    """`14:05` on the same day, `20 Nov` in the same year, `20 Nov 2025` in others; `full` has all of it."""
    local = moment.astimezone(zone)
    if full:
        return f"{local.day} {local:%b %Y, %H:%M:%S}"
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}" if local.year == now.year else f"{local.day} {local:%b %Y}"


def in_bytes(size: int) -> str:
    """`812 B`, `12.4 kB`, `3.1 MB`: thousands, as mail providers count."""
    if size < _KILO:
        return f"{size} B"
    kilos = size / _KILO
    return f"{kilos:.1f} kB" if kilos < _KILO else f"{kilos / _KILO:.1f} MB"


def _views(mail: Mail) -> Mapping[str, str]:
    """The views that a mail has, in their order, and what they are called."""
    attached = f"Attachments ({len(mail.parts)})" if mail.parts else ""
    named = {
        "html": "HTML" if mail.html else "",
        "text": "Text" if mail.text or not mail.html else "",
        "source": "Source",
        "headers": "Headers",
        "attachments": attached,
        "links": "Links" if mail.html else "",
        "envelope": "Envelope",
    }
    return {view: name for view, name in named.items() if name}


def _download(octets: bytes, name: str, kind: str) -> Response:
    """For the disk and never for the screen (RFC 6266), whatever the mail says that it is."""
    ascii_name = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    disposition = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {"Content-Disposition": disposition, "Content-Security-Policy": "sandbox"}
    return Response(octets, media_type=kind, headers=headers)


def _told(summary: Summary) -> dict[str, Any]:
    told = asdict(summary)
    del told["words"]
    return {**told, "arrived": summary.arrived.isoformat()}


def _switch(request: Request, name: str) -> bool:
    return request.query_params.get(name) == "1"


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 1


@cache
def _file(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _templates() -> Templates:
    return Templates([bundled_templates()])
