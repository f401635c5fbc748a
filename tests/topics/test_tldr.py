from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.topics.sentences import sentences
from newsletter.topics.tldr import LIMIT, accept


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("MapFold folds maps with one table.", "MapFold folds maps with one table."),
        ("**TL;DR:** MapFold folds maps well.", "MapFold folds maps well."),
        ("- Summary: `MapFold` folds maps well.\n", "MapFold folds maps well."),
        ("Fewer errors (p < 0.05) on [MASK] tokens.", "Fewer errors (p < 0.05) on [MASK] tokens."),
        ("First comes this one. Then this one. And a third.", "First comes this one. Then this one."),
        ("It needs $O(n^2)$ time, 3\\% more.", "It needs O(n²) time, 3% more."),
        ("  \u202eMaps\u200b fold\x00 themselves now.", "Maps fold themselves now."),
        ("Maps fold by themselves. " + "Word " * 80 + "end.", "Maps fold by themselves."),
    ],
)
def test_a_plain_sentence_or_two_are_taken(answer: str, shown: str) -> None:
    """Marks, labels and what follows the second sentence are dropped."""
    assert accept(answer) == shown


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "N/A",
        "word " * 100,
        "See https://example.org/a for the details of it.",
        "The code of it is at example.com for everybody.",
        "Write to author@example.org to get the maps.",
        "As shown in 2611.01234, maps fold by themselves.",
        "As shown in doi 10.1000/182, maps fold by themselves.",
        "[MapFold](https://example.org) folds maps well.",
        "<b>MapFold</b> folds maps by itself.",
        '{"summary": "MapFold folds maps by itself"}',
        "MapFold folds maps <script>alert(1)</script> well.",
    ],
)
def test_what_a_reader_might_follow_is_refused(answer: str) -> None:
    """Addresses, identifiers and markup of any kind make an answer unfit, and so does one that says nothing."""
    assert accept(answer) is None


@given(st.text(max_size=600))
def test_whatever_comes_is_bounded(answer: str) -> None:
    """An accepted answer is one line of at most two sentences and 320 characters, without controls."""
    shown = accept(answer)

    if shown is not None:
        assert 20 <= len(shown) <= LIMIT
        assert shown.isprintable()
        assert len(sentences(shown)) <= 2
