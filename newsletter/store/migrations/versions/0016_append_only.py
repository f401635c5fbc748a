"""The log of events, append-only by the database itself: no row is changed or deleted, but for erasing a person."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# What stays of a row whatever happens, and that it may outlive its delivery.
_KEPT = """
    NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.kind = OLD.kind AND NEW.newsletter = OLD.newsletter
    AND COALESCE(NEW.issue = OLD.issue, NEW.issue IS NULL AND OLD.issue IS NULL)
    AND COALESCE(NEW.delivery = OLD.delivery, NEW.delivery IS NULL)
"""
# The person and the words, which may quote them, go together or not at all.
_SAME = """
    NEW.detail = OLD.detail
    AND COALESCE(NEW.subscriber = OLD.subscriber, NEW.subscriber IS NULL AND OLD.subscriber IS NULL)
"""
_ERASED = "OLD.subscriber IS NOT NULL AND NEW.subscriber IS NULL AND NEW.detail = ''"
_CHANGED = f"NOT ({_KEPT} AND ({_SAME} OR {_ERASED}))"
_REFUSED = "events are append-only: no row is changed or deleted, but for erasing a person"


def upgrade() -> None:
    statements = _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        op.execute(sa.text(statement))


_REFUSE = f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
_SQLITE = (
    f"CREATE TRIGGER events_update BEFORE UPDATE ON events WHEN {_CHANGED} {_REFUSE}",
    f"CREATE TRIGGER events_delete BEFORE DELETE ON events {_REFUSE}",
    # INSERT OR REPLACE deletes without asking the trigger on deleting.
    f"CREATE TRIGGER events_insert BEFORE INSERT ON events WHEN NEW.id IN (SELECT id FROM events) {_REFUSE}",  # noqa: S608 - our words
)
_CALL = "EXECUTE FUNCTION refuse_change_of_events()"
_POSTGRESQL = (
    f"""
    CREATE OR REPLACE FUNCTION refuse_change_of_events() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'restrict_violation'; END $$
    """,
    f"CREATE TRIGGER events_update BEFORE UPDATE ON events FOR EACH ROW WHEN ({_CHANGED}) {_CALL}",
    f"CREATE TRIGGER events_delete BEFORE DELETE ON events FOR EACH ROW {_CALL}",
    f"CREATE TRIGGER events_truncate BEFORE TRUNCATE ON events {_CALL}",
)
