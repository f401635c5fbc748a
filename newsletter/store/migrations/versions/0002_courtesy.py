"""Courtesy towards servers: what an address said beside its body, what a source costs, and turns."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("size", sa.Integer(), server_default="0", nullable=False))
    op.add_column("sources", sa.Column("milliseconds", sa.Integer(), server_default="0", nullable=False))

    op.create_table(
        "answers",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), server_default="", nullable=False),
        sa.Column("last_modified", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("hints", sa.Text(), server_default="", nullable=False),
        sa.Column("moved_to", sa.Text(), server_default="", nullable=False),
        sa.Column("moved_seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("moved_at", Instant()),
        sa.PrimaryKeyConstraint("address", name="pk_answers"),
        sqlite_strict=True,
    )
    known = "address, etag, last_modified, digest"
    op.execute(f"INSERT INTO answers ({known}) SELECT {known} FROM validators")  # noqa: S608 - names of columns
    op.drop_table("validators")

    op.create_table(
        "turns",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("free_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_turns"),
        sqlite_strict=True,
    )
