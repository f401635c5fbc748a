from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.model import Source
from newsletter.registry import Registry
from newsletter.schedule.example import example_text
from newsletter.schedule.insert import named, source_line, with_sources
from newsletter.schedule.plan import read
from newsletter.schedule.values import name as checked_name
from newsletter.sources.kinds import register

BEGIN = """\
newsletters:
  n: {title: N, from: n@example.org, sources: [a]}
"""
A = Source(name="a", kind="feed", options={"url": "https://example.org/a"})
NEW = [
    Source(name="null-1", kind="feed", options={"url": "https://example.org/?a=1&b=%22#x: y"}),
    Source(name="papers", kind="arxiv", options={"categories": ("cs.CL", "hep-th")}),
    Source(name="null", kind="folder", options={"path": "null"}),
    Source(name="days", kind="huggingface", options={"days": 3}),
]
FEED = "{kind: feed, url: 'https://example.org/a'}"
TOPICS = "topics:\n  t: {title: T}\n"
LAYOUTS = {
    "block": f"sources:\n  a: {FEED}  # mine\n",
    "deeper": "sources:\n      a:\n          kind: feed\n          url: https://example.org/a   # mine\n\n\n# end\n",
    "before others": f"sources:\n  # first\n  a:\n    kind: feed\n    url: https://example.org/a\n\n# t\n{TOPICS}",
    "no line end": f"sources:\n  a: {FEED}",
    "block scalar": f"sources:\n  a:\n    kind: feed\n    url: >-\n      https://example.org/a\n\n\n{TOPICS}",
    "list at the end": f"sources:\n  a: {FEED}\n  b:\n    kind: arxiv\n    categories:\n    - cs.CL\n{TOPICS}",
    "braces": f"sources: {{\n  a: {FEED},  # mine\n }}\n{TOPICS}",
}


def sources(text: str) -> dict[str, Source]:
    """The sources that a schedules.yaml has."""
    registry = Registry()
    register(registry)
    return dict(read(text, file="s.yaml", kinds=registry.source_kinds, themes={"papers"}).sources)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_sources_are_added_whatever_the_layout(layout: str, end: str) -> None:
    """The new sources stand behind the old ones; every word of the operator's is still there, lines end as before."""
    text = (BEGIN + layout).replace("\n", end)
    written = with_sources(text, NEW, file="s.yaml")

    assert list(sources(written).items()) == [*sources(text).items(), *((source.name, source) for source in NEW)]
    rest = iter(written)
    assert all(character in rest for character in text)
    assert written.count("\n") == written.count(end)


@pytest.mark.parametrize("part", ["", "sources:\n", "sources:   # none yet\n", "sources: {}\n"])
def test_the_first_source_is_added(part: str) -> None:
    """A part that is empty, or not there at all, is begun."""
    newsletter = "newsletters:\n  n: {title: N, from: n@example.org, sources: [a]}\n"

    assert sources(with_sources(part + newsletter, [A], file="s.yaml")) == {"a": A}
    assert sources(with_sources(newsletter + part, [A], file="s.yaml")) == {"a": A}


def test_the_example_keeps_every_comment() -> None:
    """Of the example only the added line is new."""
    text = example_text()
    written = with_sources(text, [A], file="s.yaml")

    assert written.replace(f"  {source_line(A)}\n", "") == text
    assert sources(written)["a"] == A


@pytest.mark.parametrize("text", ["", "- a\n", "sources: [", "x"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    """Nothing is added to what is no schedules.yaml."""
    with pytest.raises(ConfigError):
        with_sources(text, [A], file="s.yaml")


def test_names_are_words_of_the_title() -> None:
    """A name says what the title says; where that gives none, the host."""
    assert named("L'Été: Nouvelles & more!", taken=(), fallback="x") == "lete-nouvelles-more"
    assert named("Новости", taken=(), fallback="example.org") == "example-org"
    assert named("日本", taken=(), fallback="例.jp") == "jp"
    assert len(named("word " * 40, taken=(), fallback="x")) <= 40
    assert named("!", taken=(), fallback="") == "source"
    assert named("News", taken={"news", "news-2"}, fallback="x") == "news-3"


@settings(deadline=None, max_examples=75)
@given(st.lists(st.text(max_size=60), max_size=6), st.text(max_size=20))
def test_names_are_valid_and_unique(titles: list[str], fallback: str) -> None:
    """Whatever feeds call themselves, each gets a valid name of its own that YAML reads as that text."""
    taken = {"a": A}
    for title in titles:
        name = named(title, taken=taken, fallback=fallback)
        assert checked_name(name) == name
        assert name not in taken
        taken[name] = Source(name=name, kind="feed", options={"url": "https://example.org/"})

    assert sources(with_sources(BEGIN + "sources:\n", list(taken.values()), file="")) == taken
