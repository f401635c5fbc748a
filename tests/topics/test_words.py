from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.topics.words import STOP, telling, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Pre-training LLMs, naïvely", ["pre", "training", "llms", "naively"]),
        (r"$\alpha$-RAG by \textbf{Poincar\'e}", ["rag", "by", "poincare"]),
        ("C++ and C#, but not C", ["c++", "and", "c#", "but", "not"]),
        ("3D, 4-bit, 1.5 x", ["3d", "4", "bit", "1", "5"]),
        ("the model's", ["the", "model"]),
        ("Straße ﬁne ΣΊΣΥΦΟΣ", ["strasse", "fine", "σισυφοσ"]),
        ("大语言模型 LLM", ["大语", "语言", "言模", "模型", "llm"]),
        ("한국어 새", ["한국", "국어", "새"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("قُرآن", ["قران"]),
        ("🎉 — … _", []),
        ("", []),
    ],
)
def test_words_of_many_scripts(text: str, found: list[str]) -> None:
    """Words are folded, hyphens end them, unspaced scripts come as pairs of characters, signs are none."""
    assert words(text) == found


@given(st.text())
def test_words_are_words_again(text: str) -> None:
    """No text is too strange; and every word found is folded as far as folding goes."""
    assert all(words(word) == [word] for word in words(text))


@given(st.lists(st.sampled_from(["retrieval", "graphs", "the", "of", "naïve", "3d"])))
def test_accents_cost_nothing_but_accents(chosen: list[str]) -> None:
    """The way through decomposed characters finds the same as the short one for plain text."""
    plain = " ".join(word.replace("ï", "i") for word in chosen)

    assert words(" ".join(chosen)) == words(plain) == words(plain + " …")


def test_telling_words_are_no_stop_words() -> None:
    """What says nothing of a text is left out; what is left keeps its order."""
    assert telling("The state of the art is not what it was") == ["state", "art"]
    assert not any(word in STOP for word in telling(" ".join(STOP)))
