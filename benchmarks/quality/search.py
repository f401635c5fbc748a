"""Searching: is what was asked for found, and found early?

The title of a paper should find its abstract (the title itself is not in the collection); the name of a topic should
find the papers of that topic; a paper should find others of its topic. The saved listings are answers of somebody's
semantic searches whose words are lost: they were guessed, so those figures compare ways to search and say little about
any one of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import Row, lines, needed
from benchmarks.quality._collection import WAYS, Collection, Order, embedders
from benchmarks.quality._papers import files
from newsletter.model import Source
from newsletter.sources import Request, Response
from newsletter.sources.listing import ListingKind
from newsletter.topics.embed import text_of

LEARNED = 1_000  # papers of the pool that embedders learn from, as an archive of that size would have them
SETS = {"arXiv": ("topics_*.jsonl", "topics", 0.96, 0.60), "IJCAI": ("ijcai_*.jsonl", "ijcai", 0.96, None)}
GUESSED = (
    ("000", "file format column storage data types"),
    ("001", "locality of data: similarity hashing, instruction data"),
    ("002", "storage efficiency and performance"),
    ("003", "file chunk metadata for efficient storage and retrieval"),
    ("003", "semantic file storage compression retrieval"),
)
_EVERY = 2  # one title in so many is asked for
_EVERY_LIKE = 10  # for the likes of one paper in so many

Relevant = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A labelled paper."""

    title: str
    abstract: str
    label: str


def rows(data: Path) -> list[Row]:
    """MRR, AP, AUC and P@20 of every way to search, with every embedder."""
    return [*_labelled(data), *_listings(data)]


def read(data: Path, pattern: str) -> list[Paper]:
    """The papers of a labelled set."""
    found = (paper for path in files(data, pattern) for paper in lines(path))
    return [Paper(title=paper["title"], abstract=paper["abstract"], label=paper["label"]) for paper in found]


def topics(data: Path, name: str) -> Mapping[str, Any]:
    """The descriptions of the labels of a set."""
    told = json.loads(needed(data / "arxiv" / "topic_descriptions.json").read_text(encoding="utf-8"))
    return next(described for key, described in told.items() if key.startswith(name))


def reciprocal_rank(order: Order, wanted: int) -> float:
    """One over the place of what is wanted."""
    return 1 / (1 + int(np.flatnonzero(order == wanted)[0]))


def average_precision(order: Order, relevant: Relevant) -> float:
    """The mean of the precision at each relevant paper."""
    hits = relevant[order]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def area(order: Order, relevant: Relevant) -> float:
    """The chance that a relevant paper stands before another one."""
    hits = relevant[order]
    others_before = np.cumsum(~hits)[hits]
    return float(1 - others_before.sum() / (hits.sum() * (~hits).sum()))


def _labelled(data: Path) -> Iterator[Row]:
    background = [text_of(paper.title, paper.abstract) for paper in read(data, "pool_*.jsonl")[:LEARNED]]
    for embedder_name, embedder in embedders(background).items():
        for set_name, (pattern, described, mrr, ap) in SETS.items():
            papers = read(data, pattern)
            untitled = Collection.of([("", paper.abstract) for paper in papers], embedder)
            titled = Collection.of([(paper.title, paper.abstract) for paper in papers], embedder)
            asked = range(0, len(papers), _EVERY)
            labels = np.array([paper.label for paper in papers])
            names = {label: topic["title"] for label, topic in topics(data, described).items() if label in labels}
            for way, order in WAYS.items():
                method = f"{way}, {embedder_name}"
                is_ours = not way.endswith("(baseline)")
                found = fmean(reciprocal_rank(order(untitled, papers[at].title), at) for at in asked)
                yield _row(f"{set_name} title -> abstract", "MRR", method, found, mrr if is_ours else None)
                named = fmean(average_precision(order(titled, name), labels == label) for label, name in names.items())
                is_measured = is_ours and embedder_name != "lexical"
                yield _row(f"{set_name} topic's name", "AP", method, named, ap if is_measured else None)
                alike = fmean(
                    _share_alike(order(titled, text_of(paper.title, paper.abstract)), at, labels)
                    for at, paper in enumerate(papers)
                    if at % _EVERY_LIKE == 0
                )
                yield _row(f"{set_name} more like this", "P@10", method, alike)


def _share_alike(order: Order, at: int, labels: NDArray[np.str_]) -> float:
    """How many of the ten most like a paper have its label."""
    return float((labels[order[order != at][:10]] == labels[at]).mean())


def _listings(data: Path) -> Iterator[Row]:
    pages = {path.name[:3]: _page(path) for path in sorted(needed(data / "listings").glob("*.txt"))}
    abstracts = {title: abstract for page in pages.values() for title, abstract in page.items()}
    papers = list(abstracts.items())
    random.Random(7).shuffle(papers)  # noqa: S311  # where scores are equal, a page must not come first
    name, embedder = list(embedders([text_of(*paper) for paper in papers]).items())[-1]
    collection = Collection.of(papers, embedder)
    for way in ("words (baseline)", "meaning (baseline)", "words + meaning"):
        areas, precisions = [], []
        for page, query in GUESSED:
            relevant = np.array([title in pages.get(page, ()) for title, _ in papers])
            if relevant.any():
                found = WAYS[way](collection, query)
                areas.append(area(found, relevant))
                precisions.append(float(relevant[found[:20]].mean()))
                yield _row(f"listing {page}: {query[:14]}…", "AUC", f"{way}, {name}", areas[-1])
                yield _row(f"listing {page}: {query[:14]}…", "P@20", f"{way}, {name}", precisions[-1])
        if areas:
            yield _row("listings, mean", "AUC", f"{way}, {name}", fmean(areas))
            yield _row("listings, mean", "P@20", f"{way}, {name}", fmean(precisions))


def _page(path: Path) -> Mapping[str, str]:
    """The titles of a saved page and their abstracts."""
    response = Response(request=Request(path=path), url=str(path), body=path.read_bytes())
    entries = ListingKind().read(response, Source(name="saved", kind="listing"), now=datetime(2026, 11, 20, tzinfo=UTC))
    return {entry.title: entry.summary for entry in entries}


def _row(data: str, measure: str, method: str, value: float, target: float | None = None) -> Row:
    return Row(data=data, measure=measure, method=method, value=value, target=target)
