"""One event under other headlines: the pairs of headlines in tests/data/headlines, which ship with the program.

The pairs of two events were written to be hard: one company, one kind of event, one series, what came of it. With
`dates`, reports that are more than three days apart in the cases are dated so; without, all are of one day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from benchmarks.quality import Row, needed
from newsletter.model import Story
from newsletter.topics.rarity import Rarity, count
from newsletter.topics.similar import SAME, Text, Verdict, compare, share

_CASES = Path(__file__).parents[2] / "tests" / "data" / "headlines"
_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

Pair = tuple[Story, Story, bool]
Method = Callable[[Story, Story], bool]


def rows(data: Path) -> list[Row]:  # noqa: ARG001 - these cases are the program's own
    """Precision and recall by words alone, and by what `similar` makes of names, numbers and dates."""
    pairs = list(read(needed(_CASES)))
    rarity = count({story: Text(story).words for one, two, _ in pairs for story in (one, two)}.values())
    methods: dict[str, Method] = {
        "share of words (baseline)": lambda one, two: share(Text(one).words, Text(two).words, rarity) >= SAME,
        "names and numbers": lambda one, two: _is_same(_undated(one), _undated(two), rarity),
        "names, numbers and dates": lambda one, two: _is_same(one, two, rarity),
        "names, numbers and dates, fresh install": lambda one, two: _is_same(one, two, Rarity()),
    }
    name = f"{len(pairs)} pairs of headlines"
    return [
        Row(data=name, measure=measure, method=method, value=value)
        for method, judge in methods.items()
        for measure, value in zip(("precision", "recall"), _measured(judge, pairs), strict=True)
    ]


def read(folder: Path) -> Iterator[Pair]:
    """Two reports, and whether they are of one event."""
    for path in sorted(folder.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text("utf-8")):
            one, two = (Story(key=f"url:{name}", url="", published=_NOON, **case[name]) for name in ("one", "two"))
            yield one, replace(two, published=_NOON + timedelta(days=case.get("days", 0))), case["same"]


def _is_same(one: Story, two: Story, rarity: Rarity) -> bool:
    return compare(Text(one), Text(two), rarity).verdict is Verdict.SAME


def _undated(story: Story) -> Story:
    return replace(story, published=None)


def _measured(judge: Method, pairs: list[Pair]) -> tuple[float, float]:
    called = [same for one, two, same in pairs if judge(one, two)]
    return sum(called) / max(len(called), 1), sum(called) / sum(same for *_, same in pairs)
