"""Jinja2 over the template folders: sandboxed, strict about names, escaping everything that goes into HTML."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError, Undefined
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.errors import RenderError
from newsletter.language import ENGLISH, Language
from newsletter.permalinks import permalink
from newsletter.render import phrases, plain, words
from newsletter.render.mjml import SUFFIX, MjmlLoader

FILTERS: Mapping[str, Callable[..., Any]] = {
    "clip": words.clip,
    "elsewhere": words.elsewhere,
    "host": words.host,
    "sentences": words.sentences,
    "underline": plain.underline,
    "wrap": plain.wrap,
}
# Those that say something in the language, which is their first argument.
PHRASES: Mapping[str, Callable[..., str]] = {
    "compact": Language.compact,
    "counted": phrases.counted,
    "full_date": Language.full_date,
    "label": phrases.label,
    "liked": phrases.liked,
    "more_counted": phrases.more_counted,
    "month": Language.month,
    "more_in": phrases.more_in,
    "names": phrases.names,
    "number": Language.number,
    "short_date": Language.short_date,
    "signals": phrases.signals,
}


def bundled_templates() -> Path:
    """The folder of the templates that come with the newsletter: in the installed package, else in the checkout."""
    package = Path(str(files("newsletter")))
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's, which looks anew at every attribute; a field of a dataclass that was harmless once is so always."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._harmless: set[tuple[type, str]] = set()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What `obj.attribute` is in a template (called by what Jinja compiles)."""
        kind = type(obj)
        if (kind, attribute) in self._harmless:
            return getattr(obj, attribute)
        value = super().getattr(obj, attribute)
        if is_dataclass(kind) and attribute in kind.__dataclass_fields__ and not isinstance(value, Undefined):
            self._harmless.add((kind, attribute))
        return value


class _Bytecode(BytecodeCache):
    """What templates were compiled to, by their files; Jinja compares the text and forgets what it was before."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what is kept, if anything (called by Jinja)."""
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it (called by Jinja)."""
        self._compiled[bucket.key] = bucket.bytecode_to_string()


@cache
def _bytecode(_language: Language) -> _Bytecode:
    """One for all `Templates` of this process; for each language, since Jinja runs filters of constants beforehand."""
    return _Bytecode()


class Templates:
    """The templates of several folders, an earlier folder's before those of a later one.

    What is compiled is kept; a file that changes is read again. Names ending in `.txt.j2` are plain text, all others
    HTML, which is escaped.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._loader = MjmlLoader([str(path.resolve()) for path in folders])
        self._environments: dict[Language, Sandbox] = {}

    def render(self, template: str, variables: Mapping[str, object], *, language: Language = ENGLISH) -> str:
        """The template filled, once. RenderError names the template and its line, whatever went wrong in it."""
        try:
            return self._environment(language).get_template(template).render(variables)
        except RenderError:
            raise
        except TemplateNotFound as missing:
            raise RenderError("there is no such template", template=str(missing)) from missing
        except TemplateSyntaxError as mistake:
            raise self._error(mistake, mistake.name or template, mistake.lineno) from mistake
        except Exception as mistake:
            name, line = self._place(mistake)
            raise self._error(mistake, name or template, line) from mistake

    def source(self, template: str) -> str:
        """What Jinja gets: of MJML the compiled HTML. RenderError as from `render`."""
        try:
            return self._loader.get_source(self._environment(ENGLISH), template)[0]
        except TemplateNotFound as missing:
            raise RenderError("there is no such template", template=str(missing)) from missing

    def _environment(self, language: Language) -> Sandbox:
        """One for each language: its filters and `_` speak it."""
        if language not in self._environments:
            environment = Sandbox(
                loader=self._loader,
                autoescape=lambda name: not (name or "").endswith(".txt.j2"),
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
                keep_trailing_newline=True,
                bytecode_cache=_bytecode(language),
            )
            environment.filters |= FILTERS
            environment.filters["permalink"] = permalink
            environment.filters |= {name: partial(phrase, language) for name, phrase in PHRASES.items()}
            environment.globals["_"] = language.gettext
            self._environments[language] = environment
        return self._environments[language]

    def _place(self, mistake: Exception) -> tuple[str, int]:
        """The innermost template in the traceback, where Jinja puts its files, and the line in it."""
        for frame in reversed(traceback.extract_tb(mistake.__traceback__)):
            if name := self._loader.name_of(frame.filename):
                return name, frame.lineno or 0
        return "", 0

    def _error(self, mistake: Exception, template: str, line: int) -> RenderError:
        if template.endswith(SUFFIX):
            name, line = self._loader.origin(template, line, str(mistake))
            template = name or template
        kind = "" if isinstance(mistake, TemplateError) else f"{type(mistake).__name__}: "
        return RenderError(f"{kind}{mistake}", template=template, line=line)
