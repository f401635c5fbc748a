from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from newsletter.cli import cli
from newsletter.errors import NotFound
from tests.workspaces import Workspace, make_workspace

MODELS = [
    (f"An LLM that {what}", f"Large language models {what}. We prompt an LLM and report {number} results.")
    for number, what in enumerate(("translates", "summarises", "writes code", "plays chess", "answers", "draws"), 10)
]
QUANTUM = [
    (f"Error Correction for {what}", f"Quantum error correction protects qubits. Surface codes for {what} are decoded.")
    for what in ("ions", "photons", "spins", "cavities", "dots")
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a topic for some of the papers it has collected."""
    made = make_workspace(tmp_path_factory.mktemp("topics") / "workspace")
    papers = "\n\n".join(f"{title}\n\n{summary}" for title, summary in (*MODELS, *QUANTUM))
    (made.folder / "listing.txt").write_text(f"Daily Papers\n\nNov 20\n\n{papers}\n", encoding="utf-8")
    run(made, "collect")
    return made


def run(workspace: Workspace, *arguments: str, status: int = 0) -> str:
    """What a command printed on its standard output."""
    done = CliRunner().invoke(cli, ["-C", str(workspace.folder), *arguments], env=workspace.settings)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.stdout


def test_stories_stand_below_their_topics(workspace: Workspace) -> None:
    """Each recent story once, below its topic with its score; what belongs nowhere comes last."""
    lines = run(workspace, "topics", "preview", "daily-papers").splitlines()

    assert lines[0] == f"Language models [models] ({len(MODELS)})"
    assert lines[len(MODELS) + 1] == f"no topic ({len(QUANTUM)})"
    for title, _ in (*MODELS, *QUANTUM):
        assert sum(line.endswith(title) for line in lines) == 1


def test_why(workspace: Workspace) -> None:
    """Below each story stands what its score adds up from, with the keywords found, or that nothing was enough."""
    output = run(workspace, "topics", "preview", "daily-papers", "--why")

    assert "is models" in output
    assert "[LLM (title)" in output
    assert output.count("belongs nowhere") == len(QUANTUM)


def test_assignments_for_scripts(workspace: Workspace) -> None:
    """The same keys for every story."""
    told = json.loads(run(workspace, "topics", "preview", "daily-papers", "--json"))

    assert len(told) == len(MODELS) + len(QUANTUM)
    assert {tuple(one) for one in told} == {("key", "title", "topic", "choices", "barred")}
    assert {one["topic"] for one in told} == {"models", ""}


def test_a_missing_topic_is_proposed(workspace: Workspace) -> None:
    """What fits no topic and has something in common is proposed, ready to be pasted below `topics:`."""
    pasted = yaml.safe_load("topics:\n" + run(workspace, "topics", "discover", "daily-papers"))
    (told,) = json.loads(run(workspace, "topics", "discover", "--json"))

    assert list(pasted["topics"]) == [told["name"]]
    assert any("error correction" in keyword.lower() for keyword in told["keywords"])
    assert len(told["stories"]) == len(QUANTUM)


def test_a_pasted_topic_is_used(workspace: Workspace, tmp_path: Path) -> None:
    """The schedules with a proposal in them are right, and its stories are no longer without a topic."""
    proposal = run(workspace, "topics", "discover")
    plan = workspace.folder / "schedules.yaml"
    before = plan.read_text("utf-8")
    name = next(iter(yaml.safe_load(proposal)))
    plan.write_text(before.replace("topics:\n", f"topics:\n{proposal}", 1).replace("[models]", f"[models, {name}]"))
    try:
        after = json.loads(run(workspace, "topics", "preview", "daily-papers", "--json"))
    finally:
        plan.write_text(before)

    assert [one["topic"] for one in after].count(name) == len(QUANTUM)


def test_nothing_collected_is_said(tmp_path: Path) -> None:
    """Without stories there is nothing to show and nothing to propose."""
    empty = make_workspace(tmp_path / "workspace")

    assert "no stories in 7 days" in run(empty, "topics", "preview", "daily-papers")
    assert run(empty, "topics", "discover") == ""


def test_names_are_checked(workspace: Workspace) -> None:
    """A newsletter that is not there is named; so is a wrong number of days."""
    with pytest.raises(NotFound, match="nope"):
        run(workspace, "topics", "discover", "nope")
    run(workspace, "topics", "discover", "--days", "0", status=2)
