from __future__ import annotations

import math

import pytest

from newsletter.topics.bm25 import Usage, usage, weigh


def test_usage_is_told_by_a_sample() -> None:
    """Each word by the texts that hold it, once each; the length in words."""
    told = usage(["deep deep learning", "learning"])

    assert told.share("learning") == 1.0
    assert told.share("deep") == 0.5
    assert 0 < told.share("unheard") < told.share("deep")
    assert told.length == 2.0


def test_common_words_are_not_looked_for() -> None:
    """Those in more than a tenth of the texts are left out, the rarest come first, eight at most."""
    words = {f"word{number}": number for number in range(1, 13)}
    told = Usage(texts=100, holding={**words, "common": 90, "half": 50}, length=10)

    assert told.rarest(["common", *words, "half"]) == [f"word{number}" for number in range(1, 9)]


def test_a_common_word_is_better_than_none() -> None:
    """Where all words are common, the rarest of them is looked for; where there are none, none is."""
    told = Usage(texts=100, holding={"common": 90, "half": 50}, length=10)

    assert told.rarest(["common", "half"]) == ["half"]
    assert told.rarest([]) == []


def test_an_empty_archive_tells_nothing() -> None:
    """Without texts every word counts as something."""
    assert usage([]).rarest(["word"]) == ["word"]
    assert usage([]).worth("word") >= 0


def test_weighed_as_in_the_paper() -> None:
    """By hand, with k1 = 1.2 and b = 0.75: a rare word of a short text counts most."""
    scores = weigh(["cat cat dog", "dog", "bird"], {"cat": 2.0, "dog": 0.5}, length=2.0)
    long, short = 1.2 * (0.25 + 0.75 * 1.5), 1.2 * (0.25 + 0.75 * 0.5)

    assert scores.tolist() == pytest.approx(
        [2.0 * 2 * 2.2 / (2 + long) + 0.5 * 2.2 / (1 + long), 0.5 * 2.2 / (1 + short), 0.0], rel=1e-5
    )


def test_worth_falls_with_the_share() -> None:
    """A word of half the archive is worth ln 2, one of all of it nothing."""
    told = Usage(texts=10, holding={"half": 5, "all": 10}, length=1)

    assert told.worth("half") == pytest.approx(math.log(2))
    assert told.worth("all") == 0
    assert told.worth("half", share=0.01) == pytest.approx(math.log(100))
