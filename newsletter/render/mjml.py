"""`*.mjml.j2` to an HTML template: MJML is compiled once per template, and Jinja runs on the result.

The other way round a title from a feed could break out of an attribute (the engine unescapes `&quot;`), and every
issue would pay for compiling. The engine does not validate; what it would lose or spoil is found here by looking for
every Jinja tag of the source in its output.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, TemplateSyntaxError
from mjml import mjml_to_html

from newsletter.errors import RenderError

SUFFIX = ".mjml.j2"

_TAG = re.compile(r"\{%-?\s*raw\b.*?\bendraw\s*[-+]?%\}|\{#.*?#\}|(?P<jinja>\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
_MARK = re.compile(r"\{#@(\d+)#\}")
_INCLUDE = re.compile(r"<mj-include\b", re.IGNORECASE)
_INDENTATION = re.compile(r"\n\s+")
# What the engine raises for MJML it does not know: it has no error of its own, and leaves some tags for later.
_GIVES_UP = (AssertionError, AttributeError, KeyError, NotImplementedError, RecursionError, TypeError, ValueError)


class MjmlLoader(FileSystemLoader):
    """Loads templates from folders, those of MJML as HTML. Jinja keeps what it loads until the file changes."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The HTML template, its path and the question whether it is still fresh. RenderError for broken MJML."""
        source, path, fresh = super().get_source(environment, template)
        if template.endswith(SUFFIX):
            try:
                environment.parse(source, template)
            except TemplateSyntaxError as mistake:
                raise RenderError(mistake.message or "", template=template, line=mistake.lineno) from mistake
            source = compile_mjml(source, template)
        return source, path, fresh

    def name_of(self, path: str) -> str:
        """The template whose file that is, empty for a file in none of the folders."""
        file = Path(path)
        within = (file.relative_to(folder) for folder in self.searchpath if file.is_relative_to(folder))
        return next((name.as_posix() for name in within), "")


def compile_mjml(source: str, template: str) -> str:
    """MJML with Jinja inside as HTML with the same Jinja inside, each tag after a comment that tells its line.

    Raises RenderError, with the line where it can be told, for what the engine does not know and for Jinja it drops:
    statements belong inside `mj-raw`, or whole inside one `mj-text` or `mj-table`, and cannot hold `<` or `>`.
    """
    if include := _INCLUDE.search(source):
        # The engine would open any path, outside the template folders too.
        raise RenderError(
            "use {% include %} in mj-raw instead of mj-include", template=template, line=_line(source, include.start())
        )
    marked = _TAG.sub(lambda tag: f"{_mark(source, tag)}{tag[0]}" if tag["jinja"] else tag[0], source)
    try:
        html = str(mjml_to_html(marked).html)
    except _GIVES_UP as problem:
        raise RenderError(f"not MJML: {problem!r}", template=template, line=_line_of(source, problem)) from problem
    for tag in _TAG.finditer(source):
        if tag["jinja"] and f"{_mark(source, tag)}{tag[0]}" not in html:
            what = f"{tag[0]} is lost in MJML: it must stand inside mj-raw or mj-text, without < and >"
            raise RenderError(what, template=template, line=_line(source, tag.start()))
    return _INDENTATION.sub("\n", html)


def source_line(html: str, line: int) -> int:
    """The line of the MJML source that a line of the compiled template comes from, 0 when it cannot be told."""
    lines = html.split("\n")
    here = _MARK.findall(lines[line - 1]) if 0 < line <= len(lines) else []
    before = _MARK.findall("\n".join(lines[: line - 1]))
    return int(here[0]) if here else int(before[-1]) if before else 0


def _mark(source: str, tag: re.Match[str]) -> str:
    return f"{{#@{_line(source, tag.start())}#}}"


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _line_of(source: str, problem: BaseException) -> int:
    """Where the tag stands that the engine does not know; it gives its name alone."""
    name = str(problem.args[0]) if isinstance(problem, KeyError) and problem.args else ""
    found = source.find(f"<{name}") if name else -1
    return _line(source, found) if found >= 0 else 0
