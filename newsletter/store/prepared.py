"""Statements for what is written with every message: compiled once, run on the driver's own cursor.

SQLAlchemy takes some 300 µs to make a statement ready, which is more than the database takes for a dozen rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect

from newsletter.store.schema import Instant


class Prepared:
    """One statement of which some values, its `bindparam`s, are told each time; the driver gets them by name."""

    def __init__(self, statement: sa.UpdateBase | sa.Select[*tuple[Any, ...]], dialect: Dialect) -> None:
        """For databases of this dialect."""
        by_name = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
        compiled = statement.compile(dialect=by_name)
        self._dialect = dialect
        self._sql = str(compiled)
        constant = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        # States are words to a driver: psycopg would take an enum for a type of the database.
        self._constant = {name: str(value) if isinstance(value, str) else value for name, value in constant.items()}

    def run(
        self, connection: sa.Connection, rows: Iterable[Mapping[str, Any]], *, shared: Mapping[str, Any] | None = None
    ) -> int:
        """Write each row, in the transaction of the connection; how many rows it changed in all.

        `shared` are the values that are the same for every row.
        """
        same = self._values(shared or {})
        with closing(connection.connection.cursor()) as cursor:
            cursor.executemany(self._sql, [{**same, **row} for row in rows])
            return int(cursor.rowcount)

    def all(self, connection: sa.Connection, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """What a query finds, as the driver gives it."""
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(self._sql, self._values(values))
            return cast("Sequence[tuple[Any, ...]]", cursor.fetchall())

    def _values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return self._constant | {
            name: _INSTANT.process_bind_param(value, self._dialect) if isinstance(value, datetime) else value
            for name, value in values.items()
        }


_INSTANT = Instant()
