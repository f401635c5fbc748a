"""Whether text can be read: its contrast to the ground in light and in dark, and its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from newsletter.render.lint.cascade import Look, Scheme, looks
from newsletter.render.lint.colours import contrast
from newsletter.render.lint.css import Block
from newsletter.render.lint.document import Element
from newsletter.render.lint.finding import Finding
from newsletter.render.lint.rules import found

CONTRAST = 4.5
SMALLEST = 14  # pixels


def lint_legibility(root: Element, blocks: Sequence[Block], path: str) -> Iterator[Finding]:
    """Text that is hard to read, once for each element that holds it."""
    for scheme in Scheme:
        for element, look in looks(root, blocks, scheme):
            if not _is_read(element, look):
                continue
            if look.colour is not None and look.ground is not None:
                seen = look.colour.over(look.ground)
                ratio = contrast(seen, look.ground)
                if ratio < CONTRAST:
                    what = f"{seen} on {look.ground} has a contrast of {int(ratio * 10) / 10}, in <{_called(element)}>"
                    yield found(f"contrast-{scheme}", path, element.line, what)
            if scheme is Scheme.LIGHT and look.size < SMALLEST:
                yield found("text-size", path, element.line, f"text of {look.size:.3g}px in <{_called(element)}>")


def _is_read(element: Element, look: Look) -> bool:
    """Whether it holds text of its own that takes up room; a client's own spacers do not."""
    return look.size > 0 and bool(element.own_text.replace("\u200b", "").replace("\u034f", "").strip())


def _called(element: Element) -> str:
    names = element.attributes.get("class", "")
    return f'{element.tag} class="{names}"' if names else element.tag
