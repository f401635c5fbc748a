"""How good the grouping, ranking and searching are, measured on labelled papers: `make bench-quality DATA=folder`.

A module of this package is a part: it has

    def rows(data: Path) -> list[Row]

which measures what `newsletter` does on the files below `data` and, beside it, the baselines it has to beat. It asks
for each file with `needed`, so that a part whose file is absent is skipped with a line and the others are printed; a
part of several sets of files makes its rows with `each`, which passes over the set that is absent.
Nothing measured here may flow back: no label, word list or threshold of these files is part of the program.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: what was measured, on which data, by which method.

    `target` is what it has to reach, or must not exceed where `less_is_better`; baselines have none. `digits` are
    those printed after the point.
    """

    data: str  # "arXiv, 12 categories"
    measure: str  # "macro-F1", "p95 ms"
    method: str  # "keyword rules (baseline)", "words + meaning"
    value: float
    target: float | None = None
    less_is_better: bool = False
    digits: int = 3

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached; None where there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.less_is_better else self.value >= self.target


class Missing(Exception):
    """A file that a part needs is not there."""


def needed(path: Path) -> Path:
    """The path itself where it exists; otherwise Missing, and the part is skipped."""
    if not path.exists():
        raise Missing(str(path))
    return path


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file; Missing where there is no such file."""
    with needed(path).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def each(*sets: Callable[[], Iterable[Row]]) -> list[Row | Missing]:
    """The rows of several sets; in place of those of a set whose file is absent, what says so."""
    made: list[Row | Missing] = []
    for rows in sets:
        try:
            made += rows()
        except Missing as missing:
            made.append(missing)
    return made
