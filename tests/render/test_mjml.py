from __future__ import annotations

import pytest

from newsletter.errors import RenderError
from newsletter.render.environment import bundled_templates
from newsletter.render.mjml import compile_mjml, source_line

_PAGE = "<mjml>\n<mj-body>\n<mj-section><mj-column>\n{}\n</mj-column></mj-section>\n</mj-body>\n</mjml>\n"


def test_jinja_survives() -> None:
    """Expressions in text and attributes, and statements in mj-raw, are in the compiled template as they were."""
    body = (
        "<mj-raw>{% for x in xs %}</mj-raw>\n"
        '<mj-text><a href="{{ x.url }}">{{ x.title|upper }}</a></mj-text>\n'
        "<mj-raw>{% endfor %}</mj-raw>"
    )
    html = compile_mjml(_PAGE.format(body), "t.mjml.j2")
    places = [html.index(tag) for tag in ("{% for x in xs %}", "{{ x.url }}", "{{ x.title|upper }}", "{% endfor %}")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("body", "line", "word"),
    [
        ("<mj-text>\n{% if n > 3 %}many{% endif %}</mj-text>", 5, "{% if n > 3 %}"),
        ("{% if n %}\n<mj-text>x</mj-text>\n{% endif %}", 4, "{% if n %}"),
        ("<mj-text>x</mj-text>\n<mj-txt>y</mj-txt>", 5, "mj-txt"),
        ('<mj-text>\nx</mj-text>\n<mj-include path="/etc/hostname" />', 6, "mj-include"),
    ],
)
def test_what_the_engine_would_spoil_is_an_error(body: str, line: int, word: str) -> None:
    """Statements that MJML loses or escapes, unknown tags and includes are refused, with the line they stand in."""
    with pytest.raises(RenderError) as caught:
        compile_mjml(_PAGE.format(body), "t.mjml.j2")
    assert (caught.value.template, caught.value.line) == ("t.mjml.j2", line)
    assert word in str(caught.value)


@pytest.mark.parametrize("source", ["", "text", "<mjml></mjml>", "<mjml><mj-body>" + "<b>" * 1500])
def test_what_is_not_mjml_is_an_error(source: str) -> None:
    """Broken MJML is a RenderError that names the template, whatever the engine raises."""
    with pytest.raises(RenderError, match=r"t\.mjml\.j2"):
        compile_mjml(source, "t.mjml.j2")


def test_comments_and_raw_blocks_are_left_alone() -> None:
    """A Jinja comment may hold tags, and a raw block shows them."""
    html = compile_mjml(_PAGE.format("<mj-text>{# {{ no }} #}{% raw %}{{ shown }}{% endraw %}</mj-text>"), "t.mjml.j2")
    assert "{% raw %}{{ shown }}{% endraw %}" in html
    assert "{# {{ no }} #}" in html


def test_lines_lead_back_to_the_source() -> None:
    """A line of the compiled template is told as the line of the source its Jinja tag stands in."""
    html = compile_mjml(_PAGE.format("<mj-text>\n\n{{ here }}\n</mj-text>"), "t.mjml.j2")
    line = next(number for number, text in enumerate(html.split("\n"), 1) if "{{ here }}" in text)
    assert source_line(html, line) == 6
    assert source_line(html, line + 3) == 6
    assert source_line("no marks", 1) == 0


def test_indentation_is_not_sent() -> None:
    """No line of compiled HTML begins with a space: half of what the engine writes would be indentation."""
    source = (bundled_templates() / "email/papers/issue.mjml.j2").read_text()
    html = compile_mjml(source, "issue.mjml.j2")
    assert not [line for line in html.split("\n") if line.startswith((" ", "\t"))]
