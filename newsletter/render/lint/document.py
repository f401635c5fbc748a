"""HTML as a tree of elements with their lines, read as mail clients do: leniently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
# What an element ends that was left open (HTML Living Standard, section 13.1.2.4, as far as mails need it).
_ENDS: Mapping[str, frozenset[str]] = {
    "li": frozenset({"li"}),
    "td": frozenset({"td", "th"}),
    "th": frozenset({"td", "th"}),
    "tr": frozenset({"td", "th", "tr"}),
    "tbody": frozenset({"td", "th", "tr", "tbody", "thead"}),
    **{
        name: frozenset({"p"})
        for name in ("p", "div", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "blockquote")
    },
}
_KEEPS_ENDS_INSIDE = frozenset({"table", "ul", "ol", "div", "html", "body", "a", "span"})
_NO_TEXT = frozenset({"head", "script", "style", "template", "title"})


@dataclass(slots=True, eq=False)
class Element:
    """An element; its children are elements and pieces of text, in order."""

    tag: str
    attributes: dict[str, str]
    line: int
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def elements(self) -> Iterator[Element]:
        """The elements directly inside."""
        return (child for child in self.children if isinstance(child, Element))

    @property
    def own_text(self) -> str:
        """The text directly inside."""
        return "".join(child for child in self.children if isinstance(child, str))

    def walk(self) -> Iterator[Element]:
        """This element and all inside it, in the order of the page."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(list(element.elements)))

    def text(self) -> str:
        """All text inside, of images their alt text, with single spaces."""
        pieces: list[str] = []
        waiting: list[Element | str] = [self]
        while waiting:
            child = waiting.pop()
            if isinstance(child, str):
                pieces.append(child)
            elif child.tag == "img":
                pieces.append(child.attributes.get("alt", ""))
            elif child.tag not in _NO_TEXT:
                waiting.extend(reversed(child.children))
        return " ".join("".join(pieces).split())

    def first(self, tag: str) -> Element | None:
        """The first element of that name in here."""
        return next((element for element in self.walk() if element.tag == tag), None)


def read_document(html: str) -> Element:
    """The page under an element without a name. Comments, and with them what only Outlook sees, are left out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {}, 1)
        self._current = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_implied(tag)
        attributes: dict[str, str] = {}
        for name, value in attrs:
            attributes.setdefault(name, value or "")  # of two with one name the first counts
        element = Element(tag, attributes, self.getpos()[0], self._current)
        self._current.children.append(element)
        if tag not in _VOID:
            self._current = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # in HTML the slash says nothing

    def handle_endtag(self, tag: str) -> None:
        place: Element | None = self._current
        while place is not None and place.tag != tag:
            place = place.parent
        if place is not None and place.parent is not None:
            self._current = place.parent

    def handle_data(self, data: str) -> None:
        self._current.children.append(data)

    def parse_marked_section(self, i: int, report: bool = True) -> int:  # noqa: ARG002  # the parser's signature
        """Skip `<![if …]>` and everything like it; the parser's own way raises for what it does not know."""
        end = self.rawdata.find(">", i)
        return end + 1 if end >= 0 else -1

    def _end_implied(self, tag: str) -> None:
        ends = _ENDS.get(tag, frozenset())
        place: Element | None = self._current
        last: Element | None = None
        while place is not None and place.tag not in _KEEPS_ENDS_INSIDE:
            if place.tag in ends:
                last = place
            place = place.parent
        if last is not None and last.parent is not None:
            self._current = last.parent
