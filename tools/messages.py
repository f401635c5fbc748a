# ruff: noqa: INP001, T201 - a script that prints
"""Takes new words of code and templates into the catalogues: `python tools/messages.py`, or `make messages`.

What is new comes without a translation, what is gone goes; what is translated stays as it is.
"""

from __future__ import annotations

import io
import re
import tomllib
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = ROOT / "newsletter" / "locale"
# What a tool writes beside the language, its plurals and the encoding says nothing about the words.
_NOISE = re.compile(
    r'^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    r"|Generated-By):.*\n",
    re.MULTILINE,
)


def messages() -> Catalog:
    """Everything that code and templates say to readers."""
    catalog = Catalog()
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in configured]
    for _, _, message, _, _ in extract_from_dir(ROOT, method_map=methods, directory_filter=_is_ours):
        catalog.add(message)
    return catalog


def main() -> None:
    """Bring every catalogue up to date, and say what is left to translate."""
    template = messages()
    for path in sorted(CATALOGUES.glob("*/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.parts[-3])
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        written = io.BytesIO()
        write_po(written, catalog, sort_output=True, width=100, omit_header=False)
        path.write_text(_NOISE.sub("", written.getvalue().decode()), encoding="utf-8")
        missing = sum(not any(message.string or ()) for message in catalog if message.id)
        print(f"{path.relative_to(ROOT)}: {len(catalog)} messages, {missing} to translate")


def _is_ours(folder: str) -> bool:
    path = Path(folder).relative_to(ROOT)
    return not path.parts or path.parts[0] in {"newsletter", "templates"}


if __name__ == "__main__":
    main()
