"""Who is not brought back by a list, although nothing else of them is kept."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "departed",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "newsletter", name="pk_departed"),
        sqlite_strict=True,
    )
