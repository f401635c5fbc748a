from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.topics.keywords import Keywords, pattern

KEYWORDS = (
    *("image", "language model", "RAG", "LLM", "retrieval", "k-means", "C++", "A*", "text-to-image", "cryptograph"),
    *("4-bit", "3D", "模型", "U-Net", "dense retrieval", "class"),
)
SEARCH = Keywords(KEYWORDS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Images, and an IMAGE", {"image": 2}),
        ("Imagery of the mind", {}),
        ("Language models; a language-model", {"language model": 2}),
        ("RAG, rag and RAGs", {"RAG": 2}),
        ("llm LLMs", {"LLM": 1}),
        ("retrievals and retrieval-augmented", {"retrieval": 2}),
        ("dense retrieval", {"retrieval": 1, "dense retrieval": 1}),
        ("cryptographic proofs, cryptography", {"cryptograph": 2}),
        ("k-means, K means, but no means", {"k-means": 2}),
        ("C++ is not C", {"C++": 1}),
        ("A* search, A star, a*", {"A*": 1}),
        ("Text to images, text-to-image", {"text-to-image": 2, "image": 2}),
        ("4-bit and 14-bit", {"4-bit": 1}),
        ("3D, 3d", {"3D": 1}),
        ("大语言模型", {"模型": 1}),
        ("A U-Net; a net", {"U-Net": 1}),
        ("classes, classical", {"class": 1}),
        ("", {}),
    ],
)
def test_whole_words_are_found(text: str, found: dict[str, int]) -> None:
    """In any case and number, with a space or a hyphen; capitals, signs and single letters mean themselves."""
    assert {KEYWORDS[number]: count for number, count in SEARCH.found(text).items()} == found


@given(st.lists(st.sampled_from([*KEYWORDS, "images", "net", "a", "of", ".", "learning", "rag", "means"]), max_size=12))
def test_looking_up_words_finds_what_patterns_find(parts: list[str]) -> None:
    """The quick way through many keywords and the plain one through each agree."""
    text = " ".join(parts)
    spaced = {number for number, keyword in enumerate(KEYWORDS) if keyword != "模型"}

    found = {number: count for number, count in SEARCH.found(text).items() if number in spaced}

    assert found == {
        number: len(hits) for number in sorted(spaced) if (hits := pattern(KEYWORDS[number]).findall(text))
    }


@given(st.lists(st.text(max_size=8), max_size=4), st.text(max_size=60))
def test_any_keyword_may_be_given(keywords: list[str], text: str) -> None:
    """What an operator writes means itself, whatever it is."""
    assert all(count > 0 for count in Keywords(keywords).found(text).values())
