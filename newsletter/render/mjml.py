"""`*.mjml.j2` to an HTML template: MJML is compiled once per template, and Jinja runs on the result.

    expand     <mj-include path="card.mjml.j2" /> becomes the lines of that template; each line knows where it is from
    compile    MJML with Jinja inside -> HTML with the same Jinja inside, each tag after a comment that tells its line

The other way round a title from a feed could break out of an attribute (the engine unescapes `&quot;`), and every
issue would pay for compiling. The engine does not validate; what it would lose or spoil is found here by looking for
every Jinja tag of the source in its output. Includes are resolved here too: the engine would open any path.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, TemplateNotFound, TemplateSyntaxError

from newsletter.errors import RenderError

SUFFIX = ".mjml.j2"

_DEEPEST = 8  # includes within includes
_TAG = re.compile(r"\{%-?\s*raw\b.*?\bendraw\s*[-+]?%\}|\{#.*?#\}|(?P<jinja>\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
_MARK = re.compile(r"\{#@(\d+)#\}")
_MARKED = re.compile(r"\{#@(\d+)#\}(\{[{%].*?[%}]\})")
_INCLUDE = re.compile(r'\s*<mj-include\s+path="(?P<path>[^"]+)"\s*/>\s*')
_ANY_INCLUDE = re.compile(r"<mj-include\b", re.IGNORECASE)
_INDENTATION = re.compile(r"\n\s+")
# What the engine raises for MJML it does not know: it has no error of its own, and leaves some tags for later.
_GIVES_UP = (AssertionError, AttributeError, KeyError, NotImplementedError, RecursionError, TypeError, ValueError)

Read = Callable[[str], str]  # a template's name -> its source; jinja2.TemplateNotFound for one that is not there


@dataclass(frozen=True, slots=True)
class Line:
    """A line of MJML, and the template and line it is from."""

    text: str
    template: str
    number: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """An HTML template with Jinja in it, and the lines of MJML it was made of."""

    html: str
    lines: tuple[Line, ...]

    def origin(self, line: int, mistake: str = "") -> tuple[str, int]:
        """The template and line of MJML that a line of the HTML is from; ("", 0) where that cannot be told.

        Of several tags on that line the one is meant that holds a word which the mistake quotes, else the last.
        """
        rows = self.html.split("\n")
        here = _MARKED.findall(rows[line - 1]) if 0 < line <= len(rows) else []
        quoted = set(re.findall(r"'(\w+)'", mistake))
        meant = [number for number, tag in here if quoted & set(re.findall(r"\w+", tag))]
        before = _MARK.findall("\n".join(rows[: line - 1]))
        found = meant[:1] or [number for number, _ in here[-1:]] or before[-1:]
        return _place(self.lines, int(found[0]) if found else 0)


class MjmlLoader(FileSystemLoader):
    """Loads templates from folders, those of MJML as HTML. What is compiled is kept until one of its files changes."""

    def __init__(self, folders: Sequence[str]) -> None:
        """The folders are searched in order."""
        super().__init__(folders)
        self._compiled: dict[str, tuple[Compiled, list[Callable[[], bool]]]] = {}

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The HTML template, its path and the question whether it is still fresh. RenderError for broken MJML."""
        source, path, fresh = self._found(environment, template)
        if not template.endswith(SUFFIX):
            return source, path, fresh
        compiled, files = self._compiled.get(template, (None, []))
        if compiled is None or not all(unchanged() for unchanged in files):
            files = []

            def read(name: str) -> str:
                found, _, unchanged = self._found(environment, name)
                files.append(unchanged)
                _check_jinja(environment, found, name)
                return found

            compiled = _compiled(expand(template, read), template)
            self._compiled[template] = compiled, files
        return compiled.html, path, lambda: all(unchanged() for unchanged in files)

    def _found(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """A template as it is written; it stays fresh until its file changes, or an earlier folder has one."""
        source, path, unchanged = super().get_source(environment, template)
        earlier = [Path(folder, template) for folder in self.searchpath]
        earlier = earlier[: earlier.index(Path(path))]
        return source, path, lambda: unchanged() and not any(file.exists() for file in earlier)

    def origin(self, template: str, line: int, mistake: str) -> tuple[str, int]:
        """The template and line that a line of a loaded template was written at."""
        compiled, _ = self._compiled.get(template, (None, []))
        return compiled.origin(line, mistake) if compiled else (template, line)

    def name_of(self, path: str) -> str:
        """The template whose file that is, empty for a file in none of the folders."""
        within = (posixpath.relpath(path, folder) for folder in self.searchpath)
        return next((name for name in within if not name.startswith("../")), "")


def expand(template: str, read: Read) -> tuple[Line, ...]:
    """The lines of a template with those of its includes in their place.

    `<mj-include path="…" />` stands alone on its line; the path is relative to the template's folder and stays among
    the templates. RenderError names the template and line of an include that is something else.
    """
    return tuple(_expanded(template, read, ()))


def compile_mjml(lines: Sequence[Line], template: str) -> Compiled:
    """MJML with Jinja inside as HTML with the same Jinja inside.

    Raises RenderError, with the line where it can be told, for what the engine does not know and for Jinja it drops:
    statements belong inside `mj-raw`, or whole inside one `mj-text` or `mj-table`, and cannot hold `<` or `>`.
    """
    from mjml import mjml_to_html  # noqa: PLC0415 - slow to load, and most commands render nothing

    source = "\n".join(line.text for line in lines) + "\n"
    marked = _TAG.sub(lambda tag: f"{_mark(source, tag)}{tag[0]}" if tag["jinja"] else tag[0], source)
    try:
        html = str(mjml_to_html(marked).html)
    except _GIVES_UP as problem:
        name, number = _place(lines, _line_of(source, problem))
        raise RenderError(f"not MJML: {problem!r}", template=name or template, line=number) from problem
    for tag in _TAG.finditer(source):
        if tag["jinja"] and f"{_mark(source, tag)}{tag[0]}" not in html:
            what = f"{tag[0]} is lost in MJML: it must stand inside mj-raw or mj-text, without < and >"
            name, number = _place(lines, _line(source, tag.start()))
            raise RenderError(what, template=name, line=number)
    return Compiled(_INDENTATION.sub("\n", html), tuple(lines))


@lru_cache(maxsize=100)  # of all loaders of this process; it takes a quarter of a second
def _compiled(lines: tuple[Line, ...], template: str) -> Compiled:
    return compile_mjml(lines, template)


def _expanded(template: str, read: Read, within: tuple[str, ...]) -> Iterator[Line]:
    for number, text in enumerate(read(template).splitlines(), start=1):
        include = _INCLUDE.fullmatch(text)
        if include:
            yield from _included(include["path"], Line(text, template, number), read, (*within, template))
        elif _ANY_INCLUDE.search(text):
            what = '<mj-include path="…" /> must stand alone on its line, with nothing but a path'
            raise RenderError(what, template=template, line=number)
        else:
            yield Line(text, template, number)


def _included(path: str, at: Line, read: Read, within: tuple[str, ...]) -> Iterator[Line]:
    name = posixpath.normpath(posixpath.join(posixpath.dirname(at.template), path))
    problem = ""
    if path.startswith("/") or name.startswith("../"):
        problem = f"{path} is outside the templates"
    elif name in within:
        problem = f"{path} includes itself"
    elif len(within) > _DEEPEST:
        problem = f"{path} is included too deep"
    if problem:
        raise RenderError(problem, template=at.template, line=at.number)
    try:
        yield from _expanded(name, read, within)
    except TemplateNotFound as missing:
        raise RenderError(f"there is no template {missing}", template=at.template, line=at.number) from missing


def _check_jinja(environment: Environment, source: str, template: str) -> None:
    """Each file by itself must be whole: what it opens it closes."""
    try:
        environment.parse(source, template)
    except TemplateSyntaxError as mistake:
        raise RenderError(mistake.message or "", template=template, line=mistake.lineno) from mistake


def _place(lines: Sequence[Line], number: int) -> tuple[str, int]:
    return (lines[number - 1].template, lines[number - 1].number) if 0 < number <= len(lines) else ("", 0)


def _mark(source: str, tag: re.Match[str]) -> str:
    return f"{{#@{_line(source, tag.start())}#}}"


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _line_of(source: str, problem: BaseException) -> int:
    """Where the tag stands that the engine does not know; it gives its name alone."""
    name = str(problem.args[0]) if isinstance(problem, KeyError) and problem.args else ""
    found = source.find(f"<{name}") if name else -1
    return _line(source, found) if found >= 0 else 0
