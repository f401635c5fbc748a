from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Story
from newsletter.topics import lexical
from newsletter.topics.clusters import clusters
from newsletter.topics.discover import FEWEST, MOST, Proposal, as_yaml, discover
from newsletter.topics.embed import Embedded, text_of, unit_rows
from newsletter.topics.lexical import Lexical
from tests.builders import a_story

BACKGROUND = tuple(
    a_story(
        number,
        title=f"{('Parsing', 'Translating', 'Summarising')[number % 3]} of {('news', 'law', 'novels')[number % 2]}",
        summary=f"We study language models for text number {number}, and report results.",
    )
    for number in range(1, 41)
)
QUANTUM = tuple(
    a_story(
        number,
        title=f"Error Correction for {what}",
        summary=f"Quantum error correction protects qubits. We find surface codes for {what} and decode with LDPC.",
    )
    for number, what in enumerate(("ions", "photons", "spins", "cavities", "dots"), start=101)
)
ODD = tuple(
    a_story(number, title=title, summary=f"A single thing about {title}.")
    for number, title in enumerate(("beekeeping", "sundials"), start=201)
)


def learned(stories: Iterable[Story]) -> Lexical:
    """What the words of some stories teach."""
    return lexical.learn([text_of(story.title, story.summary) for story in stories])


def proposed(
    unplaced: Sequence[Story], background: Sequence[Story] = BACKGROUND, **options: object
) -> tuple[Proposal, ...]:
    """The proposals for some stories in an archive."""
    embedder = learned((*background, *unplaced))
    return discover(Embedded.of(unplaced, embedder), Embedded.of(background, embedder), **options)  # type: ignore[arg-type]


@cache
def papers(data: Path) -> tuple[Story, ...]:
    """Labelled papers, their label as a tag."""
    told = (json.loads(line) for line in (data / "arxiv" / "topics_dev.jsonl").read_text("utf-8").splitlines())
    return tuple(
        a_story(number, title=paper["title"], summary=paper["abstract"], tags=(paper["label"],))
        for number, paper in enumerate(told)
    )


# --- groups ---------------------------------------------------------------------------------------------------------


def test_groups_are_found_whatever_their_number() -> None:
    """Rows of like direction are one group, the largest first; a lone row is a group of one."""
    rows = unit_rows(np.array([[1, 0, 0], [0, 1, 0], [1, 0.1, 0], [0, 0, 1], [0.1, 1, 0], [1, 0, 0.1]]))

    assert clusters(rows, least=0.8) == [[0, 2, 5], [1, 4], [3]]
    assert clusters(rows, least=-1) == [[0, 1, 2, 3, 4, 5]]
    assert clusters(rows[:0], least=0.5) == []


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 25), st.floats(-0.9, 0.9), st.integers(0, 9))
def test_groups_hold_what_is_alike(number: int, least: float, seed: int) -> None:
    """Each row is in one group; no two groups are as alike on average as the least that is asked."""
    rows = unit_rows(np.random.default_rng(seed).normal(size=(number, 4)))

    found = clusters(rows, least=least)

    assert sorted(row for group in found for row in group) == list(range(number))
    between = [float((rows[one] @ rows[two].T).mean()) for one in found for two in found if one is not two]
    assert max(between, default=-1.0) < least + 1e-6


# --- proposals --------------------------------------------------------------------------------------------------------


def test_a_topic_nobody_wrote_is_proposed() -> None:
    """Stories of one kind make a proposal with the phrases that tell them from the archive; odd ones make none."""
    (proposal,) = proposed([*ODD, *QUANTUM])

    assert set(proposal.stories) == {story.key for story in QUANTUM}
    assert set(proposal.examples) <= {story.title for story in QUANTUM}
    assert 0 < proposal.cohesion <= 1
    assert any("error correction" in keyword.lower() for keyword in proposal.keywords)
    assert any("LDPC" in keyword for keyword in proposal.keywords)  # as it is written
    assert not {"we", "study", "results", "for"} & set(proposal.keywords)


def test_a_proposal_can_be_pasted() -> None:
    """The YAML is what stands below `topics:`; titles with quotes and line ends in them stay in their comment."""
    broken = [
        a_story(n + 300, title=f'{story.title}\n  "x": {{', summary=story.summary) for n, story in enumerate(QUANTUM)
    ]
    proposals = proposed(broken)

    told = yaml.safe_load("topics:\n" + as_yaml(proposals))

    assert list(told["topics"]) == [proposal.name for proposal in proposals]
    assert [tuple(topic["keywords"]) for topic in told["topics"].values()] == [one.keywords for one in proposals]
    assert all(set(topic) == {"title", "about", "keywords"} for topic in told["topics"].values())


def test_names_are_new() -> None:
    """A name that there is already is not proposed."""
    (first,) = proposed(QUANTUM)
    (second,) = proposed(QUANTUM, taken={first.name})

    assert second.name == f"{first.name}-2"


def test_a_handful_at_most() -> None:
    """There are never more proposals than asked for."""
    assert len(proposed(QUANTUM, most=1)) == 1
    assert proposed(QUANTUM, most=0) == ()


@pytest.mark.parametrize(
    "unplaced",
    [
        (),
        QUANTUM[: FEWEST - 1],
        tuple(a_story(number, title="", summary="") for number in range(9)),
        tuple(a_story(number, title="🚀" * number, summary="") for number in range(9)),
        ODD,
    ],
)
def test_often_there_is_nothing_to_propose(unplaced: Sequence[Story]) -> None:
    """Too few stories, stories that say nothing, and stories with nothing in common."""
    assert proposed(unplaced) == ()
    assert proposed(unplaced, background=()) == ()


def test_any_script_has_phrases() -> None:
    """Chinese stories of one kind are proposed by their characters, with a name a file can hold."""
    chinese = [
        a_story(number, title=f"量子纠错{name}", summary=f"本文研究量子纠错码在{name}中的应用。")
        for number, name in enumerate("甲乙丙丁戊", start=401)
    ]

    (proposal,) = proposed(chinese)

    assert proposal.name == "topic"
    assert "量子" in "".join(proposal.keywords)


def test_thousands_of_one_text_are_one_proposal() -> None:
    """Of very many stories the first are looked at."""
    many = [a_story(number, title="Same title everywhere", summary="Same words inside") for number in range(500, 5_500)]
    embedder = learned((*BACKGROUND, *many[:20]))

    found = discover(Embedded.of(many, embedder), Embedded.of(BACKGROUND, embedder))

    assert len(found) <= 1


def test_hidden_topics_are_found(shared_data: Path) -> None:
    """Of papers of three fields among papers of others, each field is among the proposals, and nearly pure."""
    told = papers(shared_data)
    fields = {"quant-ph", "audio", "cs.RO"}
    unplaced = [story for number, story in enumerate(told) if fields & set(story.tags) and number % 3 == 0]
    strays = [story for story in told if not fields & set(story.tags)][:40]
    background = [story for number, story in enumerate(told) if number % 4 == 1]

    found = proposed([*unplaced, *strays], background)

    label = {story.key: story.tags[0] for story in told}
    labels = [[label[key] for key in proposal.stories] for proposal in found]
    pure = {field: max(own.count(field) / len(own) for own in labels) for field in fields}
    assert len(found) <= MOST
    assert min(pure.values()) >= 0.85
