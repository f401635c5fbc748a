"""What readers ask for by forms, what they choose, and who is never written to again."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("asked_at", Instant()))
    op.add_column("subscriptions", sa.Column("hour", sa.Integer()))
    op.add_column("subscriptions", sa.Column("paused_until", sa.Text(), server_default="", nullable=False))
    op.add_column("subscriptions", sa.Column("choices", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "applications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("network", sa.Text(), server_default="", nullable=False),
        sa.Column("letter", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", Instant()),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", Instant()),
        sa.Column("ended_at", Instant()),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_applications"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_applications_at", "applications", ["at"])
    op.create_index("ix_applications_network_at", "applications", ["network", "at"])
    op.create_index("ix_applications_mailbox_decided_at", "applications", ["mailbox", "decided_at"])
    op.create_index("ix_applications_ended_at_due_at", "applications", ["ended_at", "due_at"])
    op.create_table(
        "blocked",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_blocked"),
        sqlite_strict=True,
    )
