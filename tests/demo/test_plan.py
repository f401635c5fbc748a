"""The demonstration is the example, read from its own feeds and sent to readers who do not exist."""

from __future__ import annotations

import csv
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from newsletter.demo.plan import SUBSCRIBERS, plan_text
from newsletter.errors import Problem
from newsletter.model import Plan
from newsletter.registry import Option
from newsletter.schedule import plan
from newsletter.schedule.example import example_text

BASE = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class StandIn:
    """A source kind that has nothing to say against any value."""

    options: Mapping[str, Option]

    def check(self, _options: Mapping[str, object]) -> Sequence[Problem]:
        """Find nothing."""
        return ()


KINDS = {
    "huggingface": StandIn({"url": Option()}),
    "arxiv": StandIn({"categories": Option(type=tuple, required=True), "url": Option()}),
    "feed": StandIn({"url": Option(required=True)}),
}


def read(text: str) -> Plan:
    """Read a schedules.yaml with stand-in kinds."""
    return plan.read(text, file="schedules.yaml", kinds=KINDS, themes={"papers"})


def test_same_newsletter_as_the_example() -> None:
    """Everything but the addresses of the sources is what the example has, and that it goes out at weekends too."""
    demo, example = read(plan_text(BASE)), read(example_text())

    assert demo.newsletters == example.newsletters
    assert demo.topics == example.topics
    assert demo.schedules["friday-evening"] == example.schedules["friday-evening"]
    assert demo.schedules["weekday-morning"] == replace(
        example.schedules["weekday-morning"], weekdays=frozenset(range(7))
    )
    assert {name: source.kind for name, source in demo.sources.items()} == {
        name: source.kind for name, source in example.sources.items()
    }


def test_comments_of_the_example_stay() -> None:
    """Only the lines of the sources are replaced, so that the demonstration's file can be learned from as well."""
    before, _, after = example_text().replace("every: weekday ", "every: day     ").partition("\nsources:\n")

    assert plan_text(BASE).startswith(before)
    assert plan_text(BASE).endswith(after[after.index("\n# ") :])


@pytest.mark.parametrize("base_url", [BASE, BASE + "/"])
def test_sources_point_at_the_feeds(base_url: str) -> None:
    """The sources are those that `serve` offers, each by the option of its kind."""
    options = {name: source.options for name, source in read(plan_text(base_url)).sources.items()}

    assert options == {
        "hf-daily": {"url": BASE},
        "arxiv-ai": {"categories": ("cs.CL", "cs.CV", "cs.LG"), "url": f"{BASE}/rss/"},
        "lab-notes": {"url": f"{BASE}/feed.xml"},
    }


def test_subscribers() -> None:
    """25 readers at an address that never exists, in several real time zones, some with names beyond ASCII."""
    with SUBSCRIBERS.open(encoding="utf-8", newline="") as file:
        readers = list(csv.DictReader(file))

    assert len({reader["email"] for reader in readers}) == len(readers) == 25
    assert all(re.fullmatch(r"reader\d\d@example\.org", reader["email"]) for reader in readers)
    assert all(reader["name"] for reader in readers)
    assert {reader["timezone"] for reader in readers} <= zoneinfo.available_timezones()
    assert len({reader["timezone"] for reader in readers}) >= 8
    assert sum(not reader["name"].isascii() for reader in readers) >= 3
