"""What senders did stands in a journal before it stands in each row, and a sender has one lease on all it holds."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "senders",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_senders"),
        sqlite_strict=True,
    )
    op.create_table(
        "journal",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("issue", _NUMBER, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken", sa.Text(), nullable=False),
        sa.Column("begun", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sqlite_strict=True,
    )
    # What a process held meanwhile is taken for lost: what had not begun is queued again, the rest is uncertain.
    op.drop_column("deliveries", "lease_until")
