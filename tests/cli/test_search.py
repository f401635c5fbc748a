from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from newsletter.cli import cli
from newsletter.errors import NotFound
from tests.workspaces import Workspace, make_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose two papers were collected."""
    folder: Path = tmp_path_factory.mktemp("search")
    made = make_workspace(folder / "workspace")
    run(made, "collect")
    return made


def run(workspace: Workspace, *arguments: str, status: int = 0) -> str:
    """What a command printed."""
    done = CliRunner().invoke(cli, ["-C", str(workspace.folder), *arguments], env=workspace.settings)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.output


def test_search_finds_what_was_collected(workspace: Workspace) -> None:
    """The best first, with day and source; what was collected is indexed on the way."""
    lines = run(workspace, "search", "walking", "with", "maps").splitlines()

    assert lines[0] == "2025-11-17  Maps for walkers"
    assert lines[1].endswith("[saved]")


def test_without_a_query_the_latest(workspace: Workspace) -> None:
    """All of them, by day."""
    titles = [line for line in run(workspace, "search").splitlines() if line.startswith("2")]

    assert titles == ["2025-11-18  An LLM that sorts its own drawers", "2025-11-17  Maps for walkers"]


def test_json_has_the_same_keys_for_every_answer(workspace: Workspace) -> None:
    """For scripts."""
    found = json.loads(run(workspace, "search", "maps", "--json"))

    assert found[0]["title"] == "Maps for walkers"
    assert {tuple(one) for one in found} == {
        ("key", "title", "url", "summary", "authors", "day", "topic", "sources", "signals", "score")
    }


def test_filters(workspace: Workspace) -> None:
    """By day, newsletter, source and topic."""
    assert "drawers" not in run(workspace, "search", "--until", "2025-11-17")
    assert "walkers" not in run(workspace, "search", "--since", "2025-11-18")
    assert "walkers" in run(workspace, "search", "--newsletter", "daily-papers", "--source", "saved", "--limit", "2")
    assert run(workspace, "search", "maps", "--author", "Nobody") == "nothing found\n"


def test_more_like_a_story(workspace: Workspace) -> None:
    """Named by its title; itself is no answer."""
    output = run(workspace, "search", "--like", "Maps for walkers")

    assert "drawers" in output
    assert "walkers" not in output


def test_the_index_is_rebuilt(workspace: Workspace) -> None:
    """From the entries, with the same answers."""
    before = run(workspace, "search", "maps")

    assert run(workspace, "search", "maps", "--rebuild") == before


@pytest.mark.parametrize(
    "arguments",
    [("--topic", "nothing"), ("--source", "nothing"), ("--newsletter", "nothing"), ("--like", "nothing of the sort")],
)
def test_names_that_nobody_has(workspace: Workspace, arguments: tuple[str, ...]) -> None:
    """They are told, beside those there are."""
    with pytest.raises(NotFound, match="there is no"):
        run(workspace, "search", *arguments)


@pytest.mark.parametrize("arguments", [("--since", "yesterday"), ("--limit", "0")])
def test_wrong_usage(workspace: Workspace, arguments: tuple[str, ...]) -> None:
    """Exit status 2."""
    run(workspace, "search", *arguments, status=2)
