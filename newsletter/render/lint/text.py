"""The text part: its lines, its links and how it begins."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.render.lint.document import Element
from newsletter.render.lint.finding import Finding
from newsletter.render.lint.rules import found
from newsletter.render.plain import columns

LONGEST = 78  # columns; RFC 5322 section 2.1.1
BEGINNING = 60  # characters of the preheader; what is longer may be cut, at 140 or sooner

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def lint_text(text: str, root: Element, *, preheader: str, path: str) -> Iterator[Finding]:
    """What is wrong with the text, compared with the page under `root` and the preheader of both."""
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if columns(line) > LONGEST and not _ADDRESS.match(line.strip()):
            yield found(
                "text-lines", path, number, f"{columns(line)} columns, more than {LONGEST}: {line.strip()[:40]}…"
            )
        for address in _ADDRESS.findall(line):
            seen.setdefault(address, number)
    yield from _links(seen, root, path)
    if not " ".join(text.split()).startswith(" ".join(preheader.split())[:BEGINNING]):
        yield found(
            "text-preheader", path, 1, f"it begins with {' '.join(text.split())[:60]!r}, not with the preheader"
        )


def _links(seen: dict[str, int], root: Element, path: str) -> Iterator[Finding]:
    """Addresses that only one of the parts has; in the page one that is mere text counts as well."""
    linked: dict[str, int] = {}
    for element in root.walk():
        address = element.attributes.get("href", "").strip()
        if element.tag == "a" and _ADDRESS.fullmatch(address):
            linked.setdefault(address, element.line)
    for address in linked.keys() - seen.keys():
        yield found("text-links", path, 0, f"{address[:100]} is linked in the HTML only")
    written = root.text()
    for address in seen.keys() - linked.keys():
        if address not in written and address.rstrip(".,;:!?)>]") not in linked:
            yield found("text-links", path, seen[address], f"{address[:100]} stands in the text only")
