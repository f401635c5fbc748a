"""What a feed of any format says of one thing: text as it stands there, addresses not yet judged."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime

from newsletter.sources.clean import one_line, plain_text


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text, with the address its relative links refer to."""

    value: str = ""
    is_html: bool = True
    base: str = ""

    @property
    def plain(self) -> str:
        """What a reader sees of it, on one line."""
        return self.beginning(0)

    def beginning(self, most: int) -> str:
        """The same, of which no more than `most` characters are wanted; it may be longer."""
        return plain_text(self.value, most=most) if self.is_html else one_line(self.value)

    @property
    def markup(self) -> str:
        """The same in HTML."""
        return self.value if self.is_html else html.escape(self.value).replace("\n", "<br>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One `<item>`, `<entry>` or JSON Feed item."""

    guid: str = ""
    link: str = ""
    title: Text = Text()
    summary: Text = Text()
    content: Text = Text()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    image: str = ""
    doi: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    announced: str = ""  # arXiv's announce type


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole feed; `home` is the address of the site it belongs to, `address` its own by its own word."""

    title: Text = Text()
    home: str = ""
    address: str = ""
    items: tuple[Item, ...] = ()
