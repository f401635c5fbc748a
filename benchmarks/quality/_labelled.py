"""Papers with the topics they belong to, and how they are assigned: by the program, and by the baselines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import lines, needed
from benchmarks.quality._papers import files
from newsletter.model import Source, Story, Topic
from newsletter.sources import Request, Response
from newsletter.sources.identity import title_key
from newsletter.sources.listing import ListingKind
from newsletter.topics import lexical, wordllama
from newsletter.topics.assign import Assignment, assign
from newsletter.topics.embed import Embedded, Embedder, text_of
from newsletter.topics.hits import look

ARCHIVE = 1_000  # stories
NOWHERE = "OTH"  # the label of a paper that belongs to no topic

Chosen = Sequence[str]  # the name of a topic for each paper


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """Papers, the labels each may have (the best first), the topics of those names, and an archive around them."""

    name: str
    papers: Sequence[Story]
    labels: Sequence[tuple[str, ...]]
    topics: Sequence[Topic]
    archive: Sequence[Story]
    vectors: dict[str, tuple[Embedded, Embedded]] = field(default_factory=dict)  # by embedder, once made

    def embedders(self) -> Mapping[str, Embedder]:
        """Each that is there, after it learned from the archive."""
        texts = [text_of(story.title, story.summary) for story in self.archive]
        if (table := wordllama.find()) is None:
            return {"lexical": lexical.learn(texts)}
        semantic = wordllama.learn(table, texts)
        return {"lexical": semantic.lexical, "semantic": semantic}

    def embedded(self, embedder: Embedder) -> tuple[Embedded, Embedded]:
        """The papers and the archive with their vectors."""
        if embedder.version not in self.vectors:
            of_papers, of_archive = (Embedded.of(stories, embedder) for stories in (self.papers, self.archive))
            self.vectors[embedder.version] = (of_papers, of_archive)
        return self.vectors[embedder.version]

    def without_others(self) -> Labelled:
        """Only the papers that belong to a topic."""
        kept = [at for at, labels in enumerate(self.labels) if labels[0] != NOWHERE]
        papers, labels = [self.papers[at] for at in kept], [self.labels[at] for at in kept]
        return Labelled(name=self.name, papers=papers, labels=labels, topics=self.topics, archive=self.archive)


def arxiv(data: Path) -> Labelled:
    """Papers by their primary category; the archive is what else was listed in those months."""
    papers, labels = _papers(data, "topics_*.jsonl")
    known = {paper.key for paper in papers}
    others = [paper for paper in _papers(data, "pool_*.jsonl")[0] if paper.key not in known]
    topics = _topics(_described(data)["topics"])
    return Labelled(name="arXiv", papers=papers, labels=labels, topics=topics, archive=others[:ARCHIVE])


def ijcai(data: Path) -> Labelled:
    """Papers of a conference by area; the archive are those papers themselves, their labels unknown."""
    papers, labels = _papers(data, "ijcai_*.jsonl")
    topics = _topics(_described(data)["ijcai"])
    return Labelled(name="IJCAI", papers=papers, labels=labels, topics=topics, archive=papers[:ARCHIVE])


def listings(data: Path) -> Labelled:
    """Papers of the saved listings, labelled by hand; the archive is all of the listings."""
    told = json.loads(needed(data / "listings" / "hand_labels.json").read_text(encoding="utf-8"))
    archive = _listed(data / "listings")
    labels = {title_key(paper["title"]): tuple(paper["labels"]) for paper in told["papers"]}
    papers = [archive[key] for key in labels if key in archive]
    return Labelled(
        name="listings",
        papers=papers,
        labels=[labels[paper.key] for paper in papers],
        topics=_topics(told["topics"]),
        archive=list(archive.values())[:ARCHIVE],
    )


def assigned(labelled: Labelled, embedder: Embedder) -> list[Assignment]:
    """As the program does it."""
    papers, archive = labelled.embedded(embedder)
    return assign(papers, labelled.topics, embedder=embedder, background=archive)


def by_rules(labelled: Labelled) -> Chosen:
    """By keywords alone: a hit in the title counts three, at most twice, hits in the abstract less and less."""
    hits, _ = look(labelled.papers, labelled.topics)
    weights = 3 * np.minimum(hits.titles, 2) + np.log1p(hits.summaries)
    scores = np.zeros((len(labelled.papers), len(labelled.topics)))
    np.add.at(scores.T, hits.owners, weights)
    return _best(labelled, scores)


def by_cosine(labelled: Labelled, embedder: Embedder) -> Chosen:
    """By likeness to the topic's text alone."""
    texts = [f"{topic.title}. {topic.about} {', '.join(topic.keywords)}" for topic in labelled.topics]
    return _best(labelled, labelled.embedded(embedder)[0].vectors @ embedder.embed(texts).T)


def _best(labelled: Labelled, scores: NDArray[Any]) -> Chosen:
    return [labelled.topics[at].name for at in scores.argmax(axis=1)]


def _described(data: Path) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads(files(data, "topic_descriptions.json")[0].read_text(encoding="utf-8"))
    return told


def _topics(described: Mapping[str, Any]) -> list[Topic]:
    return [
        Topic(name=name, title=told["title"], about=told["about"], keywords=tuple(told["keywords"]))
        for name, told in described.items()
    ]


def _papers(data: Path, pattern: str) -> tuple[list[Story], list[tuple[str, ...]]]:
    told = [paper for path in files(data, pattern) for paper in lines(path)]
    papers = [Story(key=paper["id"], title=paper["title"], url="", summary=paper["abstract"]) for paper in told]
    return papers, [(paper["label"],) for paper in told]


def _listed(folder: Path) -> dict[str, Story]:
    source, now = Source(name="saved", kind="listing"), datetime(2026, 11, 20, tzinfo=UTC)
    stories: dict[str, Story] = {}
    for path in sorted(folder.glob("*.txt")):
        response = Response(request=Request(path=path), url=str(path), body=path.read_bytes())
        for entry in ListingKind().read(response, source, now=now):
            key = title_key(entry.title)
            stories.setdefault(key, Story(key=key, title=entry.title, url="", summary=entry.summary))
    return stories
