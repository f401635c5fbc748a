"""Nobody gets two issues of one schedule close together because they have moved to another time zone.

Whoever flies from Los Angeles to Tokyo has their next eight o'clock seven hours after the last. Their next issue goes
later, so that it is not lost; it is left out only where it could not go later either. Part of `Issues`, in the
transaction that freezes the recipients.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.model import Slot, State, Window
from newsletter.store.schema import deliveries, issues
from newsletter.windows import opening

GOT = (State.QUEUED, State.SENDING, State.SENT, State.DEFERRED, State.UNCERTAIN)
# Between the instant of a slot and the latest that it is planned for: two days between the zones furthest east and
# west, one until a window opens, one until the hour that a reader wants.
_MOST = timedelta(days=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """How far apart two issues of a schedule are due for one reader, and what bounds how late the second may go."""

    apart: timedelta
    window: Window | None
    expires: timedelta


def keep_apart(
    connection: sa.Connection, issue: int, slot: Slot, *, planned: Collection[datetime], spacing: Spacing
) -> None:
    """Put off, or leave out, each delivery of an issue that is due too soon after one of the same schedule.

    `planned` are the moments that the issue's deliveries are due at.
    """
    rows = connection.execute(_too_close(issue, slot, planned, spacing.apart)).all()
    if rows:
        update = deliveries.update().where(deliveries.c.id == sa.bindparam("delivery"))
        values: dict[str, Any] = {
            name: sa.bindparam(name) for name in ("state", "reason", "planned_at", "due_at", "expires_at")
        }
        moved = [_moved(row.id, row.planned_at, row.zone, row.last + spacing.apart, spacing) for row in rows]
        connection.execute(update.values(values), moved)


def _too_close(issue: int, slot: Slot, planned: Collection[datetime], apart: timedelta) -> sa.Select[Any]:
    """The deliveries of the issue that have another less than `apart` before them, and when the last such was due."""
    this, before = deliveries.alias("this"), deliveries.alias("before")
    kind = deliveries.c.planned_at.type
    since = sa.case(*((this.c.planned_at == moment, sa.literal(moment - apart, kind)) for moment in planned))
    others = sa.select(issues.c.id).where(
        issues.c.newsletter == slot.newsletter,
        issues.c.slot.startswith(f"{slot.schedule}/", autoescape=True),
        issues.c.at > slot.at - apart - _MOST,
        issues.c.id != issue,
    )
    return (
        sa.select(this.c.id, this.c.planned_at, this.c.zone, sa.func.max(before.c.planned_at).label("last"))
        .join(before, before.c.subscriber == this.c.subscriber)
        .where(this.c.issue == issue, this.c.state == State.QUEUED)
        .where(before.c.issue.in_(others), before.c.state.in_(GOT))
        .where(before.c.planned_at > since)
        .group_by(this.c.id, this.c.planned_at, this.c.zone)
    )


def _moved(delivery: int, planned_at: datetime, zone: str, later: datetime, spacing: Spacing) -> dict[str, object]:
    hours = round(spacing.apart / timedelta(hours=1))
    in_time = later < planned_at + spacing.expires
    if not in_time or (spacing.window and zone and opening(spacing.window, later, zone) > later):
        state, reason, later = State.EXCLUDED, f"had the one before less than {hours} hours earlier", planned_at
    else:
        state, reason = State.QUEUED, f"waits until {hours} hours after the one before"
    return {
        "delivery": delivery,
        "state": state,
        "reason": reason,
        "planned_at": later,
        "due_at": later,
        "expires_at": later + spacing.expires,
    }
