"""Everything that is kept on one person, wherever it is: to be shown, and to be erased."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from newsletter.store.db import Database
from newsletter.store.events import erase
from newsletter.store.schema import applications, deliveries, issues, metadata, requests, subscribers

# Of an issue a person is shown which one it was, not what it was made of.
_OF_ISSUES = (issues.c.newsletter, issues.c.slot, issues.c.subject)


def dossier(db: Database, subscriber: int) -> dict[str, list[dict[str, Any]]]:
    """The rows on a person by table, `subscribers` first; of one consistent state. Empty lists for an unknown number.

    A table that comes to point at subscribers is in it without being named here. Words are erased by `forget`.
    """
    with db.reading() as connection:
        found = {subscribers.name: _rows(connection, sa.select(subscribers).where(subscribers.c.id == subscriber))}
        for table in metadata.sorted_tables:
            for column in table.columns:
                if any(key.column is subscribers.c.id for key in column.foreign_keys):
                    found.setdefault(table.name, []).extend(_rows(connection, _about(table, column, subscriber)))
        # Forms name an address, whoever filled them in.
        for mailbox in [row["mailbox"] for row in found[subscribers.name]]:
            by_others = applications.c.subscriber.is_(None) | (applications.c.subscriber != subscriber)
            asked = sa.select(applications).where(applications.c.mailbox == mailbox, by_others)
            every = found[applications.name] + _rows(connection, asked)
            found[applications.name] = sorted(every, key=lambda row: int(row["id"]))
    return found


def forget(connection: sa.Connection, subscriber: int) -> None:
    """Within a transaction, erase a person: what only points at them goes, what is counted stays without them."""
    quoting = deliveries.update().where(deliveries.c.subscriber == subscriber)
    connection.execute(quoting.values(reply="", reason=""))
    erase(connection, [subscriber])
    connection.execute(requests.update().where(requests.c.subscriber == subscriber).values(body=""))
    mailbox = sa.select(subscribers.c.mailbox).where(subscribers.c.id == subscriber).scalar_subquery()
    asked = (applications.c.mailbox == mailbox) | (applications.c.subscriber == subscriber)
    connection.execute(applications.delete().where(asked))
    connection.execute(subscribers.delete().where(subscribers.c.id == subscriber))


def _about(table: sa.Table, column: sa.Column[Any], subscriber: int) -> sa.Select[Any]:
    query = sa.select(table).where(column == subscriber).order_by(*table.primary_key.columns)
    if "issue" in table.columns:
        named = [place.label(f"issue_{place.name}") for place in _OF_ISSUES]
        query = query.add_columns(*named).outerjoin(issues, issues.c.id == table.c.issue)
    return query


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]
