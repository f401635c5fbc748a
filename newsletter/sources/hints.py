"""What an answer says about asking again, found in its headers and in the head of the document. Pure.

Headers: RFC 9111 section 4.2 (max-age, Expires, Age). Documents: ttl, skipHours and skipDays of RSS 2.0
(https://www.rssboard.org/rss-specification), updatePeriod and updateFrequency of RDF Site Summary's syndication module.
The document is searched, not parsed: these elements are plain, and a parser belongs into the killable child.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from newsletter.sources.courtesy import Hints

_HEAD = 64 * 1024  # bytes of a document; its channel's elements stand before its items
_LONGEST = timedelta(days=31)  # a longer one is a mistake
_DAYS = (b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday")
_PERIODS = {
    b"hourly": timedelta(hours=1),
    b"daily": timedelta(days=1),
    b"weekly": timedelta(weeks=1),
    b"monthly": timedelta(days=30),
    b"yearly": timedelta(days=365),
}
_TTL = re.compile(rb"<ttl>\s*(\d{1,9})\s*</ttl>", re.IGNORECASE)
_PERIOD = re.compile(rb"<sy:updatePeriod>\s*([a-z]{1,9})\s*</sy:updatePeriod>", re.IGNORECASE)
_FREQUENCY = re.compile(rb"<sy:updateFrequency>\s*(\d{1,9})\s*</sy:updateFrequency>", re.IGNORECASE)
_HOUR = re.compile(rb"<hour>\s*(\d{1,2})\s*</hour>", re.IGNORECASE)
_DAY = re.compile(rb"<day>\s*([a-z]{6,9})\s*</day>", re.IGNORECASE)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|[,\s])no-(?:cache|store)\b", re.IGNORECASE)


def document_hints(body: bytes) -> Hints:
    """What the head of a feed asks for; nothing where it is no RSS."""
    head = body[:_HEAD]
    hours = {int(hour) % 24 for hour in _HOUR.findall(_inside(head, b"skipHours"))}
    days = {_DAYS.index(day.lower()) for day in _DAY.findall(_inside(head, b"skipDays")) if day.lower() in _DAYS}
    return Hints(holds=max(_ttl(head), _period(head)), skip_hours=tuple(sorted(hours)), skip_days=tuple(sorted(days)))


def _inside(head: bytes, name: bytes) -> bytes:
    """What stands between an element's tags, empty where they are not both there."""
    _, _, after = head.partition(b"<" + name + b">")
    inside, end, _ = after.partition(b"</" + name + b">")
    return inside if end else b""


def _ttl(head: bytes) -> timedelta:
    found = _TTL.search(head)
    return min(timedelta(minutes=int(found[1])), _LONGEST) if found else timedelta(0)


def _period(head: bytes) -> timedelta:
    period, frequency = _PERIOD.search(head), _FREQUENCY.search(head)
    if period is None:
        return timedelta(0)
    return min(_PERIODS.get(period[1].lower(), timedelta(0)), _LONGEST) / max(int(frequency[1]) if frequency else 1, 1)


def header_hints(headers: Mapping[str, str]) -> Hints:
    """How long an answer says it holds, less the age it had when it came."""
    control = headers.get("Cache-Control", "")
    if _NOT_KEPT.search(control):
        return Hints()
    if found := _MAX_AGE.search(control):
        holds = timedelta(seconds=int(found[1])) - _age(headers)
    else:
        until, sent = http_date(headers.get("Expires", "")), http_date(headers.get("Date", ""))
        holds = until - sent if until and sent else timedelta(0)
    return Hints(holds=min(max(holds, timedelta(0)), _LONGEST))


def _age(headers: Mapping[str, str]) -> timedelta:
    age = headers.get("Age", "").strip()
    return timedelta(seconds=int(age)) if age.isascii() and age.isdigit() and len(age) < 10 else timedelta(0)  # noqa: PLR2004


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds a server asks us to wait (RFC 9110 section 10.2.3), at most 31 days; None where it does not say.

    A date there is compared with the answer's own Date, so that it does not matter whose clock is right.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,10}", value):
        return min(float(value), _LONGEST.total_seconds())
    until, sent = http_date(value), http_date(headers.get("Date", ""))
    if until is None or sent is None:
        return None
    return min(max((until - sent).total_seconds(), 0.0), _LONGEST.total_seconds())


def http_date(value: str) -> datetime | None:
    """A date of a header, in UTC; None for what is none."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
