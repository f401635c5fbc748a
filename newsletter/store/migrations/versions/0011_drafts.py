"""Issues that wait until somebody approves them."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("besides", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("composed_at", Instant(), nullable=False),
        sa.Column("until", Instant()),
        sa.Column("approved_at", Instant()),
        sa.Column("approved_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("newsletter", "slot", name="pk_drafts"),
        sqlite_strict=True,
    )
