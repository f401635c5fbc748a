"""Statements for what is written with every message: compiled once, run on the driver's own cursor.

SQLAlchemy takes some 300 µs to make a statement ready, which is more than the database takes for a dozen rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from operator import itemgetter
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine import Dialect

from newsletter.store.schema import Instant

Row = Sequence[Any]


class Prepared:
    """One statement of which some values, its `bindparam`s of these names, are told each time in this order."""

    def __init__(
        self, statement: sa.UpdateBase | sa.Select[*tuple[Any, ...]], dialect: Dialect, names: Sequence[str]
    ) -> None:
        """For databases of this dialect."""
        compiled = statement.compile(dialect=_by_place(dialect))
        self._dialect = dialect
        self._sql = str(compiled)
        constant = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        # States are words to a driver: psycopg would take an enum for a type of the database.
        self._constant = tuple([str(value) if isinstance(value, str) else value for value in constant.values()])
        values = [*names, *constant]
        self._placed = _placed([values.index(name) for name in compiled.positiontup or ()])

    def run(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Write each row, in the transaction of the connection; how many rows it changed in all.

        The values are those of the driver, as `all` finds them.
        """
        with closing(connection.connection.cursor()) as cursor:
            cursor.executemany(self._sql, [self._placed((*row, *self._constant)) for row in rows])
            return int(cursor.rowcount)

    def all(self, connection: sa.Connection, values: Row) -> Sequence[tuple[Any, ...]]:
        """What it finds or returns, as the driver gives it."""
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(self._sql, self._placed((*map(self._bound, values), *self._constant)))
            return cast("Sequence[tuple[Any, ...]]", cursor.fetchall())

    def _bound(self, value: object) -> object:
        return _INSTANT.process_bind_param(value, self._dialect) if isinstance(value, datetime) else value


def _by_place(dialect: Dialect) -> Dialect:
    """One that has its values in a row."""
    if dialect.name == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    return psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]


def _placed(places: Sequence[int]) -> Callable[[Row], Row]:
    """The values at these places; some stand at several."""
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places)


_INSTANT = Instant()
