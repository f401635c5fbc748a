from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import entry_points
from pathlib import Path

import newsletter
from newsletter.app import load_plugins

PACKAGE = Path(newsletter.__file__).parent
ROOMS = ("cli", "demo", "mail", "preview", "render", "schedule", "sources", "store", "topics", "web")
DISTRIBUTIONS = {
    "argon2": "argon2-cffi",
    "dns": "dnspython",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "dotenv": "python-dotenv",
}
# Used without being imported: a decoder that aiohttp finds, the zones that zoneinfo finds.
INDIRECT = {"brotli", "tzdata"}
SHARED = {"uvloop"}  # the loop of both asyncio islands, where it is installed


def imports() -> dict[str, set[str]]:
    """Third-party packages, and the modules (or rooms) that import each."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in {name.partition(".")[0] for name in names}:
                if name not in sys.stdlib_module_names and name != "newsletter":
                    found[name].add(place)
    return found


def test_each_library_has_one_door() -> None:
    """A third-party library is imported in one module, or one room: to replace it is to change one place."""
    spread = {name: places for name, places in imports().items() if len(places) > 1 and name not in SHARED}

    assert spread == {}


def test_each_library_is_declared() -> None:
    """What is imported is named in pyproject.toml, and what is named there is imported."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = {re.split(r"[^\w-]", line)[0].lower() for line in project["dependencies"]}
    shipped = extras["fast"] + extras["postgres"] + extras["semantic"]
    optional = {re.split(r"[^\w-]", line)[0].lower() for line in shipped}
    used = {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in imports()}

    assert used - named - optional == set()
    assert named - used - INDIRECT == set()


def test_every_room_says_what_it_is_for() -> None:
    """The first thing in each module is a sentence about it."""
    silent = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if len(ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "") < 20
    ]

    assert silent == []


def test_rooms_are_those_of_the_plan() -> None:
    """A new room is a decision, not an accident."""
    assert tuple(sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))) == ROOMS


def test_no_catch_all() -> None:
    """What has no room has no name yet: no utils, helpers, managers or bases."""
    words = ("util", "helper", "common", "manager", "base", "misc", "service_")

    assert [path.name for path in PACKAGE.rglob("*.py") if any(word in path.stem for word in words)] == []


def test_built_in_things_come_through_the_plugin_door() -> None:
    """Source kinds, senders and themes are registered by entry points, as anybody's would be."""
    registry = load_plugins()

    assert {point.name for point in entry_points(group="newsletter")} >= {"sources", "senders", "themes"}
    assert set(registry.source_kinds) >= {"feed", "arxiv", "huggingface", "listing"}
    assert set(registry.senders) >= {"smtp", "smtps"}
    assert registry.themes >= {"papers"}
