"""On PostgreSQL a million deliveries are planned without two look-ups for each: their keys come from those very tables.

A subscriber who is deleted leaves their deliveries as before, by a trigger. SQLite's own check costs next to nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.drop_constraint("fk_deliveries_issue", "deliveries")
    op.drop_constraint("fk_deliveries_subscriber", "deliveries")
    for statement in _LEAVE:
        op.execute(sa.text(statement))


_LEAVE = (
    """
    CREATE OR REPLACE FUNCTION leave_deliveries() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN UPDATE deliveries SET subscriber = NULL WHERE subscriber = OLD.id; RETURN NULL; END $$
    """,
    "CREATE TRIGGER subscribers_delete AFTER DELETE ON subscribers FOR EACH ROW EXECUTE FUNCTION leave_deliveries()",
)
