"""What editors say of stories and issues."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("until", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_edits"),
        sa.UniqueConstraint("newsletter", "kind", "key", name="uq_edits_newsletter_kind_key"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
