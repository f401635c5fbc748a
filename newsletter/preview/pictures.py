"""How an issue looks in Chromium: light, dark, on a phone, and before its images are loaded.

Chromium itself reaches no network. An image of the issue is a grey picture, unless it is wanted: then it is fetched as
a feed would be, with the same guard against private networks, and handed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.chromium import INSTALL, BrowserError, Image, View, nothing, open_browser
from newsletter.errors import FetchError
from newsletter.networks import Network
from newsletter.sources import Fetch, Request
from newsletter.sources.fetch import open_fetch
from newsletter.sources.guard import shown

_PHONE = 375  # CSS pixels: a small phone
_WIDTH = 640  # a mail of 600 pixels with some ground around it
VIEWS: Mapping[str, View] = {
    "light.png": View(width=_WIDTH),
    "dark.png": View(width=_WIDTH, dark=True),
    "phone.png": View(width=_PHONE, phone=True),
    "blocked.png": View(width=_WIDTH),
}
BLOCKED = "blocked.png"
_SECONDS = 90  # for all of them
_SECONDS_AN_IMAGE = 10
_LARGEST_IMAGE = 5 * 2**20  # bytes
# Four by three, a sun over two hills: it takes whatever size the page gives it.
_PLACEHOLDER = Image(
    content_type="image/svg+xml",
    body=b'<svg xmlns="http://www.w3.org/2000/svg" width="160" height="120" viewBox="0 0 160 120" '
    b'preserveAspectRatio="xMidYMid slice">'
    b'<path fill="#8795a8" d="M0 0h160v120H0z"/><circle cx="112" cy="38" r="13" fill="#c3ccd8"/>'
    b'<path fill="#a9b5c5" d="M0 120V96l46-44 42 42 24-22 48 40v8z"/></svg>',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """The pictures that were taken, and in words what stood in the way of others."""

    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def take_pictures(html: str, folder: Path, *, program: str | None, fetch: Fetch | None = None) -> Pictures:
    """Pictures of the whole page, one for each of VIEWS, by a Chromium. Without `fetch` its images are grey."""
    if program is None:
        return Pictures(notes=(f"no pictures: {INSTALL}",))
    fetched = _Fetched(fetch) if fetch is not None else None
    notes: tuple[str, ...] = ()
    files = []
    try:
        with open_browser(program, seconds=_SECONDS) as browser:
            for name, view in VIEWS.items():
                images = nothing if name == BLOCKED else fetched or _placeholder
                (folder / name).write_bytes(browser.photograph(html, view, images=images))
                files.append(folder / name)
    except BrowserError as error:
        notes = (f"not every picture was taken: {error}",)
    return Pictures(files=tuple(files), notes=(*notes, *(fetched.missing.values() if fetched else ())))


def image_fetch(*, allow: Sequence[Network], user_agent: str) -> Fetch:
    """A `Fetch` for the images of an issue. It reaches public networks and those in `allow`.

    It makes no pauses: every reader's mail client asks for them as fast as they come.
    """
    return open_fetch(
        allow=allow, user_agent=user_agent, timeout=_SECONDS_AN_IMAGE, limit=_LARGEST_IMAGE, paces=lambda _: None
    )


class _Fetched:
    """Images by address, each asked for once; those that are `missing`, with the reason."""

    def __init__(self, fetch: Fetch) -> None:
        self.missing: dict[str, str] = {}
        self._fetch = fetch
        self._images: dict[str, Image] = {}

    def __call__(self, url: str) -> Image | None:
        if not url.startswith(("http://", "https://")):
            return None
        if url not in self._images and url not in self.missing:
            ((_, answer),) = self._fetch([Request(url=url)])
            if isinstance(answer, FetchError):
                self.missing[url] = f"image {shown(url)}: {answer}"
            elif not answer.content_type.startswith("image/"):
                self.missing[url] = f"image {shown(url)}: it is {answer.content_type or 'of no type'}"
            else:
                self._images[url] = Image(content_type=answer.content_type, body=answer.body)
        return self._images.get(url)


def _placeholder(_: str) -> Image:
    return _PLACEHOLDER
