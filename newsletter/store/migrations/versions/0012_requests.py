"""What programs asked and were answered, and the sends they ordered."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("operator", _NUMBER, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), server_default="0", nullable=False),
        sa.Column("location", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("subscriber", _NUMBER),
        sa.PrimaryKeyConstraint("key", name="pk_requests"),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name="fk_requests_operator", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["subscriber"], ["subscribers.id"], name="fk_requests_subscriber", ondelete="SET NULL"),
        sqlite_strict=True,
    )
    for column in ("operator", "at", "subscriber"):
        op.create_index(f"ix_requests_{column}", "requests", [column])
    op.create_table(
        "sends",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("issue", _NUMBER),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_sends"),
        sa.ForeignKeyConstraint(["issue"], ["issues.id"], name="fk_sends_issue"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
