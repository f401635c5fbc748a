"""Preferences as columns of `subscriptions`, for whoever reads or writes them; the time zone stands with the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from newsletter.codec import decode, encode
from newsletter.model import Preferences
from newsletter.store.schema import subscriptions

COLUMNS = (subscriptions.c.hour, subscriptions.c.paused_until, subscriptions.c.choices)  # beside cadence and time zone


def read(row: Any) -> Preferences:
    """The preferences of a row that has COLUMNS, the cadence and the time zone."""
    return _preferences(row.cadence, row.hour, row.timezone, row.paused_until, row.choices)


# Many readers have the same, and a list of them may be long.


@lru_cache(maxsize=10_000)
def written(preferences: Preferences) -> Mapping[str, object]:
    """The columns of `subscriptions` for preferences."""
    others = replace(preferences, cadence="daily", hour=None, timezone="", paused_until=None)
    return {
        "cadence": preferences.cadence,
        "hour": preferences.hour,
        "paused_until": preferences.paused_until.isoformat() if preferences.paused_until else "",
        "choices": encode(others) if others != Preferences() else "",
    }


@lru_cache(maxsize=10_000)
def _preferences(cadence: str, hour: int | None, timezone: str, paused_until: str, choices: str) -> Preferences:
    return replace(
        decode(Preferences, choices) if choices else Preferences(),
        cadence=cadence,
        hour=hour,
        timezone=timezone,
        paused_until=date.fromisoformat(paused_until) if paused_until else None,
    )
