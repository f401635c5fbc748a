"""Jinja2 over the template folders: sandboxed, strict about names, escaping everything that goes into HTML."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.errors import RenderError
from newsletter.render import plain, words
from newsletter.render.mjml import SUFFIX, MjmlLoader, source_line

FILTERS = {
    "clip": words.clip,
    "compact": words.compact,
    "counted": words.counted,
    "elsewhere": words.elsewhere,
    "full_date": words.full_date,
    "host": words.host,
    "label": words.label,
    "names": words.names,
    "sentences": words.sentences,
    "signals": words.signals,
    "underline": plain.underline,
    "wrap": plain.wrap,
}


def bundled_templates() -> Path:
    """The folder of the templates that come with the newsletter: in the installed package, else in the checkout."""
    package = Path(str(files("newsletter")))
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


class Templates:
    """The templates of several folders, an earlier folder's before those of a later one.

    What is compiled is kept; a file that changes is read again. Names ending in `.txt.j2` are plain text, all others
    HTML, which is escaped.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._loader = MjmlLoader([path.resolve() for path in folders])
        self._environment = ImmutableSandboxedEnvironment(
            loader=self._loader,
            autoescape=lambda name: not (name or "").endswith(".txt.j2"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters.update(FILTERS)

    def render(self, template: str, variables: Mapping[str, object]) -> str:
        """The template filled, once. RenderError names the template and its line, whatever went wrong in it."""
        try:
            return self._environment.get_template(template).render(variables)
        except RenderError:
            raise
        except TemplateNotFound as missing:
            raise RenderError("there is no such template", template=str(missing)) from missing
        except TemplateSyntaxError as mistake:
            raise self._error(mistake, mistake.name or template, mistake.lineno) from mistake
        except Exception as mistake:
            name, line = self._place(mistake)
            raise self._error(mistake, name or template, line) from mistake

    def _place(self, mistake: Exception) -> tuple[str, int]:
        """The innermost template in the traceback, where Jinja puts its files, and the line in it."""
        for frame in reversed(traceback.extract_tb(mistake.__traceback__)):
            if name := self._loader.name_of(frame.filename):
                return name, frame.lineno or 0
        return "", 0

    def _error(self, mistake: Exception, template: str, line: int) -> RenderError:
        if template.endswith(SUFFIX):
            line = source_line(self._loader.get_source(self._environment, template)[0], line)
        kind = "" if isinstance(mistake, TemplateError) else f"{type(mistake).__name__}: "
        return RenderError(f"{kind}{mistake}", template=template, line=line)
