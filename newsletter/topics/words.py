r"""Text -> words, the same way for everything in this room: similarity, near-duplicates, labels, search.

    words(r"Pre-training LLMs for $\alpha$-RAG, naïvely")   -> ["pre", "training", "llms", "for", "rag", "naively"]
    words("大语言模型")                                     -> ["大语", "语言", "言模", "模型"]

Words are in lower case and without accents; a hyphen ends a word; numbers are words, single letters are none. Scripts
that put no spaces between words come as pairs of neighbouring characters. TeX commands are dropped.
"""

from __future__ import annotations

import re
import unicodedata

STOP = frozenset(
    """
    about above after again all also although am among an and any are as at be because been before being below
    between both but by can cannot could did do does doing down during each either et al etc few for from further had
    has have having he her here hers him his how however if in into is it its itself just less many may me might more
    most much must my neither no nor not now of off on once only onto or other our ours out over own per rather same
    she should since so some such than that the their theirs them then there therefore these they this those though
    through thus to too toward towards under until up upon us very via was we were what when where whether which while
    who whom whose why will with within without would yet you your yours
    """.split()  # noqa: SIM905 - a list of words reads better as words
)

_ACCENT = re.compile(r"\\[\"'`^~=.]\{?([a-z])\}?")  # TeX's: Poincar\'e
_COMMAND = re.compile(r"\\[a-z]+\*?")
_PLAIN_WORD = re.compile(r"[a-z0-9]{2,}(?:\+\+|#)?|[0-9]|[a-z](?:\+\+|#)", re.ASCII)

_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")  # accents, vowel points
_UNSPACED = (  # Thai to Tibetan, Burmese, Khmer, kana, Han, Hangul
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_INDIC = "\u0900-\u0963\u0966-\u0dff"  # whose vowel signs are no letters to Python, and yet parts of words
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:[^\W_{_UNSPACED}]|[{_INDIC}])+(?:\+\+|#)?")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def words(text: str) -> list[str]:
    """Every word of a text in reading order, stop words included; nothing is too strange to have none or some."""
    folded = text.casefold()
    if "\\" in folded:
        folded = _COMMAND.sub(" ", _ACCENT.sub(r"\1", folded))
    if folded.isascii():
        return _PLAIN_WORD.findall(folded)
    found: list[str] = []
    for word in _WORD.findall(_without_marks(folded)):
        if _IS_UNSPACED.match(word):
            found += [word[i : i + 2] for i in range(max(len(word) - 1, 1))]
        elif len(word) > 1 or word.isdigit() or not word.isascii():
            found.append(word)
    return found


def telling(text: str) -> list[str]:
    """The words of a text that say something: without stop words."""
    return [word for word in words(text) if word not in STOP]


def _without_marks(text: str) -> str:
    """Decomposed to take the accents off, and composed again for the scripts (Hangul) that are made of parts."""
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text))).casefold()
