from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.errors import RenderError
from newsletter.render.environment import Templates, bundled_templates

_PAGE = "<mjml><mj-body><mj-section><mj-column><mj-text>\n{}\n</mj-text></mj-column></mj-section></mj-body></mjml>"


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_bundled_templates_are_found() -> None:
    """The theme that comes with the package is among the bundled templates."""
    assert (bundled_templates() / "email" / "papers" / "issue.mjml.j2").is_file()


def test_an_earlier_folder_wins(tmp_path: Path) -> None:
    """A template of the operator's folder stands for the one of that name in a later folder; others are still found."""
    _write(tmp_path / "own", "a.txt.j2", "own")
    _write(tmp_path / "late", "a.txt.j2", "late")
    _write(tmp_path / "late", "b.txt.j2", "late b")
    templates = Templates([tmp_path / "own", tmp_path / "late"])
    assert [templates.render(name, {}) for name in ("a.txt.j2", "b.txt.j2")] == ["own", "late b"]


def test_html_is_escaped_and_text_is_not(tmp_path: Path) -> None:
    """Values are escaped in every template but plain text."""
    for name in ("a.html.j2", "a.txt.j2"):
        _write(tmp_path, name, "{{ x }}")
    _write(tmp_path, "a.mjml.j2", _PAGE.format("{{ x }}"))
    templates = Templates([tmp_path])
    escaped = "&lt;b&gt; &#34;&#39;&amp;"
    assert templates.render("a.html.j2", {"x": "<b> \"'&"}) == escaped
    assert escaped in templates.render("a.mjml.j2", {"x": "<b> \"'&"})
    assert templates.render("a.txt.j2", {"x": "<b> \"'&"}) == "<b> \"'&"


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """An operator who edits a template sees the change in the next issue."""
    path = _write(tmp_path, "a.mjml.j2", _PAGE.format("before"))
    templates = Templates([tmp_path])
    assert "before" in templates.render("a.mjml.j2", {})
    path.write_text(_PAGE.format("after"))
    os.utime(path, (1, 1))
    assert "after" in templates.render("a.mjml.j2", {})


@pytest.mark.parametrize("name", ["part.txt.j2", "part.mjml.j2"])
def test_a_template_of_ones_own_is_seen_when_it_comes(tmp_path: Path, name: str) -> None:
    """An operator who puts a file beside a running daemon need not start it anew; nor when it goes again."""
    whole = "a" + name.removeprefix("part")
    include = '<mj-include path="part.mjml.j2" />' if "mjml" in name else "{% include 'part.txt.j2' %}"
    text = "<mj-text>{}</mj-text>" if "mjml" in name else "{}"
    page = _PAGE.replace("<mj-text>\n{}\n</mj-text>", "\n{}\n") if "mjml" in name else "{}"
    _write(tmp_path / "late", whole, page.format(include))
    _write(tmp_path / "late", name, text.format("bundled"))
    templates = Templates([tmp_path / "own", tmp_path / "late"])
    assert "bundled" in templates.render(whole, {})
    own = _write(tmp_path / "own", name, text.format("my own"))
    assert "my own" in templates.render(whole, {})
    own.unlink()
    assert "bundled" in templates.render(whole, {})


@pytest.mark.parametrize("name", ["a.html.j2", "a.mjml.j2", "a.txt.j2"])
@pytest.mark.parametrize(
    ("tag", "word"),
    [
        ("{{ absent }}", "absent"),
        ("{{ known.absent }}", "absent"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ 1|nofilter }}", "nofilter"),
        ("{% endfor %}", "endfor"),
        ("{{ 'a' * }}", "unexpected"),
        ("{{ known.__class__.__mro__ }}", "__class__"),
        ("{{ numbers.append(1) }}", "append"),
        ("{{ range(1000000) }}", "range"),
    ],
)
def test_errors_name_template_and_line(tmp_path: Path, name: str, tag: str, word: str) -> None:
    """Whatever is wrong in a template, and whatever the sandbox forbids, is told with its name and its own line."""
    text = f"\n\n{tag}\nend\n"
    _write(tmp_path, name, _PAGE.format(text) if name == "a.mjml.j2" else f"\n{text}")
    with pytest.raises(RenderError) as caught:
        Templates([tmp_path]).render(name, {"known": "x", "numbers": [1]})
    assert (caught.value.template, caught.value.line) == (name, 4)
    assert word in str(caught.value)


def test_errors_in_an_included_template_name_that_one(tmp_path: Path) -> None:
    """The line is one of the file the mistake stands in, also when another included it."""
    _write(tmp_path, "a.mjml.j2", _PAGE.format("{% include 'part.html.j2' %}"))
    _write(tmp_path, "part.html.j2", "\n{{ absent }}")
    with pytest.raises(RenderError) as caught:
        Templates([tmp_path]).render("a.mjml.j2", {})
    assert (caught.value.template, caught.value.line) == ("part.html.j2", 2)


@pytest.mark.parametrize("name", ["none.txt.j2", "../secret.txt", "/etc/hostname"])
def test_templates_come_from_the_folders_alone(tmp_path: Path, name: str) -> None:
    """A name that is in none of the folders, or leads out of them, is no template."""
    _write(tmp_path, "secret.txt", "secret")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RenderError, match="no such template"):
        Templates([tmp_path / "folder"]).render(name, {})
