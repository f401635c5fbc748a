"""The first schema: everything from sources to runs."""

import sqlalchemy as sa
from alembic import op

from newsletter.store.schema import Instant

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("id", Number, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("first_seen", Instant(), nullable=False),
        sa.Column("last_seen", Instant(), nullable=False),
        sa.Column("is_news", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.UniqueConstraint("source", "key", name="uq_entries_source_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_entries_key", "entries", ["key"])
    op.create_index("ix_entries_source_first_seen", "entries", ["source", "first_seen"])

    op.create_table(
        "issues",
        sa.Column("id", Number, nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("nonce", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("publication", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("rendered", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_issues"),
        sa.UniqueConstraint("newsletter", "slot", name="uq_issues_newsletter_slot"),
        sqlite_strict=True,
    )
    op.create_index("ix_issues_newsletter_at", "issues", ["newsletter", "at"])

    op.create_table(
        "runs",
        sa.Column("id", Number, nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sqlite_strict=True,
    )
    op.create_index("ix_runs_newsletter_ended_at", "runs", ["newsletter", "ended_at"])

    op.create_table(
        "sources",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tried_at", Instant(), nullable=False),
        sa.Column("succeeded_at", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rests_until", Instant(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_sources"),
        sqlite_strict=True,
    )
    op.create_table(
        "subscribers",
        sa.Column("id", Number, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="", nullable=False),
        sa.Column("suppressed", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("mailbox", name="uq_subscribers_mailbox"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "validators",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), server_default="", nullable=False),
        sa.Column("last_modified", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_validators"),
        sqlite_strict=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Number, nullable=False),
        sa.Column("issue", Number, nullable=False),
        sa.Column("subscriber", Number, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("resends", sa.Integer(), server_default="0", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("code", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["issue"], ["issues.id"], name="fk_deliveries_issue"),
        sa.ForeignKeyConstraint(
            ["subscriber"], ["subscribers.id"], name="fk_deliveries_subscriber", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("issue", "subscriber", name="uq_deliveries_issue_subscriber"),
        sqlite_strict=True,
    )
    op.create_index("ix_deliveries_issue_state_due_at", "deliveries", ["issue", "state", "due_at"])
    op.create_index("ix_deliveries_subscriber", "deliveries", ["subscriber"])

    op.create_table(
        "snapshots",
        sa.Column("entry", Number, nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("upvotes", sa.Integer(), nullable=True),
        sa.Column("comments", sa.Integer(), nullable=True),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name="fk_snapshots_entry", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry", "taken_at", name="pk_snapshots"),
        sqlite_strict=True,
    )
    op.create_table(
        "subscriptions",
        sa.Column("subscriber", Number, nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cadence", sa.Text(), server_default="daily", nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber"], ["subscribers.id"], name="fk_subscriptions_subscriber", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscriber", "newsletter", name="pk_subscriptions"),
        sqlite_strict=True,
    )
    op.create_index("ix_subscriptions_newsletter_state", "subscriptions", ["newsletter", "state"])

    op.create_table(
        "told",
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("issue", Number, nullable=False),
        sa.ForeignKeyConstraint(["issue"], ["issues.id"], name="fk_told_issue", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("newsletter", "key", name="pk_told"),
        sqlite_strict=True,
    )
    op.create_index("ix_told_issue", "told", ["issue"])

    op.create_table(
        "events",
        sa.Column("id", Number, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subscriber", Number, nullable=True),
        sa.Column("delivery", Number, nullable=True),
        sa.Column("newsletter", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name="fk_events_delivery", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["subscriber"], ["subscribers.id"], name="fk_events_subscriber", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_events_delivery", "events", ["delivery"])
    op.create_index("ix_events_subscriber", "events", ["subscriber"])
