"""Summaries: how much of what a reader of the whole abstract wrote down is in the sentences we show?

ROUGE-1 (the F-measure of shared words, each as often as in both) against the one-sentence summaries that Hugging Face
shows for its papers. They are written by a language model, so this is a pseudo-reference; and they are one sentence,
which is why one sentence scores better than two. The best single sentence by that very score shows what is possible.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.quality import Row, needed
from benchmarks.quality._answers import answers
from newsletter.topics.sentences import sentences
from newsletter.topics.summarize import summarize
from newsletter.topics.tex import plain

_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A paper and the summary somebody else made of it."""

    title: str
    abstract: str
    reference: str


Method = Callable[[Case], str]


def rows(data: Path) -> list[Row]:
    """ROUGE-1 of the two forms of a summary beside sentences taken without a rule."""
    cases = list(read(needed(data / "huggingface_daily")))
    texts = {name: [method(case) for case in cases] for name, method in METHODS.items()}
    scores = {
        name: fmean(rouge(text, case.reference) for text, case in zip(found, cases, strict=True))
        for name, found in texts.items()
    }
    lead = max(value for name, value in scores.items() if "baseline" in name)
    found = [_row("ROUGE-1", name, value, lead if name.startswith("ours") else None) for name, value in scores.items()]
    return [*found, *(_row("characters", name, fmean(map(len, texts[name])), None, digits=0) for name in METHODS)]


def _row(measure: str, method: str, value: float, target: float | None, *, digits: int = 3) -> Row:
    return Row(
        data="Hugging Face, ai_summary", measure=measure, method=method, value=value, target=target, digits=digits
    )


def read(folder: Path) -> Iterator[Case]:
    """The papers that came with a summary."""
    for _, entries in answers(folder):
        for entry in entries:
            if entry.tldr and entry.summary:
                yield Case(title=entry.title, abstract=entry.summary, reference=entry.tldr)


def rouge(text: str, reference: str) -> float:
    """ROUGE-1, F-measure, words in lower case and unstemmed."""
    counts, wanted = (Counter(_WORD.findall(part.casefold())) for part in (text, reference))
    total = counts.total() + wanted.total()
    return 2 * (counts & wanted).total() / total if total else 0.0


# --- methods ------------------------------------------------------------------------------------------------------


def _sentences(case: Case) -> Sequence[str]:
    return sentences(plain(case.abstract))


def _first(count: int) -> Method:
    return lambda case: " ".join(_sentences(case)[:count])


def _any(count: int) -> Method:
    def method(case: Case) -> str:
        found = _sentences(case)
        chosen = random.Random(case.title).sample(range(len(found)), min(count, len(found)))  # noqa: S311 - the same each time
        return " ".join(found[number] for number in sorted(chosen))

    return method


METHODS: Mapping[str, Method] = {
    "first sentence (baseline)": _first(1),
    "first two sentences (baseline)": _first(2),
    "two random sentences (baseline)": _any(2),
    "ours, one sentence": lambda case: summarize(case.title, case.abstract).line,
    "ours, at most two sentences": lambda case: summarize(case.title, case.abstract).text,
    "best single sentence (bound)": lambda case: max(
        _sentences(case), key=lambda one: rouge(one, case.reference), default=""
    ),
}
