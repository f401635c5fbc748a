"""Which stories hold which word: FTS5 on SQLite, a tsvector with a GIN index on PostgreSQL.

How text becomes words is decided elsewhere; they are taken as they are: no stop words, no stemming, no case, nothing of
a query language. Part of `Stories`, which writes here in its own transactions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from newsletter.store.db import Database

# FTS5 keeps a content of its own: its rows can be replaced and deleted by id alone.
_SQLITE = {
    "drop": "DELETE FROM story_words WHERE rowid = :story",
    "put": "INSERT INTO story_words (rowid, words, authors) VALUES (:story, :words, :authors)",
    "clear": "DELETE FROM story_words",
    "holding": "SELECT rowid FROM story_words WHERE story_words MATCH :words ORDER BY rowid DESC LIMIT :most",
    "by": """
        SELECT rowid FROM story_words
        WHERE story_words MATCH '{authors} : (' || :words || ')' AND instr(authors, :name) > 0
        ORDER BY rowid DESC LIMIT :most""",
    "texts": """
        SELECT rowid, words || ' ' || authors FROM story_words
        WHERE rowid IN (SELECT value FROM json_each(:stories))""",
    "sample": "SELECT words || ' ' || authors FROM story_words ORDER BY rowid DESC LIMIT :most",
}
_POSTGRES = {
    "drop": "DELETE FROM story_words WHERE story = :story",
    "put": "INSERT INTO story_words (story, words, authors) VALUES (:story, :words, :authors)",
    "clear": "DELETE FROM story_words",
    "holding": """
        SELECT story FROM story_words
        WHERE held @@ CAST(:words AS tsquery) ORDER BY story DESC LIMIT :most""",
    "by": """
        SELECT story FROM story_words
        WHERE held @@ CAST(:words AS tsquery) AND strpos(authors, :name) > 0 ORDER BY story DESC LIMIT :most""",
    "texts": """
        SELECT story, words || ' ' || authors FROM story_words
        WHERE story IN (SELECT CAST(json_array_elements_text(CAST(:stories AS json)) AS bigint))""",
    "sample": "SELECT words || ' ' || authors FROM story_words ORDER BY story DESC LIMIT :most",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The words of a story, spaces between, and its authors', a line for each."""

    words: str
    authors: str


class Words:
    """The table `story_words`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db
        self._sql = {name: sa.text(text) for name, text in (_SQLITE if db.is_sqlite else _POSTGRES).items()}

    def put(self, connection: sa.Connection, held: Mapping[int, Held]) -> None:
        """What these stories hold from now on."""
        self.drop(connection, list(held))
        rows = [{"story": story, "words": one.words, "authors": one.authors} for story, one in held.items()]
        if rows:
            connection.execute(self._sql["put"], rows)

    def drop(self, connection: sa.Connection, stories: Sequence[int]) -> None:
        """Forget stories, as far as they are known."""
        if stories:
            connection.execute(self._sql["drop"], [{"story": story} for story in stories])

    def clear(self, connection: sa.Connection) -> None:
        """Forget every story."""
        connection.execute(self._sql["clear"])

    def holding(self, word: str, most: int) -> list[int]:
        """The stories that hold a word, in their text or among their authors: the latest first, at most so many."""
        return self._ids("holding", words=self._all_of([word]), most=most)

    def by(self, name: str, most: int) -> list[int]:
        """The stories one of whose authors has all words of a name, side by side: the latest first."""
        words = name.split()
        return self._ids("by", words=self._all_of(words), name=name, most=most) if words else []

    def texts(self, stories: Sequence[int]) -> Mapping[int, str]:
        """What each of these stories holds; one that is gone is absent."""
        with self._db.reading() as connection:
            return dict(connection.execute(self._sql["texts"], {"stories": json.dumps(list(stories))}).all())

    def sample(self, most: int) -> list[str]:
        """What the latest stories hold."""
        with self._db.reading() as connection:
            return list(connection.execute(self._sql["sample"], {"most": most}).scalars())

    def _ids(self, query: str, **values: str | int) -> list[int]:
        with self._db.reading() as connection:
            cursor = connection.execute(self._sql[query], values).cursor
            assert cursor is not None  # noqa: S101  # a SELECT has one
            # Straight from the driver: of tens of thousands of rows each would cost as much again in SQLAlchemy.
            return [row[0] for row in cursor.fetchall()]

    def _all_of(self, words: Sequence[str]) -> str:
        """Words as operands of the database's query language, each quoted whole so that none of it is syntax."""
        if self._db.is_sqlite:
            return " AND ".join('"' + word.replace('"', '""') + '"' for word in words)
        return " & ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in words)
