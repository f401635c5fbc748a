"""What the documents say is compared with the code. UPDATE_GOLDEN=1 writes the compared blocks anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

import newsletter
from newsletter.app import load_plugins
from newsletter.cli import COMMANDS, cli
from newsletter.config import PREFIX, SETTINGS
from newsletter.render.context import Context
from newsletter.render.letter import LetterContext

CHECKOUT = Path(__file__).parents[1]
TYPES = {str: "text", int: "number", bool: "true or false", tuple: "list"}


def settings_block() -> str:
    """A row for each setting."""
    rows = [
        f"| `{PREFIX}{name}` | {f'`{setting.default}`' if setting.default else ''} | {'yes' if setting.secret else ''} "
        f"| {setting.help} |"
        for name, setting in SETTINGS.items()
    ]
    return "\n".join(["| variable | default | `_FILE` | meaning |", "|---|---|---|---|", *rows])


def kinds_block() -> str:
    """A row for each option of each kind of source."""
    rows = [
        f"| `{kind}` | `{name}` | {TYPES[option.type]}{', required' if option.required else ''} | {option.help} |"
        for kind, reader in load_plugins().source_kinds.items()
        for name, option in reader.options.items()
    ]
    return "\n".join(["| kind | key | type | meaning |", "|---|---|---|---|", *rows])


def context_block() -> str:
    """A row for each variable of a theme's templates."""
    return _variables(Context)


def letter_block() -> str:
    """A row for each variable of a letter's templates."""
    return _variables(LetterContext)


def _variables(context: type[Context | LetterContext]) -> str:
    rows = [f"| `{field.name}` | {field.metadata['help']} |" for field in fields(context)]
    return "\n".join(["| name | what it is |", "|---|---|", *rows])


def commands_block() -> str:
    """The help of each command."""
    return "\n\n".join(_helps())


def _helps() -> Iterator[str]:
    root = click.Context(cli, info_name="newsletter", terminal_width=100, **cli.context_settings)
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        yield f"## {name}"
        yield from _help(command, name, root)


def _help(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent, terminal_width=100)
    yield f"```\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from _help(found, inner, context)


@pytest.mark.parametrize(
    ("document", "name", "block"),
    [
        ("settings.md", "settings", settings_block),
        ("schedules.md", "kinds", kinds_block),
        ("templates.md", "context", context_block),
        ("templates.md", "letter", letter_block),
        ("commands.md", "commands", commands_block),
    ],
)
def test_documents_say_what_the_code_does(document: str, name: str, block: object) -> None:
    """Settings, options, variables and commands stand in the documents exactly as they are in the code."""
    assert callable(block)
    path = CHECKOUT / "docs" / document
    written = path.read_text("utf-8")
    begin, end = f"<!-- begin {name} -->\n", f"\n<!-- end {name} -->"
    pattern = re.escape(begin.rstrip()) + r".*?" + re.escape(end.strip())
    expected = re.sub(pattern, lambda _: begin + "\n" + block() + "\n" + end, written, flags=re.DOTALL)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(expected, encoding="utf-8")

    assert path.read_text("utf-8") == expected


def test_links_between_documents_lead_somewhere() -> None:
    """Every relative link in a document names a file that is there."""
    dead = [
        f"{path.name}: {link}"
        for path in (*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"))
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text("utf-8"))
        if not (path.parent / link).exists()
    ]

    assert dead == []


def test_the_picture_is_small_enough() -> None:
    """A reader of the README waits for no picture."""
    picture = CHECKOUT / "docs" / "images" / "issue.png"

    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000


def test_the_version_has_its_place_in_the_changelog() -> None:
    """A release is described before it is made; until then what is new stands under Unreleased."""
    changes = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")

    assert "## Unreleased" in changes or f"## {newsletter.__version__}" in changes


def test_decisions_are_short_and_whole() -> None:
    """A decision says its context, the decision and its consequence in at most 40 lines."""
    for path in (CHECKOUT / "docs" / "decisions").glob("*.md"):
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 40, path.name
        assert [line for line in text.splitlines() if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequence",
        ], path.name
