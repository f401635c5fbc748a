"""The source of a theme: MJML with Jinja in it, looked at before it is compiled."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from newsletter.render.lint import values
from newsletter.render.lint.finding import Finding, first_of_each
from newsletter.render.lint.includes import Read, Source, expand
from newsletter.render.lint.rules import found
from newsletter.render.lint.tables import Tag, mjml

_JINJA = re.compile(r"\{%-?\s*raw\b.*?\bendraw\s*[-+]?%\}|\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<end>/?)(?P<name>[A-Za-z][\w:-]*)(?P<rest>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)(?P<closed>>?)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=\"'/>]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_FILLED = "\ue000"  # stands for a character of what Jinja will put there; no template has it


def lint_template(template: str, read: Read) -> tuple[Finding, ...]:
    """What is wrong with a theme's MJML, its includes with it; `read` gives the source of a template by its name.

    Nothing is compiled. LookupError when there is no such template.
    """
    source = expand(template, read)
    return first_of_each([*source.findings, *_Walk(source).findings()])


class _Walk:
    """One way through a source, from tag to tag."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = _JINJA.sub(_filled, source.text)
        self._open: list[tuple[str, int]] = []

    def findings(self) -> Iterator[Finding]:
        """Everything, in the order of the source."""
        yield from self._compared()
        position = 0
        while token := _TOKEN.search(self._text, position):
            yield from self._stray(position, token.start())
            position = token.end()
            if token["name"] is None:
                continue
            if not token["closed"]:
                yield self._found("mjml-unclosed", token.start(), f"<{token['name']} is not closed by >")
                continue
            if token["end"]:
                yield from self._end(token["name"], token.start())
                continue
            yield from self._start(token)
            if token["rest"].endswith("/"):
                continue
            self._open.append((token["name"], token.start()))
            tag = mjml().tags.get(token["name"])
            if tag is not None and tag.holds_html:
                ending = re.compile(rf"</{re.escape(token['name'])}\s*>").search(self._text, position)
                if ending is None:
                    yield self._found("mjml-unclosed", token.start(), f"<{token['name']}> is never closed")
                    return
                position = ending.start()  # what it holds is no MJML
        yield from self._stray(position, len(self._text))
        for name, at in self._open:
            yield self._found("mjml-unclosed", at, f"<{name}> is never closed")

    def _start(self, token: re.Match[str]) -> Iterator[Finding]:
        name, at = token["name"], token.start()
        known = mjml().tags
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield self._found("mjml-tag", at, f"MJML has no tag {name}{hint}")
            return
        parent = self._open[-1][0] if self._open else ""
        if parent and parent in known and not _may_stand_in(name, parent):
            yield self._found("mjml-parent", at, f"{name} stands in {parent}; it may stand in {_parents(name)}")
        attributes = {
            part[1]: (
                next((text for text in part.groups()[1:] if text is not None), ""),
                token.start("rest") + part.start(),
            )
            for part in _ATTRIBUTE.finditer(token["rest"])
            if _FILLED not in part[1]
        }
        yield from self._attributes(name, known[name], attributes)
        yield from self._customs(name, at, attributes, in_defaults=parent == "mj-attributes")

    def _attributes(self, name: str, tag: Tag, attributes: dict[str, tuple[str, int]]) -> Iterator[Finding]:
        if tag.attributes is None:
            return
        for attribute, (value, at) in attributes.items():
            kind = tag.attributes.get(attribute)
            if kind is None:
                if attribute not in mjml().every_tag:
                    near = difflib.get_close_matches(attribute, tag.attributes, n=1)
                    hint = f"; did you mean {near[0]}?" if near else ""
                    yield self._found("mjml-attribute", at, f"{name} has no attribute {attribute}{hint}")
            elif _FILLED in value:
                if values.is_literal(kind):
                    yield self._found(
                        "mjml-value", at, f"{attribute} of {name} comes from Jinja; MJML needs a length here"
                    )
            elif wanted := values.complaint(kind, value):
                yield self._found("mjml-value", at, f'{attribute}="{value}" of {name} is not {wanted}')
            elif values.bare_zero(kind, value):
                yield self._found("mjml-zero", at, f'{attribute}="{value}" of {name} has a zero without a unit')
            elif values.short_colour(kind, value):
                yield self._found("mjml-colour", at, f'{attribute}="{value}" of {name} has three digits')

    def _customs(
        self, name: str, at: int, attributes: dict[str, tuple[str, int]], *, in_defaults: bool
    ) -> Iterator[Finding]:
        """What is good MJML and does no good in a mail."""
        if name == "mj-style" and "inline" in attributes:
            yield self._found("mjml-style-inline", at, "mj-style asks for its rules to be moved inline")
        if name == "mj-font":
            yield self._found("mjml-font", at, "mj-font loads a font from elsewhere")
        if name == "mj-preview":
            yield self._found("mjml-preview", at, "mj-preview hides its text by colour")
        if name == "mj-image" and not in_defaults and "alt" not in attributes:
            yield self._found("mjml-image-alt", at, "mj-image has no alt")

    def _end(self, name: str, at: int) -> Iterator[Finding]:
        names = [opened for opened, _ in self._open]
        if name not in names:
            if name in mjml().tags:  # an unknown one was told where it began
                yield self._found("mjml-unclosed", at, f"</{name}> closes nothing")
            return
        while self._open[-1][0] != name:
            inner, began = self._open.pop()
            yield self._found("mjml-unclosed", began, f"<{inner}> is still open where {name} ends")
        self._open.pop()

    def _compared(self) -> Iterator[Finding]:
        for tag in _JINJA.finditer(self._source.text):
            if _says_something(tag[0]) and re.search(r"[<>]", tag[0]):
                yield self._found("mjml-jinja", tag.start(), f"{_shown(tag[0])} has < or > in it")

    def _stray(self, start: int, end: int) -> Iterator[Finding]:
        """Jinja between tags of MJML."""
        inside = self._open[-1][0] if self._open else ""
        if inside and (inside not in mjml().tags or mjml().tags[inside].holds_html):
            return
        for tag in _JINJA.finditer(self._source.text, start, end):
            if _says_something(tag[0]):
                where = f"directly in {inside}" if inside else "outside all tags"
                yield self._found("mjml-jinja", tag.start(), f"{_shown(tag[0])} stands {where}")

    def _found(self, rule: str, position: int, what: str) -> Finding:
        path, line = self._source.place(position)
        return found(rule, path, line, what)


def _filled(jinja: re.Match[str]) -> str:
    """As many characters, on as many lines, that no tag or attribute can be made of."""
    sign = " " if jinja[0].startswith("{#") else _FILLED
    return "".join(character if character == "\n" else sign for character in jinja[0])


def _says_something(jinja: str) -> bool:
    """Whether it is neither a comment nor raw text."""
    return not jinja.startswith("{#") and not re.match(r"\{%-?\s*raw\b", jinja)


def _shown(jinja: str) -> str:
    return " ".join(jinja.split())[:80]


def _may_stand_in(name: str, parent: str) -> bool:
    # What stands in the outermost tag is a matter of the validator's taste: it skips that one.
    return parent in {"mjml", *mjml().takes_anything} or parent in mjml().tags[name].parents


def _parents(name: str) -> str:
    return ", ".join(mjml().tags[name].parents) or "no other tag"
