"""New sources for schedules.yaml: named, each address once, written beside what the operator wrote."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.app import load_plan, load_plugins
from newsletter.config import Config
from newsletter.errors import ConfigError, Problem
from newsletter.model import Plan, Source
from newsletter.registry import Registry
from newsletter.schedule.insert import named, source_line, with_sources
from newsletter.sources.identity import canonical_url
from newsletter.sources.opml import Subscription


@dataclass(frozen=True, slots=True)
class Enlisted:
    """What became of a list of feeds: sources to add, and feeds that are there already under a source's name."""

    new: tuple[Source, ...]
    known: tuple[tuple[Subscription, str], ...]

    @property
    def yaml(self) -> str:
        """The new sources as they stand in schedules.yaml."""
        return "".join(f"  {source_line(source)}\n" for source in self.new)


@dataclass(frozen=True, slots=True)
class Register:
    """A schedules.yaml that sources are added to."""

    path: Path
    config: Config
    registry: Registry
    plan: Plan

    def enlist(self, feeds: Iterable[Subscription], *, name: str = "") -> Enlisted:
        """Sources for those feeds, of different addresses, that none of the plan's sources has yet.

        They are named after their titles, or else their hosts, or all after `name`.
        """
        places = {canonical_url(str(source.options.get("url", ""))): source.name for source in feed_sources(self.plan)}
        taken = set(self.plan.sources)
        new, known = [], []
        for feed in feeds:
            place = canonical_url(feed.url)
            if place in places:
                known.append((feed, places[place]))
                continue
            called = named(name or feed.title, taken=taken, fallback=urlsplit(feed.url).hostname or "")
            new.append(Source(name=called, kind="feed", options={"url": feed.url}))
            taken.add(called)
        return Enlisted(tuple(new), tuple(known))

    def add(self, sources: tuple[Source, ...]) -> None:
        """Write them into the file, whole or not at all. ConfigError where its layout is beyond us; it then stays."""
        path = self.path.resolve()  # a link stays a link
        text = with_sources(path.read_bytes().decode("utf-8"), sources, file=str(self.path))
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(path, draft)
            self._check(Path(draft), sources)
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)

    def _check(self, draft: Path, sources: tuple[Source, ...]) -> None:
        wanted = replace(self.plan, sources={**self.plan.sources, **{source.name: source for source in sources}})
        try:
            found: Plan | None = load_plan(replace(self.config, schedules=draft), self.registry)
        except ConfigError:
            found = None
        if found != wanted:
            what = "is laid out in a way that nothing can be added to"
            hint = "the file is as it was; paste this under sources: " + "; ".join(map(source_line, sources))
            raise ConfigError([Problem(key="sources", what=what, hint=hint, file=str(self.path))])


def open_register(config: Config, path: Path | None = None) -> Register:
    """The schedules.yaml at a path, or that of the workspace. ConfigError with every mistake in it."""
    schedules = path or config.schedules
    registry = load_plugins()
    return Register(schedules, config, registry, load_plan(replace(config, schedules=schedules), registry))


def feed_sources(plan: Plan) -> list[Source]:
    """The sources that are feeds at an address."""
    return [source for source in plan.sources.values() if source.kind == "feed" and source.options.get("url")]
