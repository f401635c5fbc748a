"""Applications by which readers change their address, and what takes that back."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant, Number

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite adds no constraint to a table that is there, only a column that brings its own.
    key = sa.ForeignKey("subscribers.id", name="fk_applications_subscriber")
    op.add_column("applications", sa.Column("subscriber", Number, key), inline_references=True)
    op.create_index("ix_applications_subscriber", "applications", ["subscriber"])
    op.add_column("applications", sa.Column("change", Number))
    op.add_column("applications", sa.Column("before", sa.Text(), server_default="", nullable=False))
    op.add_column("applications", sa.Column("objected_at", Instant()))
