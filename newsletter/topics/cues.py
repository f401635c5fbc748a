"""What a sentence of an abstract does: it tells the contribution, a result, or neither.

    weigh(sentences, title) -> how well each would stand for the paper

Judged by the phrases that authors use ("we propose", "outperforms"), by the words it shares with the title and by where
it stands. The weights were set by hand, a strong cue counting two; they are not fitted to any papers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PAPER = r"(?:paper|work|study|article|report|survey|thesis|review)"
_PROPOSES = re.compile(
    r"\bwe (?:\w+ ){0,2}(?:propose|present|introduce|develop|devise|unveil|release)\b"
    rf"|\b{_PAPER} (?:proposes|presents|introduces|develops)\b"
    r"|\b(?:is|are) (?:proposed|presented|introduced)\b",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"\bwe (?:\w+ )?(?:propose|present|introduce|develop|describe|design|build|study|investigate|explore|examine|show|"
    r"demonstrate|construct|formulate|address|tackle|offer|contribute|find|reveal|prove|argue|ask|compare|evaluate|"
    r"measure|test|analy[sz]e|conduct)\b"
    rf"|\b{_PAPER} (?:proposes|presents|introduces|develops|describes|investigates|studies|explores|examines|addresses|"
    r"provides|offers|surveys|reviews|shows)\b",
    re.IGNORECASE,
)
_HINT = re.compile(
    rf"\bin this {_PAPER}\b|\bhere,? we\b|\bnovel\b|\bnew\b|\bfirst\b|\bour\b|\b(?:called|named|dubbed|termed)\b"
    r"|\bto (?:address|this end|bridge|overcome|tackle|solve)\b|\bkey (?:idea|insight)",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"\b(?:outperform\w*|achiev\w*|surpass\w*|exceed\w*|improv\w*|reduc\w*|speed-?ups?|faster|state-of-the-art|sota|"
    r"superior|results?|experiments?|evaluations?|demonstrat\w*|show(?:s|ed|ing)?|reveal\w*|find|found|findings|"
    r"significant\w*|consistently|gains?|comparable|competitive|effectiv\w*|robust\w*)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_PROBLEM = re.compile(
    r"\b(?:suffer\w*|remains?|lacks?|challeng\w+|struggl\w+|demands|fails? to|limited by|existing|current)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"https?:|www\.|\bgithub\b|\bproject (?:web)?(?:page|site)"
    r"|\b(?:code|data|models?|weights|dataset|page|demo)s? (?:\w+ ){0,6}(?:available|released|public|open-sourced?)\b",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"[\"“(]*(?:It|They|These|Those|This|That|Such|Its|Their|He|She|Both of (?:them|these)|The (?:former|latter))\b"
    rf"(?! {_PAPER}\b)",
    re.IGNORECASE,
)
_LINKED = re.compile(
    r"(?:However|But|Yet|Moreover|Furthermore|Additionally|Besides|Also|Nevertheless|Specifically|Finally|Then|Thus|"
    r"Therefore|As a result|Consequently|Second|Third|In contrast|Meanwhile|Further|In addition|"
    r"We (?:also|then|further))\b"
)
_BEFORE = re.compile(r"(?:Background|Motivation|Context|Introduction|Importance)\b\W")  # of a structured abstract
_NAMED = re.compile(r"([^:]{2,40}):\s")  # "LongSplat: Robust …"
_WORD = re.compile(r"\w{4,}")
_STEM = 6  # letters by which words are compared: "optimize", "optimization"

_STRONG, _WEAK, _MOST_WEAK = 2.0, 0.5, 2
_LATER = 0.12  # per sentence: the contribution is told once, and then its details
_IDEAL, _PER_HUNDRED = 180, 0.3  # characters; what is longer leaves no room for a result
_TOO_SHORT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """How well a sentence would tell the contribution, and a result; whether it `leans` on the one before it.

    `cues` counts the phrases found, of either sort: none in a whole text means that this is no abstract in English.
    """

    text: str
    contribution: float
    result: float
    cues: int
    leans: bool


def weigh(sentences: Sequence[str], title: str) -> list[Weighed]:
    """Each sentence of an abstract, weighed; `title` is that of the paper."""
    named = _NAMED.match(title)
    name = named[1] if named else ""
    stems = _stems(title)
    last = max(len(sentences) - 1, 1)
    return [
        _weighed(
            sentence,
            number=number,
            end=number / last,
            shared=_share(stems, sentence),
            named=bool(name) and name in sentence,
        )
        for number, sentence in enumerate(sentences)
    ]


def _weighed(sentence: str, *, number: int, end: float, shared: float, named: bool) -> Weighed:
    proposes, does = bool(_PROPOSES.search(sentence)), bool(_DOES.search(sentence))
    results = len(_RESULT.findall(sentence))
    against = _against(sentence)
    return Weighed(
        text=sentence,
        contribution=_STRONG * proposes
        + _STRONG / 2 * (does + named)
        + _WEAK * min(len(_HINT.findall(sentence)), _MOST_WEAK)
        + _STRONG * shared
        - _LATER * number
        - _PER_HUNDRED * max(0, len(sentence) - _IDEAL) / 100
        - _WEAK * bool(_LINKED.match(sentence))
        - against,
        result=_WEAK * min(results, 2 * _MOST_WEAK)
        + _WEAK * min(len(_FIGURE.findall(sentence)), _MOST_WEAK) * bool(results)
        + _WEAK * (shared + end)
        - _WEAK * len(_PROBLEM.findall(sentence))
        - against,
        cues=proposes + does + results,
        leans=bool(_LEANS.match(sentence)),
    )


def _against(sentence: str) -> float:
    """What speaks against showing a sentence at all."""
    return (
        _STRONG * (bool(_CODE.search(sentence)) + bool(_BEFORE.match(sentence)))
        + _STRONG / 2 * (sentence.endswith("?") + (len(sentence) < _TOO_SHORT))
        + _WEAK * bool(_LINKED.match(sentence))
    )


def _share(stems: frozenset[str], sentence: str) -> float:
    """How much of the title a sentence takes up, 0 to 1."""
    return len(stems & _stems(sentence)) / len(stems) if stems else 0.0


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in _WORD.findall(text.casefold()))
