"""Which stories readers like."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "votes",
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subscriber", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subscriber"], ["subscribers.id"], name="fk_votes_subscriber", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("newsletter", "key", "subscriber", name="pk_votes"),
        sqlite_strict=True,
    )
    op.create_index("ix_votes_subscriber", "votes", ["subscriber"])
    op.create_index("ix_votes_newsletter_at", "votes", ["newsletter", "at"])
