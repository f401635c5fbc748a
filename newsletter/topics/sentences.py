"""Where sentences end.

    sentences("We beat e.g. GPT-4 by 3.5 %. See Fig. 3.")   -> ["We beat e.g. GPT-4 by 3.5 %.", "See Fig. 3."]

A full stop ends a sentence when what follows looks like a new one and what stands before it is no abbreviation. After
what may be either (`et al.`, an initial) a word that begins sentences decides. Full stops of Chinese and Japanese
need no space behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_STOP = re.compile(
    r"""(?<![.!?…؟۔।])[.!?…؟۔।]++["'”’»)\]]*+(?=\s+["'“‘«(\[]?(?:[^\W_a-zß-öø-ÿ]|[a-z]+-?[A-Z0-9]))|[。！？]++[”’」』）]*+"""
)
_LAST_WORD = re.compile(r"[^\s([“‘\"']*$")
_NEVER = frozenset(
    "e.g i.e cf vs resp approx ca viz dr prof mr mrs st mt incl z.b d.h u.a bzw vgl bspw".split()  # noqa: SIM905
)
_BEFORE_NUMBER = frozenset(
    "fig figs eq eqs eqn sec secs sect ref refs tab no nos vol pp ch app thm def prop lem art nr abb kap".split()  # noqa: SIM905
)
_PERHAPS = frozenset(
    "al etc inc ltd corp co u.s u.k e.u ph.d w.r.t a.k.a s.t max min avg est jr sr univ dept".split()  # noqa: SIM905
)
_UNSPACED = re.compile(r"[。！？][”’」』）]*$")
_INITIAL = re.compile(r"(?:[A-Z]\.-?)*[A-Z]")
_OPENING = re.compile(
    r"\s+(?:We|Our|Us|The|This|These|Those|That|They|It|Its|In|On|At|As|An|A|To|For|From|By|With|When|While|Here|"
    r"However|Moreover|Further|Furthermore|Additionally|Finally|Thus|Then|Although|Since|Both|Using|Given|Code|"
    r"Experiments|Extensive|Results|Most|Existing|Recent|Despite|Each|Such|Unlike|Specifically|First|Second)\b"
)
_NUMBER = re.compile(r"\s+[\dIVX(]")
_LONGEST_WORD = 40  # characters looked at before a full stop


def joined(parts: Iterable[str]) -> str:
    """Sentences as they stand in a text: behind a Chinese or Japanese full stop there is no space."""
    text = ""
    for part in parts:
        text += part if not text or _UNSPACED.search(text) else f" {part}"
    return text


def sentences(text: str) -> list[str]:
    """The sentences of a text on one line, without the spaces between them; the last one may lack its full stop."""
    found = []
    start = 0
    for match in _STOP.finditer(text):
        if match[0][0] == "." and _is_abbreviation(text, match.start(), match.end(), start):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def _is_abbreviation(text: str, stop: int, end: int, start: int) -> bool:
    found = _LAST_WORD.search(text, max(start, stop - _LONGEST_WORD), stop)
    word = (found[0] if found else "").casefold()
    if word in _NEVER or (word.isdigit() and not text[start : stop - len(word)].strip()):
        return True  # a number that begins a sentence is that of an item
    if word in _BEFORE_NUMBER:
        return _NUMBER.match(text, end) is not None
    may_be = word in _PERHAPS or (found is not None and _INITIAL.fullmatch(found[0]) is not None)
    return may_be and not _OPENING.match(text, end)
