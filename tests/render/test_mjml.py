from __future__ import annotations

import pytest
from jinja2 import TemplateNotFound

from newsletter.errors import RenderError
from newsletter.render.environment import Templates, bundled_templates
from newsletter.render.mjml import Compiled, compile_mjml, expand

_PAGE = "<mjml>\n<mj-body>\n<mj-section><mj-column>\n{}\n</mj-column></mj-section>\n</mj-body>\n</mjml>\n"


def _compiled(source: str, **others: str) -> Compiled:
    """A template `t.mjml.j2` compiled; `others` are templates beside it, by the first part of their names."""
    files = {"t.mjml.j2": source, **{f"{name}.mjml.j2": text for name, text in others.items()}}

    def read(name: str) -> str:
        if name not in files:
            raise TemplateNotFound(name)
        return files[name]

    return compile_mjml(expand("t.mjml.j2", read), "t.mjml.j2")


def test_jinja_survives() -> None:
    """Expressions in text and attributes, and statements in mj-raw, are in the compiled template as they were."""
    body = (
        "<mj-raw>{% for x in xs %}</mj-raw>\n"
        '<mj-text><a href="{{ x.url }}">{{ x.title|upper }}</a></mj-text>\n'
        "<mj-raw>{% endfor %}</mj-raw>"
    )
    html = _compiled(_PAGE.format(body)).html
    places = [html.index(tag) for tag in ("{% for x in xs %}", "{{ x.url }}", "{{ x.title|upper }}", "{% endfor %}")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("body", "line", "word"),
    [
        ("<mj-text>\n{% if n > 3 %}many{% endif %}</mj-text>", 5, "{% if n > 3 %}"),
        ("{% if n %}\n<mj-text>x</mj-text>\n{% endif %}", 4, "{% if n %}"),
        ("<mj-text>x</mj-text>\n<mj-txt>y</mj-txt>", 5, "mj-txt"),
    ],
)
def test_what_the_engine_would_spoil_is_an_error(body: str, line: int, word: str) -> None:
    """Statements that MJML loses or escapes, unknown tags and includes are refused, with the line they stand in."""
    with pytest.raises(RenderError) as caught:
        _compiled(_PAGE.format(body))
    assert (caught.value.template, caught.value.line) == ("t.mjml.j2", line)
    assert word in str(caught.value)


@pytest.mark.parametrize("source", ["", "text", "<mjml></mjml>", "<mjml><mj-body>" + "<b>" * 1500])
def test_what_is_not_mjml_is_an_error(source: str) -> None:
    """Broken MJML is a RenderError that names the template, whatever the engine raises."""
    with pytest.raises(RenderError, match=r"t\.mjml\.j2"):
        _compiled(source)


def test_comments_and_raw_blocks_are_left_alone() -> None:
    """A Jinja comment may hold tags, and a raw block shows them."""
    html = _compiled(_PAGE.format("<mj-text>{# {{ no }} #}{% raw %}{{ shown }}{% endraw %}</mj-text>")).html
    assert "{% raw %}{{ shown }}{% endraw %}" in html
    assert "{# {{ no }} #}" in html


def test_lines_lead_back_to_the_source() -> None:
    """A line of the compiled template is told as the line of the source its Jinja tag stands in."""
    compiled = _compiled(_PAGE.format("<mj-text>\n\n{{ here }}\n</mj-text>"))
    line = next(number for number, text in enumerate(compiled.html.split("\n"), 1) if "{{ here }}" in text)
    assert compiled.origin(line) == ("t.mjml.j2", 6)
    assert compiled.origin(line + 3) == ("t.mjml.j2", 6)
    assert compiled.origin(1) == ("", 0)


def test_of_several_tags_on_a_line_the_one_that_is_meant() -> None:
    """What an attribute brought onto the line of the text is told from the text."""
    compiled = _compiled(_PAGE.format('<mj-text align="{{ start }}">\n{{ nothing }}</mj-text>'))
    line = next(number for number, text in enumerate(compiled.html.split("\n"), 1) if "{{ nothing }}" in text)
    assert compiled.origin(line, "'nothing' is undefined") == ("t.mjml.j2", 5)


def test_includes_stand_in_their_place() -> None:
    """A template of another file is taken in whole, wherever it stands, and lines are told as those of that file."""
    body = '<mj-include path="card.mjml.j2" />\n<mj-text>{{ after }}</mj-text>'
    card = '<mj-text>\n<p>\n<mj-include path="./name.mjml.j2" />\n</p></mj-text>\n'
    compiled = _compiled(_PAGE.format(body), card=card, name="\n{{ name }}\n")
    assert compiled.html.index("{{ name }}") < compiled.html.index("{{ after }}")
    places = {
        name: compiled.origin(number)
        for number, text in enumerate(compiled.html.split("\n"), 1)
        for name in ("name", "after")
        if f"{{{{ {name} }}}}" in text
    }
    assert places == {"name": ("name.mjml.j2", 2), "after": ("t.mjml.j2", 5)}


@pytest.mark.parametrize(
    ("include", "word"),
    [
        ('<mj-include path="/etc/hostname" />', "outside the templates"),
        ('<mj-include path="../secret.mjml.j2" />', "outside the templates"),
        ('<mj-include path="none.mjml.j2" />', "no template none.mjml.j2"),
        ('<mj-include path="t.mjml.j2" />', "includes itself"),
        ('<mj-include path="a.mjml.j2" type="html" />', "alone on its line"),
        ('<mj-text>x</mj-text><mj-include path="a.mjml.j2" />', "alone on its line"),
        ('<MJ-INCLUDE path="a.mjml.j2" />', "alone on its line"),
    ],
)
def test_includes_stay_among_the_templates(include: str, word: str) -> None:
    """What is no template of the folders, or runs in a circle, is refused with its line and never opened."""
    with pytest.raises(RenderError, match=word) as caught:
        _compiled(_PAGE.format(f"<mj-text>x</mj-text>\n{include}"), a="<mj-text>a</mj-text>")
    assert (caught.value.template, caught.value.line) == ("t.mjml.j2", 5)


def test_a_chain_of_includes_ends() -> None:
    """However it is tied."""
    others = {f"n{number}": f'<mj-include path="n{number + 1}.mjml.j2" />' for number in range(20)}
    with pytest.raises(RenderError, match="too deep"):
        _compiled('<mj-include path="n0.mjml.j2" />', **others)


def test_indentation_is_not_sent() -> None:
    """No line of compiled HTML begins with a space: half of what the engine writes would be indentation."""
    html = Templates([bundled_templates()]).source("email/papers/issue.mjml.j2")
    assert not [line for line in html.split("\n") if line.startswith((" ", "\t"))]
