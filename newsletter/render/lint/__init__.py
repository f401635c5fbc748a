"""What is wrong with a theme or a mail, before readers tell: `newsletter check`.

    the MJML of a theme        --lint_template--> Finding*     mjml.py, includes.py, values.py
    a page and its text part   --lint_mail------> Finding*     page.py, legible.py, support.py, text.py

Everything takes text and gives findings; only `spam.py` starts another program. `rules.py` names every rule, with why
it is one and how to mend what breaks it. `document.py`, `css.py`, `selectors.py`, `cascade.py` and `colours.py` read a
page as a mail client would; `tables.py` knows what MJML allows and what clients support, from `data/`; `samples.py` has
issues to fill a theme with.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.render.lint.css import sheets
from newsletter.render.lint.document import read_document
from newsletter.render.lint.finding import Finding, first_of_each
from newsletter.render.lint.legible import lint_legibility
from newsletter.render.lint.mjml import lint_template
from newsletter.render.lint.page import lint_structure, lint_weight
from newsletter.render.lint.support import lint_support
from newsletter.render.lint.text import lint_text

__all__ = ["Finding", "links", "lint_mail", "lint_page", "lint_template"]


def lint_page(html: str, *, path: str) -> tuple[Finding, ...]:
    """What is wrong with the HTML of a mail as one reader gets it; `path` is what to call it."""
    return first_of_each(_page(html, path))


def lint_mail(html: str, text: str, *, preheader: str, path: str) -> tuple[Finding, ...]:
    """What is wrong with both parts of a mail; they are called `<path>.html` and `<path>.txt`."""
    page = lint_page(html, path=f"{path}.html")
    return page + first_of_each(lint_text(text, read_document(html), preheader=preheader, path=f"{path}.txt"))


def links(html: str) -> dict[str, int]:
    """The http(s) addresses that the links of a page lead to, each with the line of the first."""
    found: dict[str, int] = {}
    for element in read_document(html).walk():
        address = element.attributes.get("href", "").strip()
        if element.tag == "a" and address.lower().startswith(("http://", "https://")):
            found.setdefault(address, element.line)
    return found


def _page(html: str, path: str) -> Iterator[Finding]:
    root = read_document(html)
    styles = sheets(root)
    blocks = [block for _, block in styles]
    yield from lint_structure(root, path)
    yield from lint_weight(html, styles, path)
    yield from lint_legibility(root, blocks, path)
    yield from lint_support(root, blocks, path)
