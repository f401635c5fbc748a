"""`newsletter suggestions`, in a real workspace."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from newsletter.config import load_config
from newsletter.store import open_store
from newsletter.suggestions import ALLOWED
from tests.workspaces import Workspace, asking, make_workspace


def suggest(workspace: Workspace, name: str, title: str = "", note: str = "") -> None:
    """As a reader's form does."""
    store = open_store(load_config(workspace.folder, workspace.settings).database_url)
    url, reader = f"https://example.org/{name}", store.subscribers.get("reader000@example.org")
    now = datetime.now(UTC)
    said = {"url": url, "title": title, "note": note}
    store.suggestions.add("daily-papers", f"url:{url}", reader, **said, allowed=ALLOWED, now=now)
    store.close()


def test_an_editor_decides_by_number(tmp_path: Path) -> None:
    """What is approved is in the next issue, and its source is asked nothing."""
    workspace = make_workspace(tmp_path, readers=1)
    (workspace.folder / "schedules.yaml").write_text(asking(), encoding="utf-8")
    assert "nothing waits" in workspace.call("suggestions", "list")
    suggest(workspace, "maps", title="Maps of hills", note="We walk there.")
    suggest(workspace, "ads")

    listed = workspace.call("suggestions", "list", "daily-papers")
    assert "Maps of hills" in listed
    assert "“We walk there.”" in listed
    maps, ads = (str(one["id"]) for one in json.loads(workspace.call("suggestions", "list", "--json")))
    assert "give it a title" in workspace.call("suggestions", "approve", ads, status=1)
    assert "approved: Maps of hills" in workspace.call("suggestions", "approve", maps, "--by", "ann")
    assert "approved by ann before" in workspace.call("suggestions", "approve", maps, status=1)
    assert "declined: https://example.org/ads" in workspace.call("suggestions", "decline", ads, "--by", "ann")
    assert "there is no suggestion 99" in workspace.call("suggestions", "decline", "99", status=1)

    assert "nothing waits" in workspace.call("suggestions", "list")
    assert "declined by ann" in workspace.call("suggestions", "list", "--state", "all")
    assert "suggested" in workspace.call("collect", "suggested")
    assert "Maps of hills" in workspace.call("send", "daily-papers", "--dry-run", "--json")
