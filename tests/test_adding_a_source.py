"""The example of docs/adding-a-source.md, as it stands there, is a plugin that works."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.sites import Page, Site
from tests.workspaces import Workspace, make_workspace

DOCUMENT = Path(__file__).parents[1] / "docs" / "adding-a-source.md"
HITS = [
    {
        "objectID": "1",
        "title": "Maps for\twalkers",
        "url": "https://example.org/maps?utm_source=hn",
        "points": 120,
        "num_comments": 7,
        "created_at": "2026-11-18T08:00:00Z",
    },
    {
        "objectID": "2",
        "title": "A drawer",
        "url": "https://example.org/drawer",
        "points": 3,
        "num_comments": 0,
        "created_at": "2026-11-18T09:00:00Z",
    },
    {
        "objectID": "3",
        "title": "A trap",
        "url": "javascript:x()",
        "points": 900,
        "num_comments": 0,
        "created_at": "2026-11-18T09:00:00Z",
    },
]


def block(language: str) -> str:
    """The first code block of a language in the document."""
    found = re.search(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found, language
    return found[1]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder for the path with the example in it, as an installer would leave it."""
    folder = tmp_path / "site-packages"
    meta = folder / "frontpage-1.0.dist-info"
    meta.mkdir(parents=True)
    (folder / "frontpage.py").write_text(block("python"), encoding="utf-8")
    points = tomllib.loads(block("toml"))["project"]["entry-points"]["newsletter"]
    lines = "".join(f"{name} = {target}\n" for name, target in points.items())
    (meta / "entry_points.txt").write_text(f"[newsletter]\n{lines}", encoding="utf-8")
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: frontpage\nVersion: 1.0\n", encoding="utf-8")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, installed: Path, site: Site) -> Workspace:
    """A workspace whose schedules.yaml has the source of the document, with the site in place of the real one."""
    made = make_workspace(tmp_path / "workspace")
    plan = made.folder / "schedules.yaml"
    (declared,) = (line for line in block("yaml").splitlines() if "frontpage" in line)
    here = declared.replace("kind: frontpage", f'kind: frontpage, url: "{site.url}/hn"')
    plan.write_text(plan.read_text("utf-8").replace("sources:\n  saved", f"sources:\n{here}\n  saved"), "utf-8")
    settings = {**made.settings, "PYTHONPATH": str(installed), "NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8"}
    return Workspace(made.folder, settings)


def test_the_example_is_collected_through_the_plugin_door(workspace: Workspace, site: Site) -> None:
    """What the document shows is installed, found by its entry point and collected."""
    site.pages["/hn"] = Page(json.dumps({"hits": HITS}).encode(), content_type="application/json")

    output = workspace.run("collect", "hacker-news")

    assert site.asked == ["/hn?tags=front_page&hitsPerPage=50"]
    assert "1 new" in output


def test_the_example_says_what_is_wrong(workspace: Workspace, site: Site) -> None:
    """An answer of another shape is a failure of that source alone."""
    site.pages["/hn"] = Page(b'{"error": "down"}', content_type="application/json")

    output = workspace.run("collect", status=3)

    assert "expected an object with hits, found other JSON" in output


def test_the_example_is_about_forty_lines() -> None:
    """A kind of source is quickly written: the document keeps its promise."""
    lines = [line for line in block("python").splitlines() if line.strip()]

    assert len(lines) <= 45
