"""Summaries that somebody else wrote: what a source gives, and what a language model may be asked for.

Either is untrusted text. Of it one or two plain sentences are taken, or nothing: never an address, an identifier or
markup, since a model invents those and a reader would follow them.
"""

from __future__ import annotations

import re

from newsletter.topics.sentences import joined, sentences
from newsletter.topics.tex import plain

LIMIT = 320  # characters of what a card shows
SENTENCES = 2

_READ = 2_000
_LEAST = 20  # characters: "N/A", "Summary:", "I cannot help."
_MARKS = re.compile(r"\*\*|__|`+|^\s*(?:[-*•>#]+|\d+[.)])\s+", re.MULTILINE)
_LABEL = re.compile(r"\A\W*(?:tl;?\s?dr|summary|abstract|answer)\s?[:.—–]\W*", re.IGNORECASE)
_REFUSED = re.compile(
    r"</?[a-z!]|\]\(|\A[{\[]|\"\s*:"  # HTML, links of Markdown, JSON
    r"|://|\bwww\.|\b[\w-]+\.(?:com|org|net|io|ai|co|edu|gov)\b|\S@\S"  # addresses
    r"|\b\d{4}\.\d{4,5}\b|\b10\.\d{4,}/|\barxiv:",  # identifiers
    re.IGNORECASE,
)


def accept(answer: str) -> str | None:
    """The first sentence or two of an answer, at most 320 characters; None where it is not fit to be shown."""
    text = _MARKS.sub("", plain(answer[:_READ]))
    text = " ".join("".join(map(_shown, text)).split()).strip("\"'“”")
    text = _LABEL.sub("", text, count=1)
    found = sentences(text)[:SENTENCES]
    while found and len(joined(found)) > LIMIT:
        found.pop()
    shown = joined(found)
    return shown if len(shown) >= _LEAST and not _REFUSED.search(shown) else None


def _shown(char: str) -> str:
    """The character, a space for white space and controls, nothing for what has no width or no meaning."""
    if char.isprintable():
        return char
    return " " if char.isspace() or char < " " else ""
