"""What mails say in each language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.language import ENGLISH, languages, speak
from newsletter.model import Signals
from newsletter.render import phrases


def test_nouns_follow_their_figure() -> None:
    """One is singular, every other number plural."""
    told = [phrases.counted(ENGLISH, n, "paper") for n in (0, 1, 2, 1204)]
    assert told == ["0 papers", "1 paper", "2 papers", "1,204 papers"]
    assert phrases.counted(ENGLISH, 2, "story") == "2 stories"
    with pytest.raises(ValueError, match="no such noun: goose"):
        phrases.counted(ENGLISH, 2, "goose")


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
    assert phrases.names(ENGLISH, list(authors), count) == line


def test_signals_are_words() -> None:
    """Signals are words beside their signs, singular where one, and absent where zero or unknown."""
    assert (
        phrases.signals(ENGLISH, Signals(upvotes=261, comments=25, stars=3412))
        == "▲ 261 upvotes · 25 comments · ★ 3.4k stars"
    )
    assert phrases.signals(ENGLISH, Signals(upvotes=1, comments=0, stars=1)) == "▲ 1 upvote · ★ 1 star"
    assert phrases.signals(ENGLISH, Signals()) == ""


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
    assert phrases.subject(ENGLISH, newsletter, titles) == line
    assert len(line) <= 78


def test_links_have_words() -> None:
    """The known kinds of links have their own words; others are called what they are."""
    assert [phrases.label(ENGLISH, rel) for rel in ("code", "pdf", "slides", "")] == ["Code", "PDF", "Slides", "Link"]


def test_other_languages_have_their_own_manner() -> None:
    """Words, plurals, figures and lists are those of the language; names are nobody's to translate."""
    german, french, arabic = speak("de"), speak("fr-CA"), speak("ar")
    counts = Signals(upvotes=1, comments=1204)

    assert phrases.signals(german, counts) == "▲ 1 Stimme · 1.204 Kommentare"
    assert phrases.names(german, ["A", "B", "C", "D", "E"], 9) == "A, B, C und 6 weitere"
    assert phrases.names(french, ["A", "B"]) == "A et B"
    assert [phrases.counted(arabic, n, "paper") for n in (1, 2, 3, 11)] == [
        "ورقة واحدة",
        "ورقتان",
        "3 أوراق",
        "11 ورقة",
    ]
    assert phrases.subject(french, "Courrier", ["Un titre", "B", "C"]) == "Courrier: Un titre et 2 autres"


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=40), st.lists(st.text(max_size=120), max_size=4), st.sampled_from(languages()))
def test_no_text_breaks_a_sentence(newsletter: str, titles: list[str], tag: str) -> None:
    """Whatever a title or a name holds, percent signs and braces too, it stands in the sentence as it is."""
    language = speak(tag)

    assert len(phrases.subject(language, newsletter, titles)) <= 78
    assert titles[:1] == [] or titles[0][:5] in phrases.names(language, titles[:1])
