"""`newsletter edit`, in a real workspace."""

from __future__ import annotations

import json
from pathlib import Path

from tests.workspaces import make_workspace

DRAWERS = "An LLM that sorts its own drawers"


def test_an_editor_words_the_next_issue(tmp_path: Path) -> None:
    """What is said is in the issue that would be sent, and taken back it is not."""
    workspace = make_workspace(tmp_path, readers=1)
    workspace.call("collect")
    edit = ("edit", "daily-papers")

    workspace.call(*edit, "pin", "Maps for walkers", "--by", "ann")
    workspace.call(*edit, "blurb", DRAWERS, "Worth a look.", "--by", "ann")
    workspace.call(*edit, "intro", "Good morning.\n\nIt rains.", "--by", "ann")
    composed = json.loads(workspace.call("send", "daily-papers", "--dry-run", "--json"))["composed"]
    stories = [story for section in composed["issue"]["sections"] for story in section["stories"]]

    assert [story["title"] for story in stories] == ["Maps for walkers", DRAWERS]
    assert stories[1]["brief"] == "Worth a look."
    said = json.loads(workspace.call(*edit, "list", "--json"))
    assert [(one["kind"], one["who"]) for one in said] == [("pin", "ann"), ("blurb", "ann"), ("intro", "ann")]

    workspace.call(*edit, "hide", DRAWERS)
    for one in said[1:]:
        workspace.call(*edit, "undo", str(one["id"]))
    assert "1 hidden by the editor" in workspace.call("send", "daily-papers", "--dry-run")


def test_mistakes_are_told(tmp_path: Path) -> None:
    """With what to do."""
    workspace = make_workspace(tmp_path)

    assert "no story 'nothing'" in workspace.call("edit", "daily-papers", "pin", "nothing", status=1)
    assert "there is no newsletter 'x'" in workspace.call("edit", "x", "intro", "a", "--date", "2026-11-20", status=1)
    assert "at most 3000" in workspace.call("edit", "daily-papers", "intro", "a" * 4000, status=1)
    assert "nothing was said" in workspace.call("edit", "daily-papers", "list")
