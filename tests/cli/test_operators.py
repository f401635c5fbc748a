"""`newsletter operators`, in a real workspace."""

from __future__ import annotations

import json
from pathlib import Path

from tests.workspaces import make_workspace


def test_operators_come_and_go(tmp_path: Path) -> None:
    """A password is typed or made, and never an argument; a token is shown once and listed by its label."""
    workspace = make_workspace(tmp_path)

    workspace.call("operators", "add", "ann", given="a long enough one\n")
    short = workspace.call("operators", "password", "ann", given="short\n", status=1)
    assert "12 to 500 characters" in short
    assert "with the password" in workspace.call("operators", "add", "ben", "--generate")
    token = workspace.call("operators", "token", "ann", "import").strip()
    listed = workspace.call("operators", "list", "--json")
    assert token not in listed
    assert [(one["operator"]["name"], len(one["tokens"])) for one in json.loads(listed)] == [("ann", 1), ("ben", 0)]
    assert "token import" in workspace.call("operators", "list")

    assert "1 revoked" in workspace.call("operators", "revoke", "ann", "import")
    assert "no token 'import'" in workspace.call("operators", "revoke", "ann", "import", status=1)
    workspace.call("operators", "remove", "ben")
    assert "ben" not in workspace.call("operators", "list")
