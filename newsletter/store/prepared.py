"""Statements for what is written with every message: compiled once, run on the driver's own cursor.

SQLAlchemy takes some 300 µs to make a statement ready, which is more than the database takes for a dozen rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect

from newsletter.store.schema import Instant


class Prepared:
    """One INSERT, UPDATE or DELETE of which some values, its `bindparam`s, are told with each row."""

    def __init__(self, statement: sa.UpdateBase, dialect: Dialect) -> None:
        """For databases of this dialect; the driver gets its values by name on both."""
        by_name = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
        compiled = statement.compile(dialect=by_name)
        self._dialect = dialect
        self._sql = str(compiled)
        constant = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        # States are words to a driver: psycopg would take an enum for a type of the database.
        self._constant = {name: str(value) if isinstance(value, str) else value for name, value in constant.items()}

    def run(
        self, connection: sa.Connection, rows: Iterable[Mapping[str, Any]], *, shared: Mapping[str, Any] | None = None
    ) -> int:
        """Run it for each row, in the transaction of the connection; how many rows it changed in all.

        `shared` are the values that are the same for every row.
        """
        same = self._constant | {name: self._bound(value) for name, value in (shared or {}).items()}
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(self._sql, [{**same, **row} for row in rows])
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _bound(self, value: Any) -> Any:
        return _INSTANT.process_bind_param(value, self._dialect) if isinstance(value, datetime) else value


_INSTANT = Instant()
