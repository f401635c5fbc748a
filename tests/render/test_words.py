from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Signals
from newsletter.render import words


def test_a_date_is_written_out() -> None:
    """A date has its weekday and the month's name, in English whatever the locale."""
    assert words.full_date(date(2026, 11, 20)) == "Friday, 20 November 2026"
    assert words.full_date(date(2027, 1, 3)) == "Sunday, 3 January 2027"


@pytest.mark.parametrize(
    ("number", "short"),
    [
        (0, "0"), (999, "999"), (1000, "1k"), (3412, "3.4k"), (9949, "9.9k"), (9960, "10k"), (12_345, "12k"),
        (999_499, "999k"), (999_500, "1M"), (1_234_567, "1.2M"),
    ],
)  # fmt: skip
def test_large_figures_are_short(number: int, short: str) -> None:
    """From a thousand on a figure has at most four characters, and rounding never gives 1000k."""
    assert words.compact(number) == short


def test_nouns_follow_their_figure() -> None:
    """One is singular, every other number plural."""
    assert [words.counted(n, "paper") for n in (0, 1, 2, 1204)] == ["0 papers", "1 paper", "2 papers", "1,204 papers"]


@pytest.mark.parametrize(
    ("authors", "count", "line"),
    [
        ("", 0, ""), ("", 1, "1 author"), ("", 664, "664 authors"), ("A", 1, "A"), ("AB", 2, "A and B"),
        ("ABC", 0, "A, B and C"), ("ABCD", 4, "A, B, C and D"), ("ABCDE", 5, "A, B, C and 2 more"),
        ("ABC", 15, "A, B, C and 12 more"), ("AB", 10, "A, B and 8 more"), ("ABCDE", 1664, "A, B, C and 1,661 more"),
    ],
)  # fmt: skip
def test_authors_are_named_or_counted(authors: str, count: int, line: str) -> None:
    """Up to four authors are all named; of more, three are and the others counted, told or not told by name."""
    assert words.names(list(authors), count) == line


def test_signals_are_words() -> None:
    """Signals are words beside their signs, singular where one, and absent where zero or unknown."""
    assert words.signals(Signals(upvotes=261, comments=25, stars=3412)) == "▲ 261 upvotes · 25 comments · ★ 3.4k stars"
    assert words.signals(Signals(upvotes=1, comments=0, stars=1)) == "▲ 1 upvote · ★ 1 star"
    assert words.signals(Signals()) == ""


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


@settings(deadline=None, max_examples=200)
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


@pytest.mark.parametrize(
    ("newsletter", "titles", "line"),
    [
        ("Daily Papers", [], "Daily Papers: nothing new"),
        ("Daily Papers", ["One title"], "Daily Papers: One title"),
        ("Daily Papers", ["One title", "Two"], "Daily Papers: One title and 1 more"),
        ("The Weekly Gazette of Everything and More", ["One title", "Two"], "One title and 1 more"),
        (
            "Daily Papers",
            ["Sparse Attention at a Third of the Cost: Choosing Keys by the Questions They Answered", *"ABCDEFGHIJK"],
            "Daily Papers: Sparse Attention at a Third of the Cost: Choosing… and 11 more",
        ),
    ],
)
def test_the_subject_says_what_comes(newsletter: str, titles: list[str], line: str) -> None:
    """The subject has the newsletter's name where there is room for it, the first title and the number of others."""
    assert words.subject(newsletter, titles) == line
    assert len(line) <= 78


def test_hosts_are_told_without_www() -> None:
    """A host stands for an address that has no author, without the www that says nothing."""
    assert words.host("https://www.example.org:8443/a") == "example.org"
    assert words.host("") == ""


def test_links_have_words() -> None:
    """The known kinds of links have their own words; others are called what they are."""
    assert [words.label(rel) for rel in ("code", "pdf", "slides", "")] == ["Code", "PDF", "Slides", "Link"]
