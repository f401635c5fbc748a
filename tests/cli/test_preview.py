from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from newsletter.cli import cli
from tests.forks import Forked
from tests.workspaces import Workspace, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with three readers."""
    return make_workspace(tmp_path / "workspace", readers=3)


def run(workspace: Workspace, *arguments: str, status: int = 0) -> tuple[list[str], list[str]]:
    """The lines that `newsletter preview` printed on standard output and on standard error; it ends with `status`."""
    command = ["-C", str(workspace.folder), "preview", *arguments]
    ours = {name: None for name in os.environ if name.startswith("NEWSLETTER_")}
    outcome = CliRunner(env=ours).invoke(cli, command, env=workspace.settings)
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == status, outcome.output
    return outcome.stdout.splitlines(), outcome.stderr.splitlines()


def test_preview_writes_files(workspace: Workspace, tmp_path: Path) -> None:
    """A preview is the HTML, the text, the message, the issue as JSON and a page, and publishes nothing."""
    out = tmp_path / "out"
    told, noted = run(workspace, "daily-papers", "--no-pictures", "--out", str(out), "--as", "reader001@example.org")

    names = ["issue.html", "issue.txt", "issue.eml", "issue.json", "index.html"]
    assert told == [str(out / name) for name in names]
    assert noted == ["links are signed for reader001@example.org: whoever follows them acts for that reader"]
    assert "An LLM that sorts its own drawers" in (out / "issue.html").read_text("utf-8")
    assert "An LLM that sorts its own drawers" in (out / "issue.txt").read_text("utf-8")
    assert b"To: <reader001@example.org>\r\n" in (out / "issue.eml").read_bytes()
    assert json.loads((out / "issue.json").read_text("utf-8"))["title"] == "Daily Papers"
    assert "An LLM that sorts its own drawers" in (out / "index.html").read_text("utf-8")
    assert "no issues yet" in workspace.run("issues", "list")


def test_without_chromium(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install; nobody's links and an unknown reader's are told as what they are."""
    monkeypatch.setenv("PATH", str(tmp_path))
    told, noted = run(workspace, "daily-papers", "--out", str(tmp_path / "out"), "--as", "x@example.org")

    assert len(told) == 5
    assert noted == [
        "links are signed for nobody: x@example.org is no subscriber",
        "no pictures: install Chromium (on Debian: apt install chromium)",
    ]


def test_a_day_without_news(workspace: Workspace, tmp_path: Path) -> None:
    """When there is no issue the command says why, fails, and writes nothing."""
    told, _ = run(workspace, "daily-papers", "--no-collect", "--out", str(tmp_path / "out"), status=1)

    assert len(told) == 1
    assert told[0].startswith("no issue for ")
    assert not (tmp_path / "out").exists()


@contextmanager
def watching(workspace: Workspace, out: Path) -> Iterator[Forked]:
    """`newsletter preview --watch`, running; it does not outlive the `with`."""
    words = ("preview", "daily-papers", "--watch", "--no-pictures", "--out", str(out))
    with workspace.start(*words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.kill()


def test_watching(workspace: Workspace, tmp_path: Path) -> None:
    """The page is served and follows a template and schedules.yaml; a mistake is told; Ctrl-C ends it with status 0."""
    theme = workspace.folder / "templates" / "email" / "papers"
    with watching(workspace, tmp_path / "out") as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        url = re.findall(r"http://127\.0\.0\.1:\d+/", next(lines))[0]
        assert next(lines).startswith("shown as of ")
        assert next(lines).startswith("links are signed for nobody")
        assert "<title>Preview: Daily Papers</title>" in _get(url)

        theme.mkdir(parents=True)
        (theme / "issue.txt.j2").write_text("{{ nothing }}", encoding="utf-8")
        assert next(lines) == "email/papers/issue.txt.j2:1: 'nothing' is undefined\n"
        assert "Below is the last good issue" in _get(url)

        (theme / "issue.txt.j2").unlink()
        assert next(lines).startswith("shown as of ")
        plan = workspace.folder / "schedules.yaml"
        fresh = plan.with_suffix(".new")
        fresh.write_text(plan.read_text("utf-8").replace("title: Daily", "title: Weekly"), encoding="utf-8")
        fresh.replace(plan)
        assert next(lines).startswith("shown as of ")
        assert "<title>Preview: Weekly Papers</title>" in _get(url)

        process.send_signal(signal.SIGINT)
        assert (process.wait(timeout=30), list(lines)) == (0, [])


def _get(url: str) -> str:
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("GET", "/")
    body = connection.getresponse().read().decode()
    connection.close()
    return body
