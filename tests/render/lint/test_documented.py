"""docs/check.md says of each rule what the code says. UPDATE_GOLDEN=1 writes its lists anew."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import newsletter
from newsletter.render.lint.rules import RULES
from newsletter.render.lint.support import ACCEPTED
from newsletter.render.lint.tables import features

DOCUMENT = Path(newsletter.__file__).parents[1] / "docs" / "check.md"
DATA = Path(newsletter.__file__).parent / "render" / "lint" / "data"


def rules() -> str:
    """A row for each rule."""
    rows = [f"| `{name}` | {rule.severity} | {_cell(rule.why)} | {_cell(rule.mend)} |" for name, rule in RULES.items()]
    return "\n".join(["| rule | | why | how to mend |", "|---|---|---|---|", *rows])


def accepted() -> str:
    """A row for each feature that may be used although a client lacks it."""
    by_slug = {feature.slug: feature for feature in features()}
    rows = [f"| {by_slug[slug].title} | `{slug}` | {reason} |" for slug, reason in ACCEPTED.items()]
    return "\n".join(["| feature | name | where it is missing |", "|---|---|---|", *rows])


def clients() -> str:
    """The default list."""
    table = json.loads((DATA / "clients.json").read_text("utf-8"))
    return f"{', '.join(table['clients'])} (data of {table['date']})."


def _cell(text: str) -> str:
    """Text in a table: what looks like markup is shown as it is."""
    return re.sub(r"(<[^ >][^>]*>|\{[{%].*?[%}]\})", r"`\1`", text).replace("|", "\\|")


@pytest.mark.parametrize("block", [rules, accepted, clients])
def test_the_document_says_what_the_code_does(block: Callable[[], str]) -> None:
    """Every rule, accepted feature and client stands in docs/check.md exactly as it is in the code."""
    written = DOCUMENT.read_text("utf-8")
    begin, end = f"<!-- begin {block.__name__} -->", f"<!-- end {block.__name__} -->"
    pattern = re.escape(begin) + r".*?" + re.escape(end)
    expected, count = re.subn(pattern, lambda _: f"{begin}\n\n{block()}\n\n{end}", written, flags=re.DOTALL)
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(expected, encoding="utf-8")

    assert count == 1
    assert DOCUMENT.read_text("utf-8") == expected


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json")), ids=lambda path: path.stem)
def test_data_name_their_source_and_licence(path: Path) -> None:
    """A table from elsewhere says where it is from, under which licence, and which version it is."""
    table = json.loads(path.read_text("utf-8"))

    assert table["source"]
    assert table["licence"]
    assert path.stem == "colours" or table.get("version") or table.get("date")
