"""The bundled themes, with pictures and without: nothing is wrong with them."""

from __future__ import annotations

import dataclasses

import pytest

from newsletter.model import Newsletter, Token
from newsletter.render.environment import bundled_templates
from newsletter.render.issue import Render
from newsletter.render.lint import lint_mail, lint_template
from newsletter.render.lint.samples import SAMPLES

TEMPLATES = bundled_templates()
WHOLE = sorted(
    path.relative_to(TEMPLATES).as_posix()
    for path in TEMPLATES.glob("email/*/*.mjml.j2")
    if path.read_text("utf-8").startswith("<mjml")  # the others are included
)
THEMES = [template.split("/")[1] for template in WHOLE if template.endswith("/issue.mjml.j2")]


@pytest.mark.parametrize("template", WHOLE)
def test_sources(template: str) -> None:
    """The MJML of themes and letters is as the rules ask for."""

    def read(name: str) -> str:
        return (TEMPLATES / name).read_text("utf-8")

    assert [str(finding) for finding in lint_template(template, read)] == []


@pytest.mark.parametrize("images", [False, True], ids=["without", "with"])
@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("theme", THEMES)
def test_mails(
    theme: str, sample: str, *, images: bool, render: Render, newsletter: Newsletter, tokens: dict[Token, str]
) -> None:
    """Every sample in every theme has neither errors nor warnings."""
    newsletter = dataclasses.replace(newsletter, theme=theme, images=images)
    issue = SAMPLES[sample](newsletter)
    html, text = render.preview(render.issue(issue, newsletter=newsletter), tokens)

    found = lint_mail(html, text, preheader=issue.preheader, path=sample)

    assert [str(finding) for finding in found] == []


def test_samples_have_pictures(render: Render, newsletter: Newsletter, tokens: dict[Token, str]) -> None:
    """The ordinary sample shows a picture with each of its eight stories that has one, so that these are looked at."""
    newsletter = dataclasses.replace(newsletter, theme="papers", images=True)
    html, _ = render.preview(render.issue(SAMPLES["ordinary"](newsletter), newsletter=newsletter), tokens)

    assert html.count("<img ") == 8
