"""Every folder of tests/data/lint is a case; UPDATE_GOLDEN=1 writes its expected findings anew.

issue.mjml.j2, others     a theme's source; npm.json is what npm's mjml says of it, by tools/mjml_oracle.mjs
page.html                 a page
page.txt, preheader.txt   its text part, and how that must begin
expected.txt              a line for each finding: its rule and place
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from newsletter.render.lint import Finding, lint_mail, lint_page, lint_template
from newsletter.render.lint.rules import RULES

CASES = Path(__file__).parents[2] / "data" / "lint"
NAMES = sorted(path.name for path in CASES.iterdir())
COMPARED = sorted(
    path.parent.name for path in CASES.glob("*/issue.mjml.j2") if "<mj-include" not in path.read_text("utf-8")
)
# Rules about more than one mail, about programs beside it, or about more bytes than a case should have.
ELSEWHERE = {"css-size", "dead-link", "html-nearly-full", "html-size", "render", "spam-score"}
# How npm's mjml says what breaks our rules.
WORDS = {
    "doesn't exist or is not registered": "mjml-tag",
    "cannot be used inside": "mjml-parent",
    "illegal": "mjml-attribute",
    "has invalid value": "mjml-value",
}


def findings(case: Path) -> tuple[Finding, ...]:
    """What is found in a case."""
    if (case / "issue.mjml.j2").exists():

        def read(name: str) -> str:
            path = case / name
            if not path.is_file():
                raise LookupError(name)
            return path.read_text("utf-8")

        return lint_template("issue.mjml.j2", read)
    page = _exactly(case / "page.html")
    if (case / "page.txt").exists():
        preheader = (case / "preheader.txt").read_text("utf-8").strip()
        return lint_mail(page, _exactly(case / "page.txt"), preheader=preheader, path="page")
    return lint_page(page, path="page.html")


def _exactly(path: Path) -> str:
    return path.read_bytes().decode()


def told(found: tuple[Finding, ...]) -> str:
    """The rules and places, a line each."""
    return "".join(f"{finding.rule} {finding.path}:{finding.line}\n" for finding in found)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wrong_is_found_where_it_is(name: str) -> None:
    """Each case has exactly the findings it expects."""
    found = told(findings(CASES / name))
    expected = CASES / name / "expected.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(found, encoding="utf-8")

    assert found == expected.read_text("utf-8")


@pytest.mark.parametrize("name", COMPARED)
def test_mjml_itself_says_the_same(name: str) -> None:
    """The strict mode of npm's mjml finds the same tags, parents, attributes and values wrong, in the same lines.

    Where Jinja fills in a value from a list, npm cannot know, and says that it is none of the list. It does not look at
    the attributes of the outermost tag.
    """
    oracle = json.loads((CASES / name / "npm.json").read_text("utf-8"))
    source = (CASES / name / "issue.mjml.j2").read_bytes()
    theirs = {
        (next(rule for words, rule in WORDS.items() if words in one["message"]), one["line"])
        for one in oracle["found"]
        if "{{" not in one["message"]
    }
    ours = {
        (finding.rule, finding.line)
        for finding in findings(CASES / name)
        if finding.rule in WORDS.values() and not re.search("Jinja|^mjml has", finding.what)
    }

    assert oracle["sha256"] == hashlib.sha256(source).hexdigest(), "run node tools/mjml_oracle.mjs"
    assert ours == theirs


def test_every_rule_has_a_case() -> None:
    """A rule that no case breaks could be broken itself."""
    broken = {line.split()[0] for name in NAMES for line in (CASES / name / "expected.txt").read_text().splitlines()}

    assert broken | ELSEWHERE == set(RULES)


def test_there_are_cases_without_findings() -> None:
    """Good sources, pages and texts have none."""
    good = {name for name in NAMES if not (CASES / name / "expected.txt").read_text()}

    assert good >= {"include-good", "mjml-good", "mjml-jinja-in-its-place", "page-good", "text-good"}
