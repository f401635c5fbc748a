"""Topics that nobody has written yet: what stories that belong nowhere have in common. A hint for an operator.

    discover(unplaced, background) -> proposals, the largest first
    as_yaml(proposals)             -> text to paste below `topics:` in schedules.yaml

    vectors, off the archive's mean | groups that are alike beyond chance | the phrases that tell a group from the rest

Groups of few stories read badly as sections of an issue, which is why topics are written by people and only proposed
here. A phrase is one to three words; what counts is the share of the group that has it times its inverse document
frequency in the archive (c-TF-IDF: M. Grootendorst, "BERTopic", arXiv:2203.05794, section 3.3).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Story
from newsletter.topics.clusters import clusters
from newsletter.topics.embed import LONGEST, Embedded, Matrix, unit_rows
from newsletter.topics.keywords import pattern
from newsletter.topics.words import STOP, words

WEAK = 2.0  # a story whose best topic scores less fits it so badly that it may ask for another (see `assign`)
MOST = 5  # proposals
FEWEST = 4  # stories that make one

_LOOKED_AT = 2_000  # stories, the first
_BEYOND_CHANCE = 2.5  # standard deviations of the cosine of two stories of the archive
_DEVIATION = 1.4826  # a normal distribution's standard deviation, in median deviations
_SAMPLE = 500  # stories that tell what is usual
_KEYWORDS = 8
_TITLE = 2  # phrases, and a topic needs as many
_LONGEST_NAME = 40  # characters
_EXAMPLES = 3
_COMMON_IN_GROUP = 0.25  # of a group has a phrase, or it says nothing of the group
_RARE_ELSEWHERE = 3.0  # times as large a share of the group as of the archive has it
_TELLING = 0.4  # of what the best phrase tells, or it is left out
_SAME_PHRASE = 0.6  # of the stories with a phrase have the longer one, or it stands for itself

_PAUSE = re.compile(r"[.,;:!?()\[\]{}\"“”]+\s*|\s+[-–—]+\s+|\n+")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A topic as it might be written, and what speaks for it: its stories by key, how alike they are, three titles.

    `cohesion` is the mean cosine of two of its stories, off the archive's mean: 0 for any two, 1 for copies.
    """

    name: str
    title: str
    keywords: tuple[str, ...]
    stories: tuple[str, ...]
    cohesion: float
    examples: tuple[str, ...]


def discover(
    unplaced: Embedded, background: Embedded, *, taken: Collection[str] = (), most: int = MOST
) -> tuple[Proposal, ...]:
    """Proposals for the stories that belong nowhere, the largest first; often there are none.

    `background` are stories of the archive, placed or not; vectors of both are of one version of an embedder. Names in
    `taken` are not proposed.
    """
    stories = unplaced.stories[:_LOOKED_AT]
    known = background.joined(Embedded(stories, unplaced.vectors[:_LOOKED_AT]))
    centre = known.vectors.mean(axis=0) if len(known.stories) else np.float32(0)
    vectors = unit_rows(unplaced.vectors[:_LOOKED_AT] - centre)
    least = _beyond_chance(unit_rows(known.vectors - centre))
    usage = _Usage(known.stories)
    proposals: list[Proposal] = []
    for group in clusters(vectors, least=least):
        if len(group) < FEWEST or len(proposals) == most:
            break
        names = {*taken, *(proposal.name for proposal in proposals)}
        told = [stories[row] for row in group]
        if proposal := _proposal(told, vectors[group], usage, taken=names):
            proposals.append(proposal)
    return tuple(proposals)


def as_yaml(proposals: Iterable[Proposal]) -> str:
    """The proposals as they stand below `topics:` in schedules.yaml, each with what speaks for it in a comment."""
    return "\n".join(line for proposal in proposals for line in _lines(proposal))


def _lines(proposal: Proposal) -> Iterator[str]:
    yield f"  # {len(proposal.stories)} stories, cohesion {proposal.cohesion:.2f}, such as:"
    yield from (f"  #   {' '.join(title.split())}" for title in proposal.examples)
    yield f"  {proposal.name}:"
    yield f"    title: {json.dumps(proposal.title, ensure_ascii=False)}"
    yield f"    about: {json.dumps(', '.join(proposal.keywords), ensure_ascii=False)}"
    yield f"    keywords: [{', '.join(json.dumps(keyword, ensure_ascii=False) for keyword in proposal.keywords)}]"


