"""What readers suggest."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "suggestions",
        sa.Column("id", _number, nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("decided_at", Instant()),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suggestions"),
        sa.UniqueConstraint("newsletter", "key", name="uq_suggestions_newsletter_key"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_suggestions_newsletter_state", "suggestions", ["newsletter", "state"])
    op.create_index("ix_suggestions_state_at", "suggestions", ["state", "at"])
    op.create_table(
        "suggesters",
        sa.Column("suggestion", _number, nullable=False),
        sa.Column("subscriber", _number, nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["suggestion"], ["suggestions.id"], name="fk_suggesters_suggestion", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber"], ["subscribers.id"], name="fk_suggesters_subscriber", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("suggestion", "subscriber", name="pk_suggesters"),
        sqlite_strict=True,
    )
    op.create_index("ix_suggesters_subscriber_at", "suggesters", ["subscriber", "at"])
