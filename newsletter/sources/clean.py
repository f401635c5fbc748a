"""Text, HTML and addresses out of feeds: hostile until they have been through here."""

from __future__ import annotations

import html
import re
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

import nh3
from w3lib.url import safe_url_string

LONGEST = 100_000  # characters of markup: nh3 takes more than linear time for some inputs
DEEPEST = 100  # open elements: 0.5 s for 100 kB of nested <div>
LONGEST_URL = 2_048
SUMMARY = 2_500  # the longest arXiv abstract has 1,923
_OLDEST_YEAR = 1990  # static site generators write 0001-01-01 or 1970-01-01 for "no date"

# Controls (C0, C1), bidirectional overrides that let text read as another, byte order marks, and surrogates, which
# JSON can hold and UTF-8 cannot.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_BLANK = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")  # as `str.split` sees them
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_ANY_TAG = re.compile(r"<[^>]*>?")
_HUGE_TAG = re.compile(r"<[^<>]{8000,}>?")  # a data: image, or thousands of attributes
_HUGE_NUMBER = re.compile(r"&#(?:\d{8,}|[xX][0-9a-fA-F]{8,});?")  # no character; too long for `int` at 4,300 digits
_BREAK = re.compile(
    r"</?(?:p|br|div|li|ul|ol|dl|dt|dd|tr|td|th|table|h[1-6]|hr|pre|blockquote|section|article|figure|figcaption)\b",
    re.IGNORECASE,
)
# Elements that hold nothing or that the next one closes do not nest.
_FLAT = frozenset(
    "area base br col dd dt embed hr img input li link meta option p param source td th tr track wbr".split()  # noqa: SIM905 - reads as the list it is
)
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_SCHEMES = {"http", "https", "mailto"}
_TEXT_ONLY = nh3.Cleaner(tags=set(), attributes={})
_ENOUGH = 8  # times as much markup as text is wanted
_MARGIN = 100  # characters at its end that may be half a name or number


def one_line(text: str) -> str:
    """Text that is no markup: without control characters, white space collapsed."""
    return " ".join(_UNWANTED.sub("", text).split())


def plain_text(markup: str, *, most: int = 0) -> str:
    """What a reader sees of HTML, on one line: no tags, scripts or styles, entities resolved.

    With `most`, only the beginning of what is longer than `most` characters.
    """
    if most and len(markup) > _ENOUGH * most:
        beginning = plain_text(markup[: _ENOUGH * most])
        if len(beginning) > most + _MARGIN:
            return beginning
    if "<" in markup:
        spaced = _BREAK.sub(r" \g<0>", _bounded(markup))
        markup = _TEXT_ONLY.clean(spaced)
    return one_line(html.unescape(_HUGE_NUMBER.sub("\ufffd", markup[: 2 * LONGEST])))


def shortened(text: str, most: int = SUMMARY) -> str:
    """At most `most` characters of a line of text and an ellipsis, ending at a word where there is one."""
    if len(text) <= most:
        return text
    head, _, _ = text[:most].rpartition(" ")
    return (head or text[:most]) + "…"


def safe_html(markup: str, *, base: str = "") -> str:
    """HTML without anything active: no scripts, styles or forms, only http, https and mailto addresses.

    Relative addresses are resolved against `base`, or dropped where there is none.
    """
    cleaned = _sanitised(_bounded(markup), safe_url(base))
    if _UNWANTED.search(cleaned):  # they came as references, &#1;; what shows once they are gone is judged again
        cleaned = _sanitised(_UNWANTED.sub("", cleaned), "")
    return cleaned.strip()


def safe_url(url: str, *, base: str = "") -> str:
    """An absolute http(s) address in ASCII, or empty for anything else (`javascript:`, `data:`, no host)."""
    # Browsers drop these before they look for a scheme (URL Standard, "basic URL parser").
    bare = url.strip("".join(map(chr, range(0x21)))).translate({9: None, 10: None, 13: None})
    if not bare or "\\" in bare or _UNWANTED.search(bare):
        return ""
    try:
        absolute = safe_url_string(urljoin(base, bare))
        parts = urlsplit(absolute)
        wanted = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.hostname or "") and parts.username is None
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return ""
    return absolute if wanted and absolute.isascii() and len(absolute) <= LONGEST_URL else ""


def moment(told: datetime | None, *, now: datetime) -> datetime | None:
    """A date a source tells, in UTC: none before 1990, never later than `now`. Naive ones are taken as UTC."""
    if told is None or told.year < _OLDEST_YEAR:
        return None
    try:
        return min(told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC), now)
    except OverflowError:  # the last hours of year 9999
        return now


def _sanitised(markup: str, base: str) -> str:
    return _cleaner(base).clean(markup)


@lru_cache(maxsize=16)
def _cleaner(base: str) -> nh3.Cleaner:
    return nh3.Cleaner(
        url_schemes=_SCHEMES,
        url_relative=("rewrite_with_base", base) if base else "deny",
        link_rel="noopener noreferrer nofollow",
    )


def _bounded(markup: str) -> str:
    """Markup that nh3 cleans in reasonable time: cut at `LONGEST`, without tags where they nest too deep."""
    # Huge tags first: a picture within the text would leave nothing of what follows it.
    markup = _UNWANTED.sub("", _BLANK.sub(" ", _HUGE_TAG.sub("", markup)[:LONGEST]))
    return _ANY_TAG.sub(" ", markup) if markup.count("<") > DEEPEST and _is_deep(markup) else markup


def _is_deep(markup: str) -> bool:
    # Counted by name, since an end tag closes nothing but its own kind: `<div></x><div></x>` nests all the same.
    still_open: Counter[str] = Counter()
    depth = 0
    for slash, name in _TAG.findall(markup):
        element = name.lower()
        if element in _FLAT:
            continue
        if not slash:
            still_open[element] += 1
            depth += 1
        elif still_open[element]:
            still_open[element] -= 1
            depth -= 1
        if depth > DEEPEST:
            return True
    return False
