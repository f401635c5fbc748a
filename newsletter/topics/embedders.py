"""Which embedder is used, and when it learns anew.

    current(kept, ...)   a model the operator supplies, else wordllama, else lexical
    keep(embedder)       what it learned, as bytes for the next time

What is learned are few things that few stories suffice for (how rare words are, what all stories have in common), so
it is learned at 50, 300 and 1,000 stories and then never again: vectors made once stay comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from newsletter.topics import lexical, minilm, wordllama
from newsletter.topics.embed import Arrays, Embedder, pack, unpack
from newsletter.topics.wordllama import Table

STAGES = (50, 300, 1_000)


class Learning(Embedder, Protocol):
    """An embedder that can tell what it learned."""

    def learned(self) -> Arrays:
        """Arrays from which it can be made again; none where it learns nothing."""
        ...


def current(kept: bytes, *, stories: int, texts: Callable[[int], Sequence[str]], model: Path | None = None) -> Learning:
    """The embedder for an archive of so many stories.

    `kept` is what `keep` gave the last time, or empty; `texts(n)` the texts (`embed.text_of`) of the n stories that
    came first; `model` a folder with a sentence model. ConfigError where that cannot be used.
    """
    if model is not None:
        return minilm.load(model)
    table = wordllama.find()
    wanted = stage(stories)
    known = _restored(kept, table)
    if known is not None and known.stories >= wanted:
        return known
    return wordllama.learn(table, texts(wanted)) if table else lexical.learn(texts(wanted))


def keep(embedder: Learning) -> bytes:
    """What an embedder learned; empty where it learns nothing."""
    learned = embedder.learned()
    return pack(learned) if learned else b""


def stage(stories: int) -> int:
    """How many stories to learn from. Before the first stage all there are: any is better than none."""
    return max((enough for enough in STAGES if enough <= stories), default=stories)


def _restored(kept: bytes, table: Table | None) -> wordllama.WordLlama | lexical.Lexical | None:
    """What was kept, unless it is damaged or of another make: then it is learned anew."""
    try:
        learned = unpack(kept)
        return wordllama.restore(table, learned) if table else lexical.restore(learned)
    except (KeyError, ValueError):
        return None
