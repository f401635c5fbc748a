"""A workspace as an operator has it: schedules.yaml, .env, a saved listing, readers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

from click.testing import CliRunner

from newsletter.cli import FAILED, USAGE, cli
from newsletter.config import load_config
from newsletter.errors import ConfigError, NewsletterError
from newsletter.store import open_store
from newsletter.store.subscribers import Applicant
from tests.databases import build
from tests.forks import Forked

PLAN = """\
newsletters:
  daily-papers:
    title: Daily Papers
    from: "Daily Papers <papers@example.org>"
    sources: [saved]
    topics: [models]
sources:
  saved: {kind: listing, path: "listing.txt"}
topics:
  models: {title: Language models, keywords: [LLM]}
schedules:
  always: {newsletter: daily-papers, every: day, at: "00:00", timezone: UTC, catch_up: 24h}
"""


def asking(api: str = "https://export.arxiv.org/api/query") -> str:
    """The same with readers who may suggest links, and where papers are looked up."""
    named = PLAN.replace("sources: [saved]", "sources: [saved, suggested]")
    return named.replace("\ntopics:", f'\n  suggested: {{kind: readers, api: "{api}"}}\ntopics:')


LISTING = """\
Daily Papers

byAK and the research community

Nov 20

An LLM that sorts its own drawers

It sorts them well. Nobody expected that, and we measured it.

  • 3 authors
·
Nov 18, 2025 4

Maps for walkers

We draw maps for people who walk. They arrive more often than before.

  • 2 authors
·
Nov 17, 2025
"""


@dataclass(frozen=True)
class Workspace:
    """A folder, and the settings that its commands run with."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands: ours without our own settings, plus its settings."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        return {**ours, **self.settings, "PYTHONWARNINGS": "error"}

    def command(self, *arguments: str) -> list[str]:
        """`newsletter …` in this workspace, for an interpreter of its own; most tests `start` or `run` it instead."""
        return [sys.executable, "-m", "newsletter", *self.words(*arguments)]

    def words(self, *arguments: str) -> list[str]:
        """What follows `newsletter` in this workspace."""
        return ["-C", str(self.folder), *arguments]

    @contextmanager
    def start(self, *arguments: str, stdout: int = DEVNULL, stderr: int = PIPE) -> Iterator[Forked]:
        """The command, running; its log on `stderr`. It does not outlive the `with`, however that ends."""
        with Forked(self.words(*arguments), self.environment, stdout=stdout, stderr=stderr) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise

    def run(self, *arguments: str, status: int = 0) -> str:
        """What the command printed, both streams; it must end with `status`."""
        with self.start(*arguments, stdout=PIPE, stderr=STDOUT) as process:
            said, _ = process.communicate()
        assert process.returncode == status, said
        return said

    def call(self, *arguments: str, status: int = 0, given: str = "") -> str:
        """As `run`, in this process: for commands whose words matter, and not how they start and end."""
        outcome = CliRunner().invoke(cli, self.words(*arguments), env=self.settings, input=given)
        error, code, said = outcome.exception, outcome.exit_code, outcome.output
        if isinstance(error, NewsletterError):  # which `main` puts into words
            code = USAGE if isinstance(error, ConfigError) else FAILED
            said += f"{error}\n" if code == USAGE else f"newsletter: {error}\n"
        elif error is not None and not isinstance(error, SystemExit):
            raise error
        assert code == status, said
        return said


def make_workspace(folder: Path, *, smtp_url: str = "", database_url: str = "", readers: int = 0) -> Workspace:
    """A workspace that is ready to send, with so many confirmed readers."""
    settings = {"NEWSLETTER_SECRET_KEY": "test"}
    if smtp_url:
        settings["NEWSLETTER_SMTP_URL"] = smtp_url
    if database_url:
        settings["NEWSLETTER_DATABASE_URL"] = database_url
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schedules.yaml").write_text(PLAN, encoding="utf-8")
    (folder / "listing.txt").write_text(LISTING, encoding="utf-8")
    config = load_config(folder, settings)
    store = open_store(config.database_url)
    build(store)
    applicants = [Applicant(email=f"reader{number:03d}@example.org") for number in range(readers)]
    store.subscribers.add(applicants, newsletter="daily-papers", confirmed=True, how="test", now=datetime.now(UTC))
    store.close()
    return Workspace(folder, settings)
