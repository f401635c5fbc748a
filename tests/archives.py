"""Archives for tests: with the embedder that is always there, whatever else is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from newsletter.archive import Archive
from newsletter.model import Entry, Topic
from newsletter.store import Store
from newsletter.topics import lexical
from newsletter.topics.embed import unpack
from newsletter.topics.embedders import Learning, stage
from tests.builders import NOON, an_entry

SUBJECTS = {
    "birds": "Songbirds migrate across the sea at night, and ornithologists count nests, eggs and feathers.",
    "bread": "Bakers knead dough of flour, water and yeast; sourdough loaves rise slowly in a warm oven.",
    "stars": "Telescopes watch galaxies, supernovae and distant planets orbiting stars through the night sky.",
}


def own_words(kept: bytes, *, stories: int, texts: Callable[[int], Sequence[str]]) -> Learning:
    """The lexical embedder: what was kept, or learned anew where the archive has grown enough."""
    known = lexical.restore(unpack(kept)) if kept else None
    return known if known is not None and known.stories >= stage(stories) else lexical.learn(texts(stage(stories)))


def an_archive(store: Store, *, topics: Sequence[Topic] = ()) -> Archive:
    """An archive on a store that nothing was read from yet."""
    return Archive(store, topics=topics, current=own_words)


def a_paper(number: int, subject: str, **changes: object) -> Entry:
    """An entry about one of the subjects, published so many days ago."""
    values: dict[str, object] = {
        "title": f"{subject.capitalize()}, part {number}",
        "summary": SUBJECTS[subject],
        "published": NOON - timedelta(days=number),
        "authors": (f"Ada Number{number}", "Grace Hopper"),
    }
    return an_entry(number, **{**values, **changes})


def papers(count: int = 9) -> list[Entry]:
    """Entries about all subjects in turn."""
    subjects = list(SUBJECTS)
    return [a_paper(number, subjects[number % len(subjects)]) for number in range(1, count + 1)]
