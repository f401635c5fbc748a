"""Operators, the passes they show, and log-ins that failed."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "operators",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
        sa.UniqueConstraint("name", name="uq_operators_name"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_table(
        "passes",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("operator", _NUMBER, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("used_at", Instant()),
        sa.Column("expires_at", Instant()),
        sa.PrimaryKeyConstraint("digest", name="pk_passes"),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name="fk_passes_operator", ondelete="CASCADE"),
        sqlite_strict=True,
    )
    op.create_index("ix_passes_operator", "passes", ["operator"])
    op.create_table(
        "failures",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failures"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_failures_at", "failures", ["at"])
