"""The page as a reader gets it: links, images, headings, language, tables, and what mail clients cut."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from newsletter.render.budget import HTML_LIMIT
from newsletter.render.lint.css import Block, inline
from newsletter.render.lint.document import Element
from newsletter.render.lint.finding import Finding
from newsletter.render.lint.rules import found

LARGEST = HTML_LIMIT
NEARLY = 80_000  # bytes
MOST_CSS = 16 * 1024  # bytes, of all style blocks together

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SPOKEN = frozenset({"http", "https", "mailto", "tel", "sms"})
_FORMATS = frozenset({"webp", "svg", "avif", "heic", "heif", "tif", "tiff"})


def lint_structure(root: Element, path: str) -> Iterator[Finding]:
    """What each element must have, wherever it stands."""
    anchors = {element.attributes.get(name, "") for element in root.walk() for name in ("id", "name")}
    for element in root.walk():
        match element.tag:
            case "img":
                yield from _image(element, path)
            case "a":
                yield from _link(element, anchors, path)
            case "table" if not _has_role(element) and not any(inner.tag == "th" for inner in element.walk()):
                yield found("table-role", path, element.line, "a table without role and without headings")
    yield from _headings(root, path)
    yield from _language(root, path)


def _image(image: Element, path: str) -> Iterator[Finding]:
    has, line = image.attributes, image.line
    source = has.get("src", "").strip()
    shown = f"image {source[:60]}" if source else "an image without address"
    if "alt" not in has:
        yield found("image-alt", path, line, f"{shown} has no alt")
    if not re.fullmatch(r"\d+", has.get("width", "").strip()):
        yield found("image-width", path, line, f"{shown} has no width attribute in pixels")
    scheme = _scheme(source)
    if scheme == "data":
        yield found("image-format", path, line, f"{shown} is inside the mail itself")
    elif scheme != "https":
        yield found("image-address", path, line, f"{shown} is not at an https address")
    ending = _path(source).rpartition(".")[2].lower()
    if ending in _FORMATS:
        yield found("image-format", path, line, f"{shown} is {ending.upper()}")


def _link(link: Element, anchors: set[str], path: str) -> Iterator[Finding]:
    if "href" not in link.attributes:
        return  # an anchor
    address = link.attributes["href"].strip()
    if not link.text() and not link.attributes.get("aria-label", "").strip():
        yield found("link-text", path, link.line, f"the link to {address[:60] or 'nowhere'} has no text")
    scheme = _scheme(address)
    if address.startswith("#"):
        if address == "#" or address[1:] not in anchors:
            yield found("link-target", path, link.line, f"a link leads to {address}, which is not in the mail")
    elif not address:
        yield found("link-target", path, link.line, "a link has an empty address")
    elif scheme not in _SPOKEN:
        what = (
            f"a link begins with {scheme}:" if scheme else f"a link leads to {address[:60]}, which is no whole address"
        )
        yield found("link-target", path, link.line, what)


def _headings(root: Element, path: str) -> Iterator[Finding]:
    headings = [element for element in root.walk() if element.tag in _HEADINGS]
    firsts = [element for element in headings if element.tag == "h1"]
    if not firsts:
        yield found("heading-order", path, 0, "there is no h1")
    for extra in firsts[1:]:
        yield found("heading-order", path, extra.line, "there is a second h1")
    level = 0
    for heading in headings:
        own = _HEADINGS.index(heading.tag) + 1
        if own > level + 1:
            before = f"after h{level}" if level else "as the first heading"
            yield found("heading-order", path, heading.line, f"h{own} stands {before}")
        level = own


def _language(root: Element, path: str) -> Iterator[Finding]:
    page = root.first("html")
    body = root.first("body")
    child = next((element for element in body.elements if not _is_hidden(element)), None) if body is not None else None
    for element, called in ((page, "html"), (child, "the first element in body")):
        for name in ("lang", "dir"):
            if element is None or not element.attributes.get(name, "").strip():
                yield found("language", path, element.line if element is not None else 0, f"{called} has no {name}")


def lint_weight(html: str, blocks: Sequence[tuple[Element, Block]], path: str) -> Iterator[Finding]:
    """What makes Gmail cut the mail or drop its styles. Sizes are in bytes of UTF-8."""
    size = len(html.encode(errors="replace"))
    if size > LARGEST:
        yield found("html-size", path, 0, f"{size:,} bytes of HTML; at most {LARGEST:,} are safe")
    elif size > NEARLY:
        yield found("html-nearly-full", path, 0, f"{size:,} bytes of HTML; at most {LARGEST:,} are safe")
    styles = sum(len(element.own_text.encode(errors="replace")) for element, _ in blocks)
    if styles > MOST_CSS:
        yield found("css-size", path, 0, f"{styles:,} bytes of CSS; {MOST_CSS:,} are read")
    for _, sheet in blocks:
        for around, block in sheet.every_block():
            outer = [one.prelude for one in around if one.prelude.startswith("@")]
            if block.prelude.startswith("@") and outer:
                yield found("css-nested", path, block.line, f"{block.prelude[:60]} stands in {outer[-1][:60]}")
    for number, line in enumerate(html.split("\n"), start=1):
        for character in sorted(set(re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", line))):
            yield found("control-characters", path, number, f"the control character U+{ord(character):04X}")


def _has_role(element: Element) -> bool:
    return bool(element.attributes.get("role", "").strip())


def _is_hidden(element: Element) -> bool:
    return any(one.name == "display" and one.value == "none" for one in inline(element))


def _scheme(address: str) -> str:
    found_scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", address)
    return found_scheme[1].lower() if found_scheme else ""


def _path(address: str) -> str:
    try:
        return urlsplit(address).path if not address.startswith("data:") else ""
    except ValueError:
        return ""
