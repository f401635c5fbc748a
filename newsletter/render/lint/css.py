"""CSS as blocks and declarations with their lines: enough of CSS Syntax Level 3 to look a mail over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.render.lint.document import Element

_TOKEN = re.compile(
    r"/\*.*?(?:\*/|\Z)|\"(?:\\.|[^\"\\\n])*+\"?|'(?:\\.|[^'\\\n])*+'?|\([^()]*+\)|[{};]|[^{};\"'(/]++|.", re.DOTALL
)
_IMPORTANT = re.compile(r"\s*!\s*important\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """`name: value`, the name in lower case."""

    name: str
    value: str
    important: bool
    line: int


@dataclass(slots=True, kw_only=True)
class Block:
    """`prelude { … }`: a rule with its selectors, or an at-rule; what has no prelude is the whole."""

    prelude: str
    line: int
    declarations: list[Declaration] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def rules(self) -> Iterator[tuple[tuple[Block, ...], Block]]:
        """Each block inside that is a rule, after the at-rules it stands in."""
        waiting: list[tuple[tuple[Block, ...], Block]] = [((), block) for block in reversed(self.blocks)]
        while waiting:
            around, block = waiting.pop()
            if block.prelude.startswith("@"):
                waiting.extend(((*around, block), inner) for inner in reversed(block.blocks))
            else:
                yield around, block

    def every_block(self) -> Iterator[tuple[tuple[Block, ...], Block]]:
        """Every block inside, after those it stands in."""
        waiting: list[tuple[tuple[Block, ...], Block]] = [((), block) for block in reversed(self.blocks)]
        while waiting:
            around, block = waiting.pop()
            yield around, block
            waiting.extend(((*around, block), inner) for inner in reversed(block.blocks))


def read_css(text: str, *, line: int = 1) -> Block:
    """The rules of a style sheet, or the declarations of a style attribute. Nothing in it is an error."""
    whole = Block(prelude="", line=line)
    path = [whole]
    piece, began = "", line
    for token in _TOKEN.findall(text):
        if token == "{":  # noqa: S105  # a brace
            block = Block(prelude=" ".join(piece.split()), line=began)
            path[-1].blocks.append(block)
            path.append(block)
        elif token in {"}", ";"}:
            _declare(path[-1], piece, began)
            if len(path) > 1 and token == "}":  # noqa: S105
                path.pop()
        elif not token.startswith("/*"):
            if not piece.strip():
                began = line + token[: len(token) - len(token.lstrip())].count("\n")
            piece += token
        if token in {"{", "}", ";"}:
            piece = ""
        line += token.count("\n")
    _declare(path[-1], piece, began)
    return whole


def sheets(root: Element) -> list[tuple[Element, Block]]:
    """The style elements of a page, each with what it says."""
    return [
        (element, read_css(element.own_text, line=element.line)) for element in root.walk() if element.tag == "style"
    ]


def inline(element: Element) -> list[Declaration]:
    """What the element's style attribute says."""
    return read_css(element.attributes.get("style", ""), line=element.line).declarations


def _declare(block: Block, text: str, line: int) -> None:
    if text.strip().startswith("@"):  # an at-rule without a block, such as @import "x";
        block.blocks.append(Block(prelude=" ".join(text.split()), line=line))
        return
    name, colon, value = text.partition(":")
    if not colon:
        return
    important = _IMPORTANT.search(value) is not None
    block.declarations.append(
        Declaration(
            name=name.strip().lower(), value=" ".join(_IMPORTANT.sub("", value).split()), important=important, line=line
        )
    )
