"""The archive that searches look through, and its index of words."""

import sqlalchemy as sa
from alembic import op

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stories",
        sa.Column("id", Number, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision", Number, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("sources", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("embedder", sa.Text(), server_default="", nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_stories"),
        sa.UniqueConstraint("key", name="uq_stories_key"),
        sa.UniqueConstraint("revision", name="uq_stories_revision"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_stories_embedder", "stories", ["embedder"])

    op.create_table(
        "unfiled",
        sa.Column("id", Number, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unfiled"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )

    op.create_table(
        "learned",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_learned"),
        sqlite_strict=True,
    )

    if op.get_bind().dialect.name == "sqlite":
        # Its tokens are our words: `ascii` parts text at ASCII alone, whatever else is written is left as it is.
        op.execute("""
            CREATE VIRTUAL TABLE story_words USING fts5(words, authors, tokenize = "ascii tokenchars '+#'")""")
    else:
        op.execute("""
            CREATE TABLE story_words (
                story bigint PRIMARY KEY,
                words text NOT NULL,
                authors text NOT NULL,
                held tsvector NOT NULL GENERATED ALWAYS AS (
                    array_to_tsvector(array_remove(regexp_split_to_array(words || ' ' || authors, '\\s+'), ''))
                ) STORED
            )""")
        op.execute("CREATE INDEX ix_story_words_held ON story_words USING gin (held)")

    op.execute("INSERT INTO unfiled (key) SELECT key FROM entries GROUP BY key ORDER BY min(id)")
