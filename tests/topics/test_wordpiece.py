from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece as Reference
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from newsletter.topics.wordpiece import WordPiece, words
from tests.topics.models import PIECES

OURS = WordPiece({piece: at for at, piece in enumerate(PIECES)})
THEIRS = Tokenizer(Reference(dict(OURS.vocabulary), unk_token="[UNK]"))
THEIRS.normalizer = BertNormalizer()
THEIRS.pre_tokenizer = BertPreTokenizer()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Graph-speech, C$", ["graph", "-", "speech", ",", "c", "$"]),
        ("naïve\tÉcole\u200b", ["naive", "ecole"]),
        ("大模型 ok", ["大", "模", "型", "ok"]),
        ("“q”…", ["“", "q", "”", "…"]),
        ("", []),
    ],
)
def test_words_and_signs(text: str, found: list[str]) -> None:
    """Signs and Chinese characters stand alone, case and accents are dropped."""
    assert list(words(text)) == found


def test_the_longest_pieces_are_taken() -> None:
    """A word that cannot be made of pieces as a whole is unknown as a whole."""
    pieces = [PIECES[at] for at in OURS.pieces("unable robots abz abcab", most=99)]

    assert pieces == ["[CLS]", "un", "##able", "robot", "##s", "[UNK]", "a", "##b", "##c", "##a", "##b", "[SEP]"]


def test_a_long_text_is_cut() -> None:
    """The mark of its end is always there."""
    pieces = OURS.pieces("a " * 1_000, most=16)

    assert len(pieces) == 16
    assert pieces[-1] == OURS.vocabulary["[SEP]"]


# Characters that were in Unicode long before any of the two was written: what is newer, they know or do not.
@given(st.text(st.characters(max_codepoint=0x4FF)) | st.text("abcun- .,$sé模型кат\u0301\t\u200b", max_size=40))
@example("c" * 101)
@example("İ")
@example("\ufffd\x00a")
def test_it_cuts_as_the_models_own_tokenizer(text: str) -> None:
    """Piece by piece the same, whatever the text."""
    assert OURS.pieces(text, most=10_000)[1:-1] == THEIRS.encode(text, add_special_tokens=False).ids
