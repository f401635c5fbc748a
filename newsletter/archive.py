"""The archive follows what is collected, so that it can be searched by words and by meaning.

    store.entries | merge | store.stories.file           the words, day and sources of each story
                  | embed, assign | store.stories.put    its vector and its topic
    store.stories.since -> an index in memory

Every step is small and may stop anywhere; the next call goes on. Sending mail needs none of it: an archive that lags
behind costs answers, nothing else.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Protocol

from newsletter.errors import NotReady
from newsletter.model import Story, Topic
from newsletter.sources.identity import arxiv_id, canonical_url, normal_doi, title_key
from newsletter.store import Store
from newsletter.store.entries import Seen
from newsletter.store.stories import Filed, Filing, Made
from newsletter.store.words import Held
from newsletter.topics import embedders
from newsletter.topics.assign import assign
from newsletter.topics.bm25 import usage
from newsletter.topics.embed import Embedded, text_of
from newsletter.topics.embedders import Learning
from newsletter.topics.index import Index, Placed, Shelf
from newsletter.topics.merge import TITLE, Sighting, merge
from newsletter.topics.search import indexed
from newsletter.topics.vectors import packed, restored, stacked

_EMBEDDER = "embedder"
_STEP = 200  # changes, or vectors, in one transaction: a tenth of a second on SQLite, where others wait for it
_ROWS = 50_000  # stories read into the index at once
_SAMPLE = 2_000  # stories that tell how common words are
_WORDS, _AUTHORS = 4_000, 1_000  # of one story that are indexed; an abstract has 200 words
_BACKGROUND = 500  # stories that those of a step are compared with
_PATIENCE = 0.2  # seconds to wait for the first reading: that of a small archive is over by then
_GROWN = 1.1  # so many times as large, the archive is sampled again


class Current(Protocol):
    """Which embedder to use: see `topics.embedders.current`."""

    def __call__(self, kept: bytes, *, stories: int, texts: Callable[[int], Sequence[str]]) -> Learning:
        """The one for an archive of so many stories, from what was kept of the last one."""
        ...


class Archive:
    """The archive of an open store, with its embedder and an index of it in memory; threads may share one."""

    def __init__(self, store: Store, *, topics: Sequence[Topic] = (), current: Current = embedders.current) -> None:
        """`topics` are those that stories are assigned to when they come. Nothing is read before it is needed."""
        self.store = store
        self._topics = topics
        self._current = current
        self._lock = threading.Lock()  # of what is learned
        self._embedder: Learning | None = None
        self._lesson = 0  # the revision of what it learned
        self._stage = 0  # the number of stories that were enough for it
        self._reading = threading.Lock()  # of the index, and of what follows
        self._index = Index.empty(0)
        self._version = ""  # of the embedder whose vectors are in it
        self._revision = 0  # of the stories that are in it
        self._is_whole = False  # whether it had all of them once
        self._sampled = 0  # stories in the index when the words were counted

    @property
    def embedder(self) -> Learning:
        """The embedder of the vectors that are compared now."""
        with self._lock:
            return self._ready()

    def index(self) -> Index:
        """Every story of the archive, as it is now. NotReady while another thread reads them for the first time."""
        if not self._reading.acquire(timeout=-1 if self._is_whole else _PATIENCE):
            raise NotReady("the archive is being read; in a moment it can be searched")
        try:
            embedder = self.embedder
            if embedder.version != self._version:
                self._index, self._version = Index.empty(embedder.dimensions), embedder.version
                self._revision = self._sampled = 0
                self._is_whole = False
            while filed := self.store.stories.since(self._revision, embedder=self._version, most=_ROWS):
                self._index = self._index.joined([_placed(one) for one in filed])
                self._revision = filed[-1].revision
            if len(self._index) > self._sampled * _GROWN:
                self._sampled = len(self._index)
                self._index = replace(self._index, usage=usage(self.store.stories.words.sample(_SAMPLE)))
            self._index.prepare()
            self._is_whole = True
            return self._index
        finally:
            self._reading.release()

    def catch_up(self, *, most: int | None = None) -> int:
        """File what changed and embed what lacks a vector, until nothing is left or `most` was done; how much was."""
        done = 0
        while most is None or done < most:
            filed = self.store.stories.file(self._described, most=_STEP) if self.store.stories.waiting() else 0
            step = filed + self._embed()
            if not step:
                break
            done += step
        return done

    def recent(self, most: int) -> Embedded:
        """The stories that came last, with their vectors."""
        embedder = self.embedder
        vectors = self.store.stories.latest(embedder.version, most=most)
        stories = self.stories(list(vectors))
        return Embedded(tuple(stories.values()), restored([vectors[story] for story in stories], embedder.dimensions))

    def embedded(self, stories: Sequence[Story]) -> Embedded:
        """These stories with their vectors: those that are kept, and for the others such as are made now."""
        embedder = self.embedder
        kept = self.store.stories.vectors([story.key for story in stories], embedder=embedder.version)
        bare = [story for story in stories if story.key not in kept]
        made = dict(zip((story.key for story in bare), Embedded.of(bare, embedder).vectors, strict=True))
        known = dict(zip(kept, restored(list(kept.values()), embedder.dimensions), strict=True))
        rows = [known[story.key] if story.key in known else made[story.key] for story in stories]
        return Embedded(tuple(stories), stacked(rows, embedder.dimensions))

    def stories(self, ids: Sequence[int]) -> Mapping[int, Story]:
        """The stories themselves, in the same order; one that is gone is absent."""
        return {story: story_of(seen) for story, seen in self.store.stories.told(ids).items()}

    def find(self, names: Sequence[str]) -> Mapping[str, list[int]]:
        """The ids of the stories that names stand for: a key, arXiv id, DOI, address or title; none for one unknown."""
        keys = {name: _keys(name) for name in names}
        ids = self.store.stories.find([key for some in keys.values() for key in some]) if names else {}
        return {name: list(dict.fromkeys(ids[key] for key in some if key in ids)) for name, some in keys.items()}

    # --- filing and embedding

    def _described(self, told: Mapping[str, Sequence[Seen]]) -> list[Filing]:
        return [self._filing(key, story_of(seen)) for key, seen in told.items()]

    def _filing(self, key: str, story: Story) -> Filing:
        words = indexed(story.title) * 2 + indexed(story.summary)  # as `text_of` has them
        authors = (" ".join(indexed(name)) for name in story.authors[:_AUTHORS])
        return Filing(
            key=key,
            day=_day(story),
            sources=tuple(sorted({mention.source for mention in story.mentions})),
            held=Held(words=" ".join(words[:_WORDS]), authors="\n".join(filter(None, authors))),
            digest=hashlib.sha256(_text(story).encode()).hexdigest(),
        )

    def _embed(self) -> int:
        with self._lock:
            embedder = self._ready(stage=embedders.stage(self._stories_to_learn_from()))
        bare = self.store.stories.bare(embedder.version, most=_STEP)
        stories = self.stories([one.id for one in bare]) if bare else {}
        known = [one for one in bare if one.id in stories]
        if known:
            day = Embedded.of((stories[one.id] for one in known), embedder)
            made = map(Made, packed(day.vectors), self._topics_of(day, embedder))
            self.store.stories.put(dict(zip(known, made, strict=True)), embedder=embedder.version)
        return len(known)

    def _topics_of(self, day: Embedded, embedder: Learning) -> list[str]:
        """The name of the topic of each story, compared with those before."""
        if not self._topics:
            return [""] * len(day.stories)
        assigned = assign(day, self._topics, embedder=embedder, background=self.recent(_BACKGROUND))
        return [one.topic.name if one.topic else "" for one in assigned]

    # --- learning, with the lock held

    def _ready(self, *, stage: int = 0) -> Learning:
        """The embedder that every process uses now; one that learned from so many stories, if there are."""
        stale = self._lesson != self.store.learned.revision(_EMBEDDER)
        if self._embedder is None or stale or stage > self._stage:
            self._learn()
        assert self._embedder is not None  # noqa: S101  # it has just been made
        return self._embedder

    def _learn(self) -> None:
        """Take what is kept, learn more if the archive has it, keep that; of several processes one is the teacher."""
        stories = self._stories_to_learn_from()
        while True:
            self._lesson, kept = self.store.learned.get(_EMBEDDER)
            embedder = self._current(kept, stories=stories, texts=self._texts)
            learned = embedders.keep(embedder)
            if learned in (b"", kept):
                break
            if self.store.learned.put(_EMBEDDER, learned, after=self._lesson):
                self._lesson += 1
                break
        self._stage = embedders.stage(stories)
        self._embedder = embedder

    def _stories_to_learn_from(self) -> int:
        return len(self.store.stories.first(embedders.STAGES[-1]))

    def _texts(self, most: int) -> list[str]:
        return [_text(story) for story in self.stories(self.store.stories.first(most)).values()]


def story_of(seen: Sequence[Seen]) -> Story:
    """The one story that all entries of a key make."""
    (story,) = merge(map(sighting, seen))
    return story


def sighting(seen: Seen) -> Sighting:
    """An entry as `merge` takes it."""
    return Sighting(entry=seen.entry, first_seen=seen.first_seen, title_name=TITLE + title_key(seen.entry.title))


def _keys(name: str) -> list[str]:
    """The keys that a name of a story may stand for."""
    name = name.strip().replace("\0", "")
    spelled = {
        "arxiv": arxiv_id(name),
        "doi": normal_doi(name),
        "url": canonical_url(name),
        "title": title_key(name),
    }
    return [name, *(f"{kind}:{key}" for kind, key in spelled.items() if key)]


def _text(story: Story) -> str:
    return text_of(story.title, story.summary)


def _day(story: Story) -> date:
    """When it was published, as far as that is believable; else when it was first seen."""
    first_seen = story.first_seen or datetime.now(UTC)
    return min(story.published or first_seen, first_seen).date()


def _placed(filed: Filed) -> Placed:
    return Placed(filed.id, filed.day, Shelf(filed.topic, filed.sources), filed.vector)
