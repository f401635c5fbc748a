"""Migrations: the schema of a database brought to the one this release knows (Alembic, append-only)."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from newsletter.errors import SchemaTooNew, StoreError
from newsletter.store.db import Database, begin_writing

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.Text))
_ADVISORY_LOCK = 7_031_956_120  # any number that nothing else on the server uses


def upgrade(db: Database) -> str:
    """Bring the database to the newest revision and return it; several processes may do so at once.

    Raises SchemaTooNew, by name, when a later release was here: it knows what we would destroy.
    """
    head = max(_known())
    if db.file is not None:
        db.file.parent.mkdir(parents=True, exist_ok=True)
    with db.engine.connect() as connection:
        if not db.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_lock(_ADVISORY_LOCK)))
            connection.commit()
        try:
            with begin_writing(connection):
                if _revision(connection) != head:
                    _migrate(connection)
        finally:
            if not db.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_ADVISORY_LOCK)))
                connection.commit()
    return head


def check(db: Database) -> None:
    """StoreError when the database has no schema or an older one, SchemaTooNew when it has a later one."""
    if db.file is not None and not db.file.exists():  # connecting would make an empty one
        raise StoreError(f"there is no database {db.file}: run `newsletter init` first")
    with db.reading() as connection:
        revision = _revision(connection)
    if revision is None:
        raise StoreError(f"the database {_name(db)} is empty: run `newsletter init` first")
    if revision != max(_known()):
        raise StoreError(f"the database {_name(db)} is from an earlier release: run `newsletter init` to migrate it")


def _revision(connection: sa.Connection) -> str | None:
    """Where the database stands, None where nobody was yet."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    revision = connection.execute(sa.select(_VERSION.c.version_num)).scalar()
    if revision is not None and revision not in _known():
        raise SchemaTooNew(
            f"the database {_name(connection)} is at revision {revision}, which this release does not know: "
            f"it was migrated by a later one; upgrade newsletter, or restore the backup from before"
        )
    return revision


def _name(where: Database | sa.Connection) -> str:
    """The database's address without its password."""
    return where.engine.url.render_as_string(hide_password=True)


def _known() -> set[str]:
    """The revisions of this release, by which their files are named: `0007_one_index_on_states.py`."""
    return {path.stem.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py")}


def _migrate(connection: sa.Connection) -> None:
    """Alembic is slow to load, and most starts of a process have nothing for it to do."""
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