def _beyond_chance(vectors: Matrix) -> float:
    """The cosine that two stories of the archive seldom have; few of them being alike does not change it."""
    sample = vectors[:: max(len(vectors) // _SAMPLE, 1)]
    cosines: NDArray[np.float32] = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
    if not len(cosines):
        return 1.0
    usual = np.median(cosines)
    return float(usual + _BEYOND_CHANCE * _DEVIATION * np.median(np.abs(cosines - usual)))


def _proposal(stories: Sequence[Story], vectors: Matrix, usage: _Usage, *, taken: Collection[str]) -> Proposal | None:
    keywords = _telling_phrases(stories, usage)
    if len(keywords) < _TITLE:
        return None
    title = ", ".join(keywords[:_TITLE])
    cosines = vectors @ vectors.T
    central = np.argsort(-cosines.sum(axis=1), kind="stable")[:_EXAMPLES]
    return Proposal(
        name=_name(title, taken),
        title=title[0].upper() + title[1:],
        keywords=tuple(keywords),
        stories=tuple(story.key for story in stories),
        cohesion=float(cosines[np.triu_indices(len(stories), 1)].mean()),
        examples=tuple(stories[number].title for number in central),
    )


class _Usage:
    """In how many stories each phrase is."""

    def __init__(self, stories: Sequence[Story]) -> None:
        self.stories = len(stories)
        self.counts = Counter(phrase for story in stories for phrase in _phrases(story))

    def without(self, other: _Usage) -> _Usage:
        """In the stories that are not those of the other, as far as the other's phrases go."""
        rest = _Usage(())
        rest.stories = max(self.stories - other.stories, 0)
        rest.counts = Counter({phrase: max(self.counts[phrase] - count, 0) for phrase, count in other.counts.items()})
        return rest

    def share(self, phrase: str) -> float:
        return self.counts[phrase] / self.stories if self.stories else 0.0

    def rarity(self, phrase: str) -> float:
        return math.log((self.stories + 1) / (self.counts[phrase] + 1))


def _telling_phrases(stories: Sequence[Story], archive: _Usage) -> list[str]:
    """The phrases that tell the group from the rest of the archive, the best first, as they are written in it."""
    here = _Usage(stories)
    elsewhere = archive.without(here)
    telling = {
        phrase: here.share(phrase) * elsewhere.rarity(phrase)
        for phrase, count in here.counts.items()
        if count > 1 and here.share(phrase) >= max(_COMMON_IN_GROUP, _RARE_ELSEWHERE * elsewhere.share(phrase))
    }
    enough = _TELLING * max(telling.values(), default=0.0)
    chosen: list[str] = []
    for phrase in sorted(telling, key=lambda phrase: (-telling[phrase], phrase)):
        if telling[phrase] < enough or not telling[phrase]:
            break
        whole = _whole(phrase, telling, here.counts)
        if not any(_overlap(whole, other) for other in chosen):
            chosen.append(whole)
    return [_as_written(phrase, stories) for phrase in chosen[:_KEYWORDS]]


def _whole(phrase: str, telling: Collection[str], counts: Counter[str]) -> str:
    """The longest phrase that most stories with this one have: `key value cache` for `value`."""
    longer = [
        other
        for other in telling
        if other != phrase and f" {phrase} " in f" {other} " and counts[other] >= _SAME_PHRASE * counts[phrase]
    ]
    return max(longer, key=lambda other: (len(other.split()), counts[other], other), default=phrase)


def _overlap(one: str, two: str) -> bool:
    """Whether one is part of the other, but for a plural."""
    first, second = (f" {' '.join(word.removesuffix('s') for word in phrase.split())} " for phrase in (one, two))
    return first in second or second in first


def _phrases(story: Story) -> set[str]:
    """The one to three neighbouring words that neither begin nor end with a stop word and are not all numbers."""
    found = set()
    for part in _PAUSE.split(f"{story.title}\n{story.summary[:LONGEST]}"):
        said = words(part)
        for start, first in enumerate(said):
            if first in STOP:
                continue
            for end in range(start + 1, min(start + 3, len(said)) + 1):
                if said[end - 1] not in STOP and not all(word.isdigit() for word in said[start:end]):
                    found.add(" ".join(said[start:end]))
    return found


def _as_written(phrase: str, stories: Sequence[Story]) -> str:
    """The phrase as it is spelled most often: `RAG`, not `rag`."""
    spelled = Counter(
        match.group() for story in stories for match in pattern(phrase).finditer(f"{story.title}\n{story.summary}")
    )
    exact = {form: count for form, count in spelled.items() if words(form) == phrase.split()}
    best = min(exact, key=lambda form: (-exact[form], form), default=phrase)
    return " ".join(best.replace("\n", " ").split())


def _name(title: str, taken: Collection[str]) -> str:
    stem = _NOT_IN_NAMES.sub("-", title.lower()).strip("-") or "topic"
    if len(stem) > _LONGEST_NAME:
        stem = stem[: _LONGEST_NAME + 1].rpartition("-")[0] or stem[:_LONGEST_NAME]
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
