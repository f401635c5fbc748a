from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.topics import lexical
from newsletter.topics.embed import pack, unpack

ARCHIVE = [
    "retrieval of documents with dense embeddings",
    "search over documents and passages",
    "dense retrieval for search engines",
    "speech recognition with microphones",
    "voices, speech and sound",
    "recognition of sound and voices",
]


def test_texts_about_the_same_are_near() -> None:
    """They share words, and rare ones tell more than common ones."""
    asked, near, far = lexical.learn(ARCHIVE).embed(
        ["passages for search", "documents and passages", "microphones and sound"]
    )

    assert asked @ near > asked @ far + 0.2


def test_rows_have_length_one_or_nothing() -> None:
    """A text of which no word is known gives zeros, and an empty one too."""
    rows = lexical.learn(ARCHIVE).embed(["speech", "unheard-of", "", "the"])

    assert rows.shape == (4, 256)
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("stories", [0, 1, 2])
def test_an_archive_of_next_to_nothing(stories: int) -> None:
    """From no story nothing is learned, from one its words."""
    embedder = lexical.learn(ARCHIVE[:stories])

    assert embedder.stories == stories
    assert bool(embedder.embed(ARCHIVE[:1]).any()) == bool(stories)


def test_what_was_learned_comes_back() -> None:
    """Restored from bytes it is of the same version and gives the same vectors."""
    embedder = lexical.learn(ARCHIVE)
    restored = lexical.restore(unpack(pack(embedder.learned())))

    assert restored.version == embedder.version
    assert np.array_equal(restored.embed(ARCHIVE), embedder.embed(ARCHIVE))


def test_the_version_tells_what_was_learned() -> None:
    """It names the number of stories, and differs where they differ."""
    assert lexical.learn(ARCHIVE).version.startswith("lexical-1/6-")
    assert lexical.learn(ARCHIVE).version == lexical.learn(ARCHIVE).version
    assert lexical.learn(ARCHIVE).version != lexical.learn([*ARCHIVE[:5], "graphs"]).version


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(), max_size=5), st.text())
def test_any_text_can_be_learned_from(texts: list[str], asked: str) -> None:
    """No archive gives anything but finite rows of length one or zeros."""
    rows = lexical.learn(texts).embed([*texts, asked])
    lengths = np.linalg.norm(rows, axis=1)

    assert np.all(np.isclose(lengths, 1, atol=1e-3) | (lengths == 0))
