"""Which troubles there are, and which of them the operator was told of."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from newsletter.model import Trouble
from newsletter.store.db import Database
from newsletter.store.schema import alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A trouble and since when; told of or not, over or not."""

    trouble: Trouble
    since: datetime
    told_at: datetime | None = None
    over_at: datetime | None = None

    @property
    def pending(self) -> bool:
        """Whether there is something to tell: that it began, or that it is over."""
        return self.told_at is None or self.over_at is not None


class Alarms:
    """The table `alarms`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def list(self) -> builtins.list[Alarm]:
        """Every trouble that is not over, and those over of which the operator was not told yet, oldest first."""
        with self._db.reading() as connection:
            rows = connection.execute(alarms.select().order_by(alarms.c.since, alarms.c.name)).all()
        return [
            Alarm(
                trouble=Trouble(
                    name=row.name, newsletter=row.newsletter, title=row.title, lines=tuple(row.lines.split("\n"))
                ),
                since=row.since,
                told_at=row.told_at,
                over_at=row.over_at,
            )
            for row in rows
        ]

    def update(self, troubles: Iterable[Trouble], *, now: datetime) -> None:
        """These are all the troubles there are now.

        One that is new is to be told; one that is over too, unless its beginning never was: then it is forgotten.
        """
        rows = [
            {
                "name": trouble.name,
                "newsletter": trouble.newsletter,
                "title": trouble.title,
                "lines": "\n".join(trouble.lines),
                "since": now,
            }
            for trouble in troubles
        ]
        gone = alarms.c.name.not_in([row["name"] for row in rows])
        with self._db.writing() as connection:
            if rows:
                # One that comes back before anybody was told that it is over was never over.
                insert = self._db.insert(alarms)
                again = {"over_at": None, "lines": insert.excluded.lines}
                connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=again), rows)
            connection.execute(alarms.delete().where(gone, alarms.c.told_at.is_(None)))
            connection.execute(alarms.update().where(gone, alarms.c.over_at.is_(None)).values(over_at=now))

    def tell(self, alarm: Alarm, *, now: datetime) -> None:
        """The operator was told what there was to tell of it."""
        mine = alarms.c.name == alarm.trouble.name
        with self._db.writing() as connection:
            if alarm.over_at is not None:
                connection.execute(alarms.delete().where(mine, alarms.c.over_at == alarm.over_at))
            else:
                connection.execute(alarms.update().where(mine).values(told_at=now))
