"""An issue is kept as it was rendered for readers of other languages, too."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issues", sa.Column("translations", sa.Text(), server_default="", nullable=False))
