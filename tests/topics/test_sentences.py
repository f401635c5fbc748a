from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.topics.sentences import sentences


@pytest.mark.parametrize(
    "text",
    [
        "We beat e.g. GPT-4. | See Fig. 3. | Done!",
        "Smith et al. Map Journal is old. | So is Smith et al. | We are not.",
        "Gains of 3.5 % vs. GPT, i.e. Little, of approx. Nothing. | It is 2.5.",
        "J. B. Walker and the U.S. Map Office agree. | As in vitamin C. | We do not.",
        "The answer is no. | The question is No. 5. | 12 people asked.",
        "Maps, tables, etc. Folded ones too. | Maps, tables, etc. | We fold.",
        "Visit https://example.org/a.b?c=D. | Version 2.0.1. | Node.js runs.",
        "2. Next item. | In 2024. | Then nothing.",
        "Is it? | “It is.” | (It was.) | Wait... | No more…",
        "nnU-Net is a name. | iPhone too. | vLLM serves.",
        "大语言模型很好。 | 我们提出方法！ | 结果？ | “好。”",
        "هذا جديد؟ | نعم.",
        "no full stop at all",
    ],
)
def test_full_stops_are_told_from_sentences_ends(text: str) -> None:
    """Abbreviations, initials, decimals and addresses end no sentence; scripts without capitals or spaces have ends."""
    expected = text.split(" | ")

    assert sentences(" ".join(expected)) == expected


@given(st.text(max_size=300))
def test_nothing_is_lost(text: str) -> None:
    """The sentences, joined, are the text without the spaces between them."""
    found = sentences(text)

    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() and sentence for sentence in found)


@pytest.mark.parametrize("piece", [".", "a.", "A. ", "et al. ", "“", " ", "。", "x"])
def test_long_text_is_read_once(piece: str) -> None:
    """A hundred thousand full stops take no longer than as many letters."""
    assert sum(map(len, sentences(piece * 30_000))) <= 30_000 * len(piece)
