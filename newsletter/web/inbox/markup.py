"""The HTML of a mail: its text, links and images, and how it is shown without being able to do anything.

Nothing here makes HTML safe: a frame without rights and its Content-Security-Policy do (`guard.py`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"(/?)([A-Za-z][A-Za-z0-9:-]*)")
_BETWEEN = re.compile(r"[\s/]*")
_ATTRIBUTE = re.compile(r"""([^\s=>/]+|=)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>]*))?""")
_UNREAD = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("script", "style", "title")}
_BLOCKS = {"br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "p", "table", "td", "tr"}
_IN_STYLE = re.compile(r"url\(\s*[\"']?\s*((?:https?:)?//[^\s\"')]+)", re.IGNORECASE)
_REMOTE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_CID = re.compile(r"""(["'(=\s])cid:([^"')\s>]+)""", re.IGNORECASE)
_HEAD = re.compile(r"<head(?:\s[^>]*)?>", re.IGNORECASE)
_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_CONNECTING = re.compile(r"<(?=(?:link|iframe|frame|object|embed)\b)", re.IGNORECASE)
_COLOURS = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_ALWAYS, _NEVER = "(min-width: 0)", "(max-width: 0)"
_EARLY = 20_000  # characters in which the head of a page begins


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, with its attributes as they are meant. `name` is in lower case."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of a mail, as it stands there."""

    url: str
    text: str


def pieces(page: str) -> Iterator[str | Tag]:
    """Texts and tags in their order, without comments, scripts and styles.

    As browsers read them, near enough to list what is there. Reads every character once: no input takes long.
    """
    at = 0
    while (begin := page.find("<", at)) >= 0:
        if begin > at:
            yield html.unescape(page[at:begin])
        if page.startswith(("<!", "<?"), begin):
            at = _after_comment(page, begin)
        elif found := _NAME.match(page, begin + 1):
            attributes, at = _attributes(page, found.end())
            tag = Tag(found[2].lower(), attributes, is_end=bool(found[1]))
            yield tag
            if tag.name in _UNREAD and not tag.is_end:
                end = _UNREAD[tag.name].search(page, at)
                at = end.start() if end else len(page)
        else:
            yield "<"
            at = begin + 1
    if at < len(page):
        yield html.unescape(page[at:])


def _after_comment(page: str, begin: int) -> int:
    """Where a comment or declaration is over; one without an end takes the rest of the page."""
    mark, start = ("-->", begin + 4) if page.startswith("<!--", begin) else (">", begin)
    end = page.find(mark, start)
    return end + len(mark) if end >= 0 else len(page)


def _attributes(page: str, at: int) -> tuple[dict[str, str], int]:
    """Up to the end of a tag, and where that is."""
    found: dict[str, str] = {}
    while True:
        between = _BETWEEN.match(page, at)
        at = between.end() if between else at
        if page.startswith(">", at):
            return found, at + 1
        attribute = _ATTRIBUTE.match(page, at)
        if attribute is None:  # the end of the page
            return found, len(page)
        value = attribute[2] or ""
        if value[:1] in {'"', "'"} and value[-1] == value[0] and len(value) > 1:
            value = value[1:-1]
        found.setdefault(attribute[1].lower(), html.unescape(value))
        at = attribute.end()


def plain(page: str) -> str:
    """The text of a page, a line for each block."""
    lines = "".join(
        piece if isinstance(piece, str) else "\n" if piece.name in _BLOCKS else "" for piece in pieces(page)
    ).split("\n")
    return "\n".join(text for line in lines if (text := " ".join(line.split())))


def links(page: str) -> Iterator[Link]:
    """Every link that has an address, with its text or that of its images."""
    url, words = "", [""]
    for piece in pieces(page):
        if isinstance(piece, str):
            words.append(piece)
        elif piece.name == "img":
            words.append(piece.attributes.get("alt", ""))
        elif piece.name in {"a", "area"}:
            if url:
                yield Link(url=url, text=" ".join("".join(words).split()))
            url, words = "" if piece.is_end else piece.attributes.get("href", "").strip(), [""]
    if url:
        yield Link(url=url, text=" ".join("".join(words).split()))


def remote_images(page: str) -> frozenset[str]:
    """The addresses of images that a mail client would have to load from elsewhere."""
    found = {match[1] for match in _IN_STYLE.finditer(page)}
    for piece in pieces(page):
        if isinstance(piece, Tag) and piece.name != "a":
            values = (piece.attributes.get(name, "") for name in ("src", "background", "poster", "srcset"))
            found |= {value.strip() for value in values if _REMOTE.match(value)}
    return frozenset(found)


def frame(page: str, part: Callable[[str], str], *, dark: bool = False) -> str:
    """The page as it stands in its frame: in light or dark colours, its links open outside, its own images are found.

    `part` gives the address for a Content-ID, empty where there is none.
    """

    def inside(match: re.Match[str]) -> str:
        address = part(html.unescape(match[2]))
        return f"{match[1]}{html.escape(address)}" if address else match[0]

    page = _CID.sub(inside, page)
    # Links (preconnect, dns-prefetch) and frames make a browser connect, before or whatever the policy says.
    page = _CONNECTING.sub("<x-", page)
    # Browsers tell a frame of another origin the colours of the system, not those of the page around it.
    page = _COLOURS.sub(lambda match: _ALWAYS if (match[1].lower() == "dark") == dark else _NEVER, page)
    begin = _HEAD.search(page, 0, _EARLY) or _DOCTYPE.match(page)
    at = begin.end() if begin else 0
    scheme = f"<style>:root{{color-scheme:only {'dark' if dark else 'light'}!important}}</style>"
    return f'{page[:at]}<base target="_blank">{scheme}{page[at:]}'
