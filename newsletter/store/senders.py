"""The processes that send, each with one lease on all it holds.

A row of the ledger names the process that holds it; whether that process still may is written here, once. On PostgreSQL
whoever writes for a process locks its row here before any other: neither a deadlock nor a turn between two looks.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.schema import senders

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def hold(db: Database, connection: sa.Connection, owner: str, until: datetime) -> None:
    """Begin to hold, or go on."""
    mine = db.insert(senders).values(owner=owner, lease_until=until)
    connection.execute(mine.on_conflict_do_update(index_elements=["owner"], set_={"lease_until": until}))


def renew(connection: sa.Connection, owner: str, until: datetime) -> None:
    """Go on holding, unless another process has taken over."""
    connection.execute(senders.update().where(senders.c.owner == owner).values(lease_until=until))


def lock(connection: sa.Connection, owner: str) -> None:
    """Let nobody take over before the end of the transaction."""
    connection.execute(sa.select(senders.c.owner).where(senders.c.owner == owner).with_for_update())


def leases(db: Database, connection: sa.Connection, owners: Collection[str]) -> dict[str, datetime]:
    """Until when each process holds what it has, an owner without a lease included; in the order of their names.

    On PostgreSQL none of them writes anything before we are done. Whoever was looked for without a row gets one: else
    a process that claims at this moment would be taken for one that is gone, and go on unhindered.
    """
    if owners:
        none = [{"owner": owner, "lease_until": _NEVER} for owner in sorted(owners)]
        connection.execute(db.insert(senders).on_conflict_do_nothing(), none)
    query = sa.select(senders.c.owner, senders.c.lease_until).order_by(senders.c.owner).with_for_update()
    return {row.owner: row.lease_until for row in connection.execute(query)}


def end(connection: sa.Connection, owner: str) -> None:
    """Hold nothing any more."""
    connection.execute(senders.delete().where(senders.c.owner == owner))


def stands(owner: sa.BindParameter[str], now: sa.BindParameter[datetime]) -> sa.ScalarSelect[bool]:
    """For statements: whether the lease of an owner stands; on PostgreSQL nobody takes over before their end.

    NULL where there is none.
    """
    lease = sa.select((senders.c.lease_until >= now).label("stands")).where(senders.c.owner == owner).with_for_update()
    return sa.select(lease.cte("lease").c.stands).scalar_subquery()
