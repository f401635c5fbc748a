"""The structure of an HTML page as lines, so that two compilers of one source can be compared.

What makes no difference to a mail client is the same in both: the order of attributes and of style declarations,
white space, where one conditional comment ends and the next with the same condition begins.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

_CONDITIONAL = re.compile(r"\[if ([^\]]+)\]>(.*)<!\[endif\]", re.DOTALL)
_BEGIN, _END = "<!--[if {}]>", "<![endif]-->"


def structure(page: str) -> list[str]:
    """A line for each tag, text, comment and CSS rule of the page, in their order."""
    return _merged(_lines(page))


def _lines(page: str) -> list[str]:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.lines


def _merged(lines: list[str]) -> list[str]:
    """Without the places where a condition ends and the same one begins again."""
    merged: list[str] = []
    condition = ""
    for line in lines:
        if line.startswith("<!--[if") and merged and merged[-1] == _END and line == condition:
            merged.pop()
            continue
        condition = line if line.startswith("<!--[if") else condition
        merged.append(line)
    return merged


def _declarations(style: str) -> str:
    pairs = (part.partition(":") for part in style.split(";") if part.strip())
    return ";".join(sorted(f"{name.strip().lower()}:{_words(value)}" for name, _, value in pairs))


def _words(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: _declarations(value or "") if name == "style" else _words(value or "") for name, value in attrs}
        self.lines.append(f"<{tag}{''.join(f' {name}={value!r}' for name, value in sorted(values.items()))}>")
        self._style = tag == "style"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.lines.append(f"</{tag}>")
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self.lines += [_words(rule) for rule in re.split(r"(?<=[{};])", data) if rule.strip()]
        elif data.strip():
            self.lines.append(escape(_words(data), quote=False))

    def handle_decl(self, decl: str) -> None:
        self.lines.append(f"<!{decl.lower()}>")

    def unknown_decl(self, data: str) -> None:
        self.lines.append(f"<![{data}]>")

    def handle_comment(self, data: str) -> None:
        conditional = _CONDITIONAL.fullmatch(data.strip())
        if conditional is None:
            self.lines.append(f"<!--{_words(data)}-->")
        else:
            self.lines += [_BEGIN.format(_words(conditional[1])), *_lines(conditional[2]), _END]
