"""Issues that wait to be approved: at most one for a slot, gone when the slot is decided."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.codec import decode, encode
from newsletter.errors import NotFound, StoreError
from newsletter.model import Composed, Issue, Slot
from newsletter.store.db import Database
from newsletter.store.schema import drafts, events, issues


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue as it would be. `issue` is None, with the `reason`, where edits left nothing of it.

    `revision` counts how often it was composed anew, so that one approves what one has seen. After `until` it is too
    late. `besides` is the issue that it replaces, if any.
    """

    slot: Slot
    issue: Issue | None
    reason: str
    revision: int
    besides: int | None
    composed_at: datetime
    until: datetime | None
    approved_at: datetime | None
    approved_by: str


class Drafts:
    """The table `drafts`. It is `Issues` that removes a draft, as it decides the slot."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(
        self, slot: Slot, composed: Composed, *, until: datetime | None, besides: int | None, now: datetime
    ) -> bool:
        """Keep what was composed for a slot that has no draft and no issue; whether this call did."""
        values = {
            "newsletter": slot.newsletter,
            "slot": slot.key,
            "place": encode(slot),
            "until": until,
            "besides": besides,
            **_composed(composed, now),
        }
        is_out = sa.select(issues.c.id).where(_of(issues, slot), issues.c.state == "published").exists()
        columns = [sa.literal(value, drafts.c[name].type).label(name) for name, value in values.items()]
        insert = self._db.insert(drafts).from_select(list(values), sa.select(*columns).where(~is_out))
        with self._db.writing() as connection:
            added = connection.execute(insert.on_conflict_do_nothing().returning(drafts.c.slot))
            return added.first() is not None

    def renew(self, draft: Draft, composed: Composed, *, now: datetime) -> bool:
        """Put what was composed anew in the place of a draft that nobody has approved; whether there was one."""
        mine = _of(drafts, draft.slot) & drafts.c.approved_at.is_(None)
        values = {**_composed(composed, now), "revision": drafts.c.revision + 1}
        with self._db.writing() as connection:
            return connection.execute(drafts.update().where(mine).values(values)).rowcount > 0

    def find(self, slot: Slot) -> Draft | None:
        """The draft of a slot, approved or not."""
        with self._db.reading() as connection:
            row = connection.execute(drafts.select().where(_of(drafts, slot))).first()
        return _draft(row) if row else None

    def get(self, newsletter: str, slot: str) -> Draft:
        """The draft of a slot by the slot's name. NotFound."""
        named = (drafts.c.newsletter == newsletter) & (drafts.c.slot == slot)
        with self._db.reading() as connection:
            row = connection.execute(drafts.select().where(named)).first()
        if row is None:
            raise NotFound(f"no issue of {newsletter} {slot} waits for approval; `newsletter issues list` shows those")
        return _draft(row)

    def list(self, newsletter: str = "") -> builtins.list[Draft]:
        """Every draft, the oldest slot first."""
        query = drafts.select().where(drafts.c.newsletter == newsletter) if newsletter else drafts.select()
        with self._db.reading() as connection:
            found = [_draft(row) for row in connection.execute(query)]
        return sorted(found, key=lambda draft: (draft.slot.at, draft.slot.key))

    def approve(self, draft: Draft, *, who: str, now: datetime) -> bool:
        """Let it go as it is; whether this call did. StoreError when it was composed anew since it was read."""
        mine = _of(drafts, draft.slot) & drafts.c.approved_at.is_(None)
        approve = drafts.update().where(mine, drafts.c.revision == draft.revision)
        event = {
            "at": now,
            "kind": "approved",
            "newsletter": draft.slot.newsletter,
            "detail": f"{draft.slot.key}, by {who or 'somebody'}",
        }
        with self._db.writing() as connection:
            if connection.execute(approve.values(approved_at=now, approved_by=who)).rowcount:
                connection.execute(events.insert().values(event))
                return True
            if connection.execute(drafts.select().where(mine)).first() is not None:
                raise StoreError(f"{draft.slot.newsletter} {draft.slot.key} was changed meanwhile: look at it again")
        return False


def forget(connection: sa.Connection, slot: Slot) -> None:
    """The slot is decided: whatever waited for approval does so no more."""
    connection.execute(drafts.delete().where(_of(drafts, slot)))


def _composed(composed: Composed, now: datetime) -> dict[str, object]:
    return {
        "body": encode(composed.issue) if composed.issue else "",
        "reason": composed.reason,
        "composed_at": now,
    }


def _of(table: sa.Table, slot: Slot) -> sa.ColumnElement[bool]:
    return (table.c.newsletter == slot.newsletter) & (table.c.slot == slot.key)


def _draft(row: sa.Row[tuple[object, ...]]) -> Draft:
    return Draft(
        slot=decode(Slot, row.place),
        issue=decode(Issue, row.body) if row.body else None,
        reason=row.reason,
        revision=row.revision,
        besides=row.besides,
        composed_at=row.composed_at,
        until=row.until,
        approved_at=row.approved_at,
        approved_by=row.approved_by,
    )
