"""Issues that are paused or cancelled, and the replies that pause one by themselves."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("issue", Number, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("sent_before", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["issue"], ["issues.id"], name="fk_holds_issue"),
        sa.PrimaryKeyConstraint("issue", name="pk_holds"),
        sqlite_strict=True,
    )
    op.create_table(
        "objections",
        sa.Column("issue", Number, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("policy", sa.Integer(), server_default="0", nullable=False),
        sa.Column("example", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["issue"], ["issues.id"], name="fk_objections_issue"),
        sa.PrimaryKeyConstraint("issue", "kind", name="pk_objections"),
        sqlite_strict=True,
    )
    # SQLite adds no constraint to a table that is there, only a column that brings its own.
    issue = sa.Column("issue", Number, sa.ForeignKey("issues.id", name="fk_events_issue"))
    op.add_column("events", issue, inline_references=True)
    op.create_index("ix_events_issue", "events", ["issue"])
