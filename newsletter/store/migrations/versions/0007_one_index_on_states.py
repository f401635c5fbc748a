"""One index on the states of deliveries instead of two: each change of state was written into both."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_deliveries_open", "deliveries")
    op.drop_index("ix_deliveries_issue_state_due_at", "deliveries")
    op.create_index("ix_deliveries_state_issue_due_at", "deliveries", ["state", "issue", "due_at"])
