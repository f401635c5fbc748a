from __future__ import annotations

import sqlite3
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.topics.stem import stem, stems

ENDINGS = (
    "s",
    "es",
    "ies",
    "ed",
    "eed",
    "ing",
    "y",
    "ational",
    "ization",
    "fulness",
    "biliti",
    "ement",
    "ion",
    "e",
    "ll",
)
WORDS = st.text(string.ascii_lowercase + string.digits, min_size=3, max_size=12)


@pytest.mark.parametrize(
    ("word", "without"),
    [
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("agreed", "agre"),
        ("hopping", "hop"),
        ("filing", "file"),
        ("happy", "happi"),
        ("generalizations", "gener"),
        ("models", "model"),
        ("quantized", "quantiz"),
        ("3dgs", "3dg"),
        ("c++", "c++"),
        ("of", "of"),
        ("模型", "模型"),
        ("größen", "größen"),
    ],
)
def test_examples(word: str, without: str) -> None:
    """An ending goes where enough of the word is left; other scripts and short words stay."""
    assert stem(word) == without


@given(st.lists(st.builds("".join, st.tuples(WORDS, st.sampled_from(ENDINGS))), min_size=1, max_size=50))
def test_agrees_with_another_porter(words: list[str]) -> None:
    """SQLite's own tokenizer `porter` takes the same endings off."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE held USING fts5(word, tokenize = 'porter ascii')")
    db.execute("CREATE VIRTUAL TABLE stems USING fts5vocab(held, instance)")
    db.executemany("INSERT INTO held (rowid, word) VALUES (?, ?)", list(enumerate(words)))
    theirs = dict(db.execute("SELECT doc, term FROM stems"))
    db.close()

    assert stems(words) == [theirs[number] for number in range(len(words))]


@given(st.text())
def test_any_text_has_a_stem(word: str) -> None:
    """Whatever it is, it is never longer, and nothing is raised."""
    assert len(stem(word)) <= len(word)
