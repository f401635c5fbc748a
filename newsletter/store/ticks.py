"""When a daemon last looked for what is due, by the clock and by how long its machine had been running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.store.db import Database
from newsletter.store.schema import ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The latest tick since one start of a machine; `doubted` when its clock has gone wrong since."""

    at: datetime
    uptime: timedelta
    doubted: bool = False


class Ticks:
    """The table `ticks`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def list(self) -> Mapping[str, Tick]:
        """The latest tick of each start of a machine."""
        with self._db.reading() as connection:
            return {
                row.boot: Tick(at=row.at, uptime=timedelta(milliseconds=row.uptime), doubted=bool(row.doubted))
                for row in connection.execute(ticks.select())
            }

    def add(self, boot: str, tick: Tick) -> None:
        """Remember a tick. One before the latest of its boot, after a clock went back, changes nothing."""
        row = {"boot": boot, "at": tick.at, "uptime": tick.uptime // timedelta(milliseconds=1), "doubted": 0}
        with self._db.writing() as connection:
            insert = self._db.insert(ticks).values(row)
            later = insert.on_conflict_do_update(index_elements=["boot"], set_=row, where=ticks.c.at <= tick.at)
            connection.execute(later)

    def doubt(self, boot: str) -> None:
        """Remember that the clock has gone wrong since the latest tick of this boot, if it had any."""
        with self._db.writing() as connection:
            connection.execute(ticks.update().where(ticks.c.boot == boot).values(doubted=1))

    def trust(self, boot: str, tick: Tick) -> None:
        """Begin anew with this tick: what was remembered before counts no more."""
        with self._db.writing() as connection:
            connection.execute(ticks.delete())
        self.add(boot, tick)

    def settle(self) -> None:
        """Doubt no clock any more: a machine was started anew, and its clock is right."""
        with self._db.writing() as connection:
            connection.execute(ticks.update().where(ticks.c.doubted == 1).values(doubted=0))
