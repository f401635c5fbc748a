"""What editors said of stories and issues, each thing with who said it."""

from __future__ import annotations

import builtins
from datetime import date, datetime

import sqlalchemy as sa

from newsletter.errors import NotFound
from newsletter.model import Change, Edit
from newsletter.store.db import Database
from newsletter.store.schema import edits, events

_AGAINST = {Change.PIN: Change.HIDE, Change.HIDE: Change.PIN}


class Edits:
    """The table `edits`; each change leaves an event that names who made it."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(self, edit: Edit) -> None:
        """Say it, in place of what was said of the same before; a pin takes back that a story is hidden, and so on."""
        row = {
            "newsletter": edit.newsletter,
            "kind": edit.kind.value,
            "key": edit.key,
            "text": edit.text,
            "who": edit.who,
            "at": edit.at,
            "until": edit.until.isoformat() if edit.until else "",
        }
        insert = self._db.insert(edits).values(row)
        anew = insert.on_conflict_do_update(index_elements=["newsletter", "kind", "key"], set_=row)
        with self._db.writing() as connection:
            connection.execute(anew)
            if edit.kind in _AGAINST:
                mine = (edits.c.newsletter == edit.newsletter) & (edits.c.key == edit.key)
                connection.execute(edits.delete().where(mine, edits.c.kind == _AGAINST[edit.kind].value))
            connection.execute(events.insert().values(_event(edit, edit.kind)))

    def list(self, newsletter: str) -> builtins.list[Edit]:
        """Everything that was said and not taken back, in the order in which it was said."""
        query = edits.select().where(edits.c.newsletter == newsletter).order_by(edits.c.at, edits.c.id)
        with self._db.reading() as connection:
            return [_edit(row) for row in connection.execute(query)]

    def undo(self, newsletter: str, number: int, *, who: str, now: datetime) -> Edit:
        """Take it back. NotFound."""
        mine = (edits.c.newsletter == newsletter) & (edits.c.id == number)
        with self._db.writing() as connection:
            row = connection.execute(edits.select().where(mine)).first()
            if row is None:
                raise NotFound(f"{newsletter} has no edit {number}; `newsletter edit {newsletter} list` shows those")
            edit = _edit(row)
            connection.execute(edits.delete().where(mine))
            connection.execute(events.insert().values({**_event(edit, f"no {edit.kind}", who=who), "at": now}))
        return edit


def _edit(row: sa.Row[tuple[object, ...]]) -> Edit:
    return Edit(
        id=row.id,
        newsletter=row.newsletter,
        kind=Change(row.kind),
        key=row.key,
        text=row.text,
        who=row.who,
        at=row.at,
        until=date.fromisoformat(row.until) if row.until else None,
    )


def _event(edit: Edit, what: str, *, who: str = "") -> dict[str, object]:
    detail = f"{what} {edit.key}, by {who or edit.who or 'somebody'}" + (f": {edit.text}" if edit.text else "")
    return {"at": edit.at, "kind": "edited", "newsletter": edit.newsletter, "detail": detail}
