"""What a card says of a story: one or two of its own sentences.

    the source's own summary, where it is fit to be shown
    else the sentence that tells the contribution | a later one that tells a result, if both fit
    else, where no phrase of an abstract is found (another language, a plain note), the first sentences

Nothing is rewritten: a sentence is shown as its authors wrote it, with its TeX written out. One that opens with "It" or
"These" leans on a sentence that is not shown, and is taken only where there is no other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from newsletter.model import Story
from newsletter.topics.cues import Weighed, weigh
from newsletter.topics.sentences import joined, sentences
from newsletter.topics.tex import plain
from newsletter.topics.tldr import LIMIT, accept

_READ = 10_000  # characters of an abstract; the longest of arXiv's has 1,923
_MOST = 60  # sentences weighed
_LEAST_RESULT = 0.3  # below this a second sentence tells neither a result nor a detail worth the room
_BESIDE = 0.7  # what a result counts beside the contribution
_LABEL = re.compile(r"\A(?:abstract|summary)(?:\s?[:.—–]| -)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a card shows: `text` has at most two sentences and 320 characters, `line` is one of that length."""

    text: str = ""
    line: str = ""


def readable(story: Story) -> Story:
    """The story with the TeX of its title written out, its `brief` and its `line`; the abstract stays as it came."""
    summary = summarize(story.title, story.summary, tldr=story.tldr)
    return replace(story, title=plain(story.title), brief=summary.text, line=summary.line)


def summarize(title: str, abstract: str, *, tldr: str = "") -> Summary:
    """A summary from what a source says; both forms are empty where it says nothing.

    `tldr` is the source's own summary in a sentence or two. Where it is not fit to be shown (see `tldr.accept`) the
    abstract is used.
    """
    if told := accept(tldr):
        return Summary(text=told, line=sentences(told)[0])
    text = _LABEL.sub("", " ".join(plain(abstract[:_READ]).split()), count=1)
    found = sentences(text)[:_MOST]
    fitting = [sentence for sentence in found if len(sentence) <= LIMIT]
    if not fitting:
        cut = _cut(found[0]) if found else ""
        return Summary(text=cut, line=cut)
    weighed = weigh(fitting, plain(title))
    standing = [one for one in weighed if not one.leans] or weighed
    if not any(one.cues for one in weighed):
        return _beginning([one.text for one in standing])
    return _telling(standing)


def _beginning(found: Sequence[str]) -> Summary:
    pair = joined(found[:2])
    return Summary(text=pair if len(pair) <= LIMIT else found[0], line=found[0])


def _telling(weighed: Sequence[Weighed]) -> Summary:
    """The best sentence, and the best pair of a contribution and a later result; the earlier one of equals."""
    line = max(weighed, key=lambda one: one.contribution)
    alone = (line.contribution, (line.text,))
    best = max((alone, *_pairs(weighed)), key=lambda rated: rated[0])
    return Summary(text=joined(best[1]), line=line.text)


def _pairs(weighed: Sequence[Weighed]) -> Iterator[tuple[float, tuple[str, ...]]]:
    for number, first in enumerate(weighed):
        for second in weighed[number + 1 :]:
            if second.result >= _LEAST_RESULT and len(first.text) + 1 + len(second.text) <= LIMIT:
                gain = _BESIDE * (second.result - _LEAST_RESULT / 2)
                yield first.contribution + gain, (first.text, second.text)


def _cut(sentence: str) -> str:
    """The beginning of a sentence that is too long, to the end of a clause or at least of a word."""
    head = sentence[: LIMIT - 1]
    for sign in ("; ", ": ", ", ", " "):
        end = head.rfind(sign, LIMIT // 2)
        if end > 0:
            return head[:end].rstrip(" ,;:–—-(") + "…"
    end = len(head)  # no spaces: Chinese, or no language; a letter keeps its accents
    while end > 1 and unicodedata.combining(sentence[end]):
        end -= 1
    return head[:end] + "…"
