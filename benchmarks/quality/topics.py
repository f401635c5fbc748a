"""Assigning papers to topics that are described in a few words, without having seen a labelled one.

Macro-F1 over the topics that occur. Of a paper with several labels the first is the right one; "any label" is the share
of papers whose topic is among theirs. `make bench-quality MODEL=folder` measures a sentence model too.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean

from benchmarks.quality import Missing, Row, each
from benchmarks.quality._labelled import Chosen, Labelled, arxiv, assigned, by_cosine, by_rules, ijcai, listings
from newsletter.topics import minilm
from newsletter.topics.assign import Assignment, assign
from newsletter.topics.embed import Embedded, Embedder

TARGETS: Mapping[tuple[str, str], float] = {
    ("arXiv", "lexical"): 0.72,
    ("arXiv", "semantic"): 0.765,
    ("arXiv", "minilm, 5 examples"): 0.80,
    ("IJCAI", "lexical"): 0.54,
    ("IJCAI", "semantic"): 0.575,
    ("listings", "semantic"): 0.76,
}
EXAMPLES = 5
_DRAWS = 3
_MODEL = "MODEL"


def rows(data: Path) -> list[Row | Missing]:
    """Macro-F1 of each set, by rules, by likeness and by both."""
    return each(*(partial(_rows, read, data) for read in (arxiv, ijcai, listings)))


def macro_f1(chosen: Chosen, labels: Sequence[tuple[str, ...]]) -> float:
    """The mean over the topics that occur of the harmonic mean of precision and recall."""
    right = [label for label, *_ in labels]
    scores = []
    for topic in sorted(set(right)):
        both = sum(a == b == topic for a, b in zip(chosen, right, strict=True))
        scores.append(2 * both / (chosen.count(topic) + right.count(topic)))
    return fmean(scores)


def any_label(chosen: Chosen, labels: Sequence[tuple[str, ...]]) -> float:
    """The share of papers whose topic is one of theirs."""
    return fmean(topic in right for topic, right in zip(chosen, labels, strict=True))


def names(assignments: Sequence[Assignment]) -> list[str]:
    """The best topic of each, however well it fits."""
    return [assignment.choices[0].topic.name if assignment.choices else "" for assignment in assignments]


def with_examples(labelled: Labelled, embedder: Embedder, *, seed: int) -> tuple[Labelled, list[Assignment]]:
    """The papers but for some of each topic, assigned when those stand as its examples."""
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    examples: set[int] = set()
    topics = []
    for topic in labelled.topics:
        own = [at for at, labels in enumerate(labelled.labels) if labels[0] == topic.name]
        drawn = draw.sample(own, min(EXAMPLES, len(own) // 2))
        examples |= set(drawn)
        topics.append(replace(topic, examples=tuple(labelled.papers[at].key for at in drawn)))
    kept = [at for at in range(len(labelled.papers)) if at not in examples]
    papers, archive = labelled.embedded(embedder)
    others = replace(labelled, papers=[labelled.papers[at] for at in kept], labels=[labelled.labels[at] for at in kept])
    everything = archive.joined(_some(papers, sorted(examples)))
    return others, assign(_some(papers, kept), topics, embedder=embedder, background=everything)


def _rows(read: Callable[[Path], Labelled], data: Path) -> Iterator[Row]:
    labelled = read(data).without_others()
    row = partial(_row, labelled)
    yield from row("keyword rules (baseline)", by_rules(labelled))
    for name, embedder in labelled.embedders().items():
        yield from row(f"cosine, {name} (baseline)", by_cosine(labelled, embedder))
        yield from row(name, names(assigned(labelled, embedder)))
    if _MODEL in os.environ:
        model = minilm.load(Path(os.environ[_MODEL]))
        yield from row("cosine, minilm (baseline)", by_cosine(labelled, model))
        yield from row("minilm", names(assigned(labelled, model)))
        draws = [with_examples(labelled, model, seed=seed) for seed in range(_DRAWS)]
        found = fmean(macro_f1(names(assignments), kept.labels) for kept, assignments in draws)
        yield _measured(labelled.name, f"minilm, {EXAMPLES} examples", found)


def _row(labelled: Labelled, method: str, chosen: Chosen) -> Iterator[Row]:
    yield _measured(labelled.name, method, macro_f1(chosen, labelled.labels))
    if any(len(labels) > 1 for labels in labelled.labels):
        found = any_label(chosen, labelled.labels)
        yield Row(data=f"{labelled.name}, topics", measure="any label", method=method, value=found)


def _measured(name: str, method: str, value: float) -> Row:
    target = TARGETS.get((name, method))
    return Row(data=f"{name}, topics", measure="macro-F1", method=method, value=value, target=target)


def _some(embedded: Embedded, at: Sequence[int]) -> Embedded:
    return Embedded(tuple(embedded.stories[number] for number in at), embedded.vectors[list(at)])
