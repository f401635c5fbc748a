"""What a page uses of HTML and CSS, by the names of `data/clients.json`: `property:gap`, `element:video`, `unit:vw`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from newsletter.render.lint.css import Block, Declaration, inline
from newsletter.render.lint.document import Element

_FUNCTION = re.compile(r"([a-z-]+)\(")
_KEYWORD = re.compile(r"(?<![\w-])[a-z]+(?:-[a-z]+)*(?![\w(-])")
_UNIT = re.compile(r"(?<![\w#.-])-?(?:\d+\.?\d*|\.\d+)(%|[a-z]+)")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|url\([^()]*\)")
_PSEUDO = re.compile(r"(::?)([a-z-]+)")
_OLD_ELEMENTS = frozenset({"after", "before", "first-letter", "first-line"})  # may be written with one colon
_IMAGES = frozenset({"img", "source", "input"})

Used = tuple[str, int]
"""A name, and the line it is used in."""


def used(root: Element, sheets: Sequence[Block]) -> Iterator[Used]:
    """Everything a page uses, each as often as it does."""
    for element in root.walk():
        yield from _element(element)
        for declaration in inline(element):
            yield from _declaration(declaration)
    for sheet in sheets:
        for around, block in sheet.every_block():
            yield from _block(around, block)


def _element(element: Element) -> Iterator[Used]:
    has, line = element.attributes, element.line
    yield f"element:{element.tag}", line
    for name in has:
        yield f"attribute:{name}", line
    if element.tag == "input":
        yield f"input:{has.get('type', 'text').lower()}", line
    if element.tag == "meta":
        yield f"meta:{has.get('name', '').lower()}", line
    address = has.get("href", "").strip().lower()
    if element.tag == "a" and address.startswith(("#", "mailto:")):
        yield "href:#" if address.startswith("#") else "href:mailto", line
    if element.tag in _IMAGES and "src" in has:
        source = has["src"].strip().lower()
        if source.startswith("data:"):
            yield "image:data", line
        else:
            yield f"image:{re.split('[?#]', source)[0].rpartition('.')[2]}", line


def _declaration(declaration: Declaration) -> Iterator[Used]:
    name, line = declaration.name, declaration.line
    if name.startswith("mso-"):
        return  # for Outlook alone
    value = _QUOTED.sub(" ", declaration.value.lower())
    yield f"property:{name}", line
    yield f"value:{name}:{value}", line
    for function in _FUNCTION.findall(value):
        yield f"function:{function}", line
    for keyword in _KEYWORD.findall(value):
        yield f"keyword:{keyword}", line
    for unit in _UNIT.findall(value):
        yield f"unit:{unit}", line


def _block(around: Sequence[Block], block: Block) -> Iterator[Used]:
    prelude = block.prelude.lower()
    if prelude.startswith("@"):
        name = re.match(r"@([\w-]+)", prelude)
        yield f"at:{name[1] if name else ''}", block.line
        for feature in re.findall(r"\(\s*([\w-]+)", prelude):
            yield f"media:{feature}", block.line
    else:
        if any(not outer.prelude.startswith("@") for outer in around):
            yield "nesting", block.line
        yield from _selector(prelude, block.line)
    for declaration in block.declarations:
        yield from _declaration(declaration)


def _selector(text: str, line: int) -> Iterator[Used]:
    if "[" in text:
        yield "selector:[]", line
    plain = re.sub(r"\[[^\]]*\]|\([^()]*\)", "", text)
    for sign in ">+~*":
        if sign in plain:
            yield f"selector:{sign}", line
    if re.search(r"[\w-][.#][\w-]+[.#]|[.#][\w-]+[.#]", plain):
        yield "selector:chained", line
    for colons, name in _PSEUDO.findall(plain):
        yield f"pseudo:{'::' if name in _OLD_ELEMENTS else colons}{name}", line
