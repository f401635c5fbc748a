"""`newsletter operators`, in a real workspace."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.workspaces import Workspace, make_workspace


def typed(workspace: Workspace, *arguments: str, text: str) -> subprocess.CompletedProcess[str]:
    """The command with something typed into it."""
    return subprocess.run(
        workspace.command(*arguments),
        env=workspace.environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_operators_come_and_go(tmp_path: Path) -> None:
    """A password is typed or made, and never an argument; a token is shown once and listed by its label."""
    workspace = make_workspace(tmp_path)

    assert typed(workspace, "operators", "add", "ann", text="a long enough one\n").returncode == 0
    short = typed(workspace, "operators", "password", "ann", text="short\n")
    assert "12 to 500 characters" in short.stderr
    assert "with the password" in workspace.run("operators", "add", "ben", "--generate")
    token = workspace.run("operators", "token", "ann", "import").strip()
    listed = workspace.run("operators", "list", "--json")
    assert token not in listed
    assert [(one["operator"]["name"], len(one["tokens"])) for one in json.loads(listed)] == [("ann", 1), ("ben", 0)]
    assert "token import" in workspace.run("operators", "list")

    assert "1 revoked" in workspace.run("operators", "revoke", "ann", "import")
    assert "no token 'import'" in workspace.run("operators", "revoke", "ann", "import", status=1)
    workspace.run("operators", "remove", "ben")
    assert "ben" not in workspace.run("operators", "list")
