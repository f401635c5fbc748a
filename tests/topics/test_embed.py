from __future__ import annotations

import numpy as np
import pytest

from newsletter.topics import lexical
from newsletter.topics.embed import Embedded, digest, pack, text_of, unit_rows, unpack
from tests.builders import a_story

TEXTS = ["graphs and nodes", "speech and voices", "nodes of a graph"]


def test_a_text_is_capped() -> None:
    """Of an article as long as a book no more is looked at than of a long abstract."""
    assert len(text_of("t" * 1_000_000, "s" * 1_000_000)) < 7_000
    assert text_of("Title", "Abstract.") == "Title. Title. Abstract."


def test_rows_come_out_with_length_one() -> None:
    """Whatever their length was; nothing stays nothing."""
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [-2.0, 0.0]]))

    assert rows.dtype == np.float32
    assert np.allclose(rows, [[0.6, 0.8], [0.0, 0.0], [-1.0, 0.0]])


def test_what_was_learned_can_be_kept() -> None:
    """Bytes give the arrays back, and bytes of something else are refused."""
    learned = {"numbers": np.arange(3, dtype=np.float16), "words": np.array("a\nb")}

    unpacked = unpack(pack(learned))

    assert unpacked["numbers"].tolist() == [0, 1, 2]
    assert str(unpacked["words"]) == "a\nb"
    for damaged in (b"", b"PK\x03\x04", b"something else"):
        with pytest.raises(ValueError, match="no arrays"):
            unpack(damaged)


def test_a_digest_tells_contents_apart() -> None:
    """It is short, the same for the same, and another for another."""
    assert digest([b"a", b"b"]) == digest([b"a", b"b"]) != digest([b"a", b"c"])
    assert len(digest([])) == 8


def test_embedded_stories_are_joined_once() -> None:
    """Of a story that is in both, the first one's row counts."""
    embedder = lexical.learn(TEXTS)
    day = Embedded.of([a_story(1, title=TEXTS[0]), a_story(2, title=TEXTS[1])], embedder)
    archive = Embedded.of([a_story(2, title=TEXTS[0]), a_story(3, title=TEXTS[2])], embedder)

    joined = day.joined(archive)

    assert [story.key for story in joined.stories] == [a_story(number).key for number in (1, 2, 3)]
    assert np.array_equal(joined.vectors, np.vstack([day.vectors, archive.vectors[1:]]))
