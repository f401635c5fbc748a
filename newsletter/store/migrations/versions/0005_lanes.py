"""Ways for mail whose limits all workers share."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Amount

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def amount(name: str, default: str = "0") -> sa.Column[float]:
        return sa.Column(name, Amount, server_default=default, nullable=False)

    def count(name: str) -> sa.Column[int]:
        return sa.Column(name, sa.Integer(), server_default="0", nullable=False)

    op.create_table(
        "lanes",
        sa.Column("name", sa.Text(), nullable=False),
        amount("tokens"),
        amount("filled_at"),
        amount("share", "1"),
        amount("pause"),
        amount("slow_until"),
        amount("raised_at"),
        count("day"),
        count("day_count"),
        count("days"),
        count("failures"),
        amount("rests_until"),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lanes"),
        sqlite_strict=True,
    )
