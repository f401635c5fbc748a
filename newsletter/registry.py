"""The plugin door: what a `register(registry)` function may add.

An installed distribution names such functions under the entry point group `newsletter`; the built-in source kinds,
senders and themes come through the same door (see `[project.entry-points.newsletter]` in pyproject.toml).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Register = Callable[["Registry"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One key that a source kind takes in schedules.yaml.

    `type` is one of str, int, bool and tuple (a list of strings, or one string). `help` is one line for the docs.
    """

    type: type = str
    required: bool = False
    help: str = ""


@dataclass
class Registry:
    """Everything that plugins have added, by the name that configuration uses for it."""

    # A source kind implements `newsletter.sources.Kind`, a sender `newsletter.mail.Send`. Both are untyped here:
    # their rooms stand on a higher floor, and the rooms that read them know the type.
    source_kinds: dict[str, Any] = field(default_factory=dict)
    senders: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    themes: set[str] = field(default_factory=set)

    def add_source_kind(self, name: str, kind: Any) -> None:
        """Make `kind: <name>` available in schedules.yaml. A later registration replaces an earlier one."""
        self.source_kinds[name] = kind

    def add_sender(self, scheme: str, factory: Callable[[str], Any]) -> None:
        """Make `<scheme>://…` available as SMTP_URL; `factory(url)` gives the sender."""
        self.senders[scheme] = factory

    def add_theme(self, name: str) -> None:
        """Make `theme: <name>` available to newsletters; its files are `email/<name>/` in a template folder."""
        self.themes.add(name)

    def options(self, kind: str) -> Mapping[str, Option]:
        """The keys that a source kind takes. KeyError for an unknown kind."""
        options: Mapping[str, Option] = self.source_kinds[kind].options
        return options
