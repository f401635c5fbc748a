# ruff: noqa: T201 - printing is what it is for
"""`python -m benchmarks.quality FOLDER [PART…]`: every figure in one table, parts without data skipped with a line."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import benchmarks.quality
from benchmarks.quality import Missing, Row

_VERDICT = {None: "", True: "reached", False: "MISSED"}


def main(data: Path, only: Sequence[str] = ()) -> None:
    """Print the rows of each part as soon as it is measured, and at the end how many targets were reached."""
    print(f"{'data':28} {'measure':24} {'method':46} {'value':>8} {'target':>10}")
    verdicts: Counter[bool | None] = Counter()
    for name in _parts():
        if only and name not in only:
            continue
        began = time.perf_counter()
        for row in _measured(name, data):
            if isinstance(row, Missing):
                print(f"# {name}: skipped what needs {row}, which is not there")
            else:
                print(_line(row))
                verdicts[row.reached] += 1
        print(f"# {name}: {time.perf_counter() - began:.0f} s", flush=True)
    print(f"# {verdicts[True]} of {verdicts[True] + verdicts[False]} targets reached")


def _parts() -> Iterator[str]:
    for module in pkgutil.iter_modules(benchmarks.quality.__path__):
        if not module.name.startswith("_"):
            yield module.name


def _measured(name: str, data: Path) -> Sequence[Row | Missing]:
    try:
        rows: Sequence[Row | Missing] = importlib.import_module(f"benchmarks.quality.{name}").rows(data)
    except Missing as missing:
        return [missing]
    return rows


def _line(row: Row) -> str:
    value = f"{row.value:.{row.digits}f}"
    bound = "" if row.target is None else f"{'<=' if row.less_is_better else '>='} {row.target:.{row.digits}f}"
    return f"{row.data:28} {row.measure:24} {row.method:46} {value:>8} {bound:>10} {_VERDICT[row.reached]}".rstrip()


if __name__ == "__main__":
    if len(sys.argv) < 2 or not (place := Path(sys.argv[1])).is_dir():  # noqa: PLR2004 - the command and a folder
        sys.exit("usage: python -m benchmarks.quality FOLDER [PART…]; `make bench-quality DATA=…` names the folder")
    main(place, sys.argv[2:])
