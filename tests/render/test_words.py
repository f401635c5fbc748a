from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.render import words


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("One. Two. Three.", "One. Two."),
        ("We gain 3.5 points. This is, e.g. Nothing new. Three.", "We gain 3.5 points. This is, e.g. Nothing new."),
        ("As A. Example et al. Showed, it works. Two! Three.", "As A. Example et al. Showed, it works. Two!"),
        ("Is it? 31 % of it. Three.", "Is it? 31 % of it."),
        ("He said “no.” Then yes. Three.", "He said “no.” Then yes."),
        ("長い文脈は高価である。我々は索引を保つ。三つ目。", "長い文脈は高価である。我々は索引を保つ。"),
        ("no full stop at all", "no full stop at all"),
        ("", ""),
    ],
)
def test_a_summary_is_two_whole_sentences(text: str, start: str) -> None:
    """Two sentences are kept; figures, abbreviations and initials end none."""
    assert words.sentences(text) == start


def test_only_sentences_that_fit_are_kept() -> None:
    """A second sentence that does not fit goes as a whole; a first that does not fit is clipped at a word."""
    long = "Word " + "word " * 70 + "end."
    assert words.sentences(f"Short one. {long} Third.") == "Short one."
    clipped = words.sentences(f"{long} {long}", limit=100)
    assert clipped.endswith("word…")
    assert len(clipped) <= 100


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=600), st.integers(1, 4), st.integers(20, 330))
def test_sentences_begin_the_text(text: str, count: int, limit: int) -> None:
    """What is kept of a text is its beginning, within the limit."""
    kept = words.sentences(text, count, limit)
    assert len(kept) <= limit
    assert text.startswith(kept.removesuffix("…").rstrip(" ,;:–—-(") if kept.endswith("…") else kept)


def test_a_long_text_is_not_read_to_its_end() -> None:
    """No more of a hostile summary is looked at than could be shown; all of this one would take hours."""
    assert len(words.sentences("." * 1_000_000 + "a")) <= 320


def test_clipping_keeps_words_whole() -> None:
    """A clipped text ends after a word, without its punctuation, with an ellipsis."""
    assert words.clip("Attention, and what follows", 13) == "Attention…"
    assert words.clip("Attention", 9) == "Attention"


def test_clipping_keeps_letters_whole() -> None:
    """Where there is no space to cut at, a letter keeps its accents and an emoji its parts."""
    assert words.clip("a" * 7 + "e\u0301\u0301" + "b" * 9, 10) == "a" * 7 + "…"
    assert words.clip("a" * 8 + "👩\u200d🔬" + "b" * 9, 11) == "a" * 8 + "…"


def test_hosts_are_told_without_www() -> None:
    """A host stands for an address that has no author, without the www that says nothing."""
    assert words.host("https://www.example.org:8443/a") == "example.org"
    assert words.host("") == ""
