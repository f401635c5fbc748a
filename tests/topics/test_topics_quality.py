"""How well papers are assigned and grouped may not get worse unseen; the figures are those of `make bench-quality`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import fmean

import pytest

from benchmarks.quality import _labelled, days, topics
from benchmarks.quality._labelled import Labelled
from newsletter.topics.assign import Assignment
from newsletter.topics.embed import Embedder

pytestmark = [pytest.mark.shared, pytest.mark.long]

SETS = {"arXiv": _labelled.arxiv, "IJCAI": _labelled.ijcai, "listings": _labelled.listings}

FLOORS = {
    ("arXiv", "lexical"): 0.745,
    ("arXiv", "semantic"): 0.775,
    ("IJCAI", "lexical"): 0.555,
    ("IJCAI", "semantic"): 0.577,
    ("listings", "lexical"): 0.70,
    ("listings", "semantic"): 0.73,
}
DAYS = {("arXiv", "semantic"): 0.605, ("listings", "semantic"): 0.76}


@dataclass(frozen=True, eq=False)
class Case:
    """A set of papers, as they were assigned with one embedder."""

    name: tuple[str, str]
    papers: Labelled
    assignments: Sequence[Assignment]

    def f1(self, chosen: Sequence[str]) -> float:
        """Macro-F1 of the papers that belong to a topic."""
        kept = [at for at, labels in enumerate(self.papers.labels) if labels[0] != _labelled.NOWHERE]
        return topics.macro_f1([chosen[at] for at in kept], [self.papers.labels[at] for at in kept])


@cache
def _read(name: str, data: Path) -> tuple[Labelled, Mapping[str, Embedder]]:
    labelled = SETS[name](data)
    return labelled, labelled.embedders()


@cache
def _assigned(name: tuple[str, str], data: Path) -> Case:
    papers, embedders = _read(name[0], data)
    return Case(name, papers, _labelled.assigned(papers, embedders[name[1]]))


@pytest.fixture(scope="session")
def case(request: pytest.FixtureRequest, shared_data: Path) -> Case:
    """A set and an embedder by name; each is assigned once in a session."""
    return _assigned(request.param, shared_data)


@pytest.mark.parametrize("case", FLOORS, indirect=True, ids="-".join)
def test_papers_are_assigned(case: Case) -> None:
    """As well as was measured, on labels that nothing here was learned from; and better than by keywords alone."""
    found = case.f1(topics.names(case.assignments))

    assert found >= FLOORS[case.name]
    assert found > case.f1(_labelled.by_rules(case.papers)) + 0.04


@pytest.mark.parametrize("case", DAYS, indirect=True, ids="-".join)
def test_days_are_grouped(case: Case) -> None:
    """About five sections, not more than a quarter in none, and pairs of papers that belong together."""
    simulated = days.simulated(case.papers, partial(days.sections, case.papers, case.assignments))

    assert fmean(day.f1 for day in simulated) >= DAYS[case.name]
    assert fmean(day.in_more for day in simulated) <= 0.25
    assert 4.5 <= fmean(day.sections for day in simulated) <= 6.5
