"""Send windows and expiry, and what the daemon watches over: its clock, its alarms."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issues", sa.Column("send_window", sa.Text(), server_default="", nullable=False))
    op.add_column("deliveries", sa.Column("planned_at", Instant()))
    op.add_column("deliveries", sa.Column("expires_at", Instant()))
    op.add_column("deliveries", sa.Column("zone", sa.Text(), server_default="", nullable=False))

    is_open = sa.text("state IN ('queued', 'deferred', 'sending', 'uncertain')")
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["state", "issue", "due_at"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )

    op.create_index("ix_subscribers_timezone", "subscribers", ["timezone"])
    op.create_table(
        "ticks",
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("uptime", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("doubted", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("boot", name="pk_ticks"),
        sqlite_strict=True,
    )
    op.create_table(
        "alarms",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("newsletter", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), server_default="", nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("told_at", Instant()),
        sa.Column("over_at", Instant()),
        sa.PrimaryKeyConstraint("name", name="pk_alarms"),
        sqlite_strict=True,
    )

    # What was under way goes by the rule it began with: nothing more than two days after its issue was published.
    op.execute("UPDATE deliveries SET planned_at = due_at")
    issues = sa.table("issues", sa.column("id"), sa.column("decided_at", Instant()))
    deliveries = sa.table("deliveries", sa.column("issue"), sa.column("expires_at", Instant()))
    connection = op.get_bind()
    for issue, decided_at in connection.execute(sa.select(issues.c.id, issues.c.decided_at)).all():
        expires_at = decided_at + timedelta(days=2)
        connection.execute(deliveries.update().where(deliveries.c.issue == issue).values(expires_at=expires_at))
