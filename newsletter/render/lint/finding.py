"""A finding: what is wrong, where, why it matters and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error spoils the mail for some readers; a warning is worth a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a rule asks for, why, and what to do where it is broken; `docs/check.md` says the same of each."""

    severity: Severity
    why: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that breaks a rule.

    `path` is a template's name or what a page is called, `line` counts from 1, and is 0 where the whole is meant.
    """

    rule: str
    path: str
    line: int
    what: str
    why: str
    mend: str
    severity: Severity

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.rule}: {self.what}\n    {self.why}\n    {self.mend}"


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether one of them is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def first_of_each(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without those that say the same of the same path, by line; the first place is kept."""
    kept: dict[tuple[str, str, str], Finding] = {}
    for finding in sorted(findings, key=lambda found: (found.path, found.line, found.rule, found.what)):
        kept.setdefault((finding.rule, finding.path, finding.what), finding)
    return tuple(kept.values())
