"""The tables: one schema for SQLite and PostgreSQL, in SQLAlchemy Core.

What must happen once is a key here, not a lock in memory: `issues(newsletter, slot)`, `deliveries(issue, subscriber)`,
`entries(source, key)`. The migrations in `migrations/` build exactly this; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_SORTABLE = "%Y-%m-%dT%H:%M:%S.%fZ"


@lru_cache(maxsize=256)  # a batch of rows has one moment in common, and writing it costs more than the row
def _sortable(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_SORTABLE)


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC: `timestamptz` on PostgreSQL, sortable ISO 8601 text on SQLite. Naive ones are bugs."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of each database."""
        kind = sa.DateTime(timezone=True) if dialect.name == "postgresql" else sa.Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """On the way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value!r}")
        return value.astimezone(UTC) if dialect.name == "postgresql" else _sortable(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """On the way out."""
        if value is None or dialect.name == "postgresql":
            return value.astimezone(UTC) if value is not None else None
        return datetime.fromisoformat(value)


# SQLite's STRICT tables take INTEGER, and only INTEGER PRIMARY KEY numbers rows; REAL, and no DOUBLE.
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Amount: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    return sa.Table(name, metadata, *columns, sqlite_strict=True, **options)


def _text(name: str, *, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _amount(name: str, *, default: str = "0") -> sa.Column[float]:
    return sa.Column(name, Amount, nullable=False, server_default=default)


# How each source is doing.
sources = _table(
    "sources",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("tried_at", Instant, nullable=False),
    sa.Column("succeeded_at", Instant),
    _count("failures"),  # in a row
    sa.Column("rests_until", Instant),  # it is not asked before, unless an operator does
    _text("error"),  # of the last attempt, empty when it succeeded
    _count("size"),  # bytes of its last answer that had any
    _count("milliseconds"),  # what that took to get
)

# What an address last answered: enough for it to say "not modified" next time (RFC 9110 section 13), and what it
# said about asking again and about having moved.
answers = _table(
    "answers",
    sa.Column("address", sa.Text, primary_key=True),
    _text("etag"),
    _text("last_modified"),
    _text("digest"),  # SHA-256 of the body
    _text("hints"),  # of the document: Hints, by codec
    _text("moved_to"),
    _count("moved_seen"),  # on so many days in a row
    sa.Column("moved_at", Instant),  # when last
)

# Whose turn it is, among all processes: to ask a domain that counts their requests as one, to collect.
turns = _table(
    "turns",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("free_at", Instant, nullable=False),  # nobody takes it before
)

entries = _table(
    "entries",
    sa.Column("id", Number, primary_key=True),
    _text("source", default=None),
    _text("key", default=None),
    _text("title", default=None),
    _text("body", default=None),  # the whole Entry, by codec
    sa.Column("first_seen", Instant, nullable=False),
    sa.Column("last_seen", Instant, nullable=False),
    sa.Column("is_news", sa.Integer, nullable=False, server_default="1"),  # 0: the past of a feed we came to later
    sa.UniqueConstraint("source", "key"),
    sa.Index(None, "key"),
    sa.Index(None, "source", "first_seen"),
)

# One row per entry and run: what velocity is computed from.
snapshots = _table(
    "snapshots",
    sa.Column("entry", Number, sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("taken_at", Instant, primary_key=True),
    sa.Column("upvotes", sa.Integer),
    sa.Column("comments", sa.Integer),
    sa.Column("stars", sa.Integer),
)

# What was collected, a row for each key whatever number of sources has it: what a search looks through. Everything here
# is derived from `entries`, and so are its words, in `story_words` (see `store/words.py`).
stories = _table(
    "stories",
    sa.Column("id", Number, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("revision", Number, nullable=False, unique=True),  # grows with every change of any story
    _text("day", default=None),  # published, else first seen: 2026-11-20
    _text("topic"),
    _text("sources"),  # by name, a space between
    _text("digest", default=None),  # of the text: its vector stands as long as that does
    _text("embedder"),  # the version that made the vector, empty: none yet
    sa.Column("vector", sa.LargeBinary),  # int8, a byte for each dimension
    sa.Index(None, "embedder"),
    sqlite_autoincrement=True,
)

# Changes of entries after which their story was not written yet.
unfiled = _table(
    "unfiled",
    sa.Column("id", Number, primary_key=True),
    _text("key", default=None),
    sqlite_autoincrement=True,
)

# What was learned from the archive, by name; `revision` counts how often.
learned = _table(
    "learned",
    sa.Column("name", sa.Text, primary_key=True),
    _count("revision"),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

# A slot that was decided: `published` with its issue, or `skipped` with the reason. Absent: not decided yet.
issues = _table(
    "issues",
    sa.Column("id", Number, primary_key=True),
    _text("newsletter", default=None),
    _text("slot", default=None),
    sa.Column("at", Instant, nullable=False),
    _text("state", default=None),
    _text("reason"),
    _text("nonce"),  # makes this issue's Message-IDs unguessable and the same on every attempt
    _text("subject"),
    _text("publication"),  # the Newsletter, by codec, as it was when this issue was published
    _text("body"),  # the Issue, by codec
    _text("rendered"),  # the Rendered, by codec
    _text("translations"),  # the Rendered in each other language of its readers, by codec; empty: in none
    _text("send_window"),  # 08:00-18:00; empty: its messages go at any hour
    sa.Column("decided_at", Instant, nullable=False),
    sa.UniqueConstraint("newsletter", "slot"),
    sa.Index(None, "newsletter", "at"),
)

# Issues that somebody, or the breaker, has held up; a table of its own, since every turn of sending looks here.
holds = _table(
    "holds",
    sa.Column("issue", Number, sa.ForeignKey("issues.id"), primary_key=True),
    _text("state", default=None),  # paused, cancelled; empty: it was resumed
    _text("who"),  # empty: the newsletter itself
    _text("why"),
    sa.Column("since", Instant, nullable=False),
    _count("sent_before"),  # messages of it that went out before it was resumed: the breaker counts from there
)

# What mail servers object to, by kind: what the breaker goes by, counted by all processes together.
senders = _table(
    "senders",
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("lease_until", Instant, nullable=False),
)
# What senders did, a row for each turn, until it is written into their deliveries (see journal.py).
journal = _table(
    "journal",
    sa.Column("id", Number, primary_key=True),
    _text("owner", default=None),
    sa.Column("issue", Number, nullable=False),
    sa.Column("at", Instant, nullable=False),
    _count("sent"),  # how many messages were
    _text("taken", default=None),  # a JSON array of these: number, code and text of the reply
    _text("begun", default=None),  # a JSON array of numbers; null where the lease was lost
)
objections = _table(
    "objections",
    sa.Column("issue", Number, sa.ForeignKey("issues.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    _count("refused"),  # messages, for good
    _count("policy"),  # messages, for what we are or send
    _text("example"),  # such a reply
)

# Every name of every story that was published: what is in here is not told again.
told = _table(
    "told",
    sa.Column("newsletter", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("issue", Number, sa.ForeignKey("issues.id", ondelete="CASCADE"), nullable=False, index=True),
)

# Ids are never used again (AUTOINCREMENT): a link in an old mail must not come to mean somebody else.
subscribers = _table(
    "subscribers",
    sa.Column("id", Number, primary_key=True),
    _text("email", default=None),
    sa.Column("mailbox", sa.Text, nullable=False, unique=True),  # the address folded: two spellings are one reader
    _text("name"),
    _text("timezone"),  # IANA name, empty: the newsletter's own
    _text("suppressed"),  # why this address gets no mail at all, empty when it may
    sa.Column("created_at", Instant, nullable=False),
    sa.Index(None, "timezone"),
    sqlite_autoincrement=True,
)

subscriptions = _table(
    "subscriptions",
    sa.Column("subscriber", Number, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("newsletter", sa.Text, primary_key=True),
    _text("state", default=None),  # pending, confirmed, left
    _text("cadence", default="daily"),
    sa.Column("since", Instant, nullable=False),
    sa.Column("asked_at", Instant),  # when a link to confirm it was last sent, while it is pending
    sa.Column("hour", sa.Integer),  # of the reader's clock, at which issues are wanted; NULL: when they come
    _text("paused_until"),  # 2026-12-24: nothing for a day before; empty: not paused
    _text("choices"),  # the other Preferences, by codec; empty: none
    sa.Index(None, "newsletter", "state"),
)

# What was asked by a form and is answered by a mail, if at all; kept for a week, since limits count it.
applications = _table(
    "applications",
    sa.Column("id", Number, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    _text("wish", default=None),  # subscribe, welcome, account, address, notice
    _text("newsletter", default=None),
    _text("email", default=None),
    _text("mailbox", default=None),  # the address folded
    _text("language"),
    _text("network"),  # the prefix of the address it came from
    _text("letter"),  # which letter answers it, once that is decided
    sa.Column("decided_at", Instant),
    sa.Column("due_at", Instant, nullable=False),  # not tried before
    _count("attempts"),
    _text("owner"),  # the process that answers it now
    sa.Column("lease_until", Instant),
    sa.Column("ended_at", Instant),
    _text("outcome"),
    # Of a change of address: whose; which one a notice tells of; the address before, once it is made; an objection.
    sa.Column("subscriber", Number, sa.ForeignKey("subscribers.id"), index=True),
    sa.Column("change", Number),
    _text("before"),
    sa.Column("objected_at", Instant),
    sa.Index(None, "at"),
    sa.Index(None, "network", "at"),
    sa.Index(None, "mailbox", "decided_at"),
    sa.Index(None, "ended_at", "due_at"),
    sqlite_autoincrement=True,
)

# Who is never written to again, as a keyed hash of the address.
blocked = _table(
    "blocked",
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("at", Instant, nullable=False),
)

# Who left a newsletter, or read it, and was erased since, as a keyed hash of the address: no list brings them back.
departed = _table(
    "departed",
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("newsletter", sa.Text, primary_key=True),
    sa.Column("at", Instant, nullable=False),
)

# The ledger: one row for each recipient of each issue, from the moment the issue is published.
deliveries = _table(
    "deliveries",
    sa.Column("id", Number, primary_key=True),
    sa.Column("issue", Number, nullable=False),
    sa.Column("subscriber", Number),
    _text("state", default=None),
    _text("reason"),
    sa.Column("planned_at", Instant),  # when it was meant to go, whatever put it off since
    sa.Column("due_at", Instant, nullable=False),  # not before this
    sa.Column("expires_at", Instant),  # not after this; NULL: never too late
    _text("zone"),  # whose clocks the send window goes by; empty: it goes at any hour
    _count("attempts"),
    _count("resends"),  # after an uncertain end: at most once by rule
    _text("owner"),  # the process that holds it, while `sending`; until when is said in `senders`
    sa.Column("started_at", Instant),  # its body may have left; NULL: surely not
    _count("code"),
    _text("reply"),
    sa.Column("ended_at", Instant),
    # One index for both on PostgreSQL, where each costs a fifth of planning a million rows (migration 0022).
    sa.UniqueConstraint("issue", "subscriber").ddl_if(dialect="sqlite"),
    sa.Index(None, "subscriber").ddl_if(dialect="sqlite"),
    sa.UniqueConstraint("subscriber", "issue").ddl_if(dialect="postgresql"),
    # PostgreSQL would look up both for each of a million rows, which are made of these very tables: a trigger there
    # does what is needed (migration 0020).
    sa.ForeignKeyConstraint(["issue"], ["issues.id"]).ddl_if(dialect="sqlite"),
    sa.ForeignKeyConstraint(["subscriber"], ["subscribers.id"], ondelete="SET NULL").ddl_if(dialect="sqlite"),
    # The one index for a tick, a claim, a count and all else of an issue: every change of state is written into it.
    sa.Index(None, "state", "issue", "due_at"),
)

# Append-only: consent, suppression, uncertain ends, what operators did. Triggers of the database hold it (migration
# 0016); a table that takes the place of this one needs them too.
events = _table(
    "events",
    sa.Column("id", Number, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    _text("kind", default=None),
    sa.Column("subscriber", Number, sa.ForeignKey("subscribers.id", ondelete="SET NULL"), index=True),
    sa.Column("delivery", Number, sa.ForeignKey("deliveries.id", ondelete="SET NULL"), index=True),
    sa.Column("issue", Number, sa.ForeignKey("issues.id"), index=True),
    _text("newsletter"),
    _text("detail"),
    sqlite_autoincrement=True,
)

# The latest tick of a daemon since each start of a machine: what its clock is measured against.
ticks = _table(
    "ticks",
    sa.Column("boot", sa.Text, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("uptime", Number, nullable=False),  # of the machine then, in milliseconds
    _count("doubted"),  # 1: its clock has gone wrong since, and nobody has confirmed it
)

# Troubles that the operator is told of once, and once more when they are over; gone when that was told.
alarms = _table(
    "alarms",
    sa.Column("name", sa.Text, primary_key=True),
    _text("newsletter"),
    _text("title", default=None),
    _text("lines"),  # a paragraph each
    sa.Column("since", Instant, nullable=False),
    sa.Column("told_at", Instant),
    sa.Column("over_at", Instant),
)

# What all workers know of each way for mail: its budget, its warm-up, whether it can be used. See `model.Lane`.
lanes = _table(
    "lanes",
    sa.Column("name", sa.Text, primary_key=True),
    _amount("tokens"),
    _amount("filled_at"),
    _amount("share", default="1"),
    _amount("pause"),
    _amount("slow_until"),
    _amount("raised_at"),
    _count("day"),
    _count("day_count"),
    _count("days"),
    _count("failures"),
    _amount("rests_until"),
    _text("trouble"),
)

# Who may do what an operator does in a browser or by the API. Passwords are kept as argon2 hashes.
operators = _table(
    "operators",
    sa.Column("id", Number, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    _text("password", default=None),
    sa.Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

# What an operator shows in place of a password: the cookie of a session, or the token of a program. Only its digest is
# kept, so that who reads this table can do nothing with it; a row that is gone is good for nothing any more.
passes = _table(
    "passes",
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("operator", Number, sa.ForeignKey("operators.id", ondelete="CASCADE"), nullable=False, index=True),
    _text("kind", default=None),  # session or token
    _text("label"),  # what a token is called
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
    sa.Column("expires_at", Instant),  # NULL: good until it is revoked
)

# Log-ins that failed, as long as they count.
failures = _table(
    "failures",
    sa.Column("id", Number, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    _text("name", default=None),  # as it was typed, a digest of it: it may be a password
    _text("network"),
    sa.Index(None, "at"),
    sqlite_autoincrement=True,
)

# Which stories readers of a newsletter like, each at most once.
votes = _table(
    "votes",
    sa.Column("newsletter", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("subscriber", Number, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("at", Instant, nullable=False),
    sa.Index(None, "newsletter", "at"),
)

# What readers of a newsletter suggest to tell, a row for each thing whoever suggests it: it waits for the editor.
suggestions = _table(
    "suggestions",
    sa.Column("id", Number, primary_key=True),
    _text("newsletter", default=None),
    _text("key", default=None),  # that of an entry
    _text("url", default=None),
    _text("body"),  # the Entry, by codec, once a source was asked; empty: it is not known
    _text("state", default=None),  # waiting, approved, declined
    sa.Column("at", Instant, nullable=False),
    sa.Column("decided_at", Instant),
    _text("decided_by"),
    sa.UniqueConstraint("newsletter", "key"),
    sa.Index(None, "newsletter", "state"),
    sa.Index(None, "state", "at"),
    sqlite_autoincrement=True,
)

# Who suggests it, each at most once, and what they say of it. Gone with the reader.
suggesters = _table(
    "suggesters",
    sa.Column("suggestion", Number, sa.ForeignKey("suggestions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("subscriber", Number, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    _text("url"),  # as they gave it
    _text("title"),
    _text("note"),
    sa.Column("at", Instant, nullable=False),
    sa.Index(None, "subscriber", "at"),
)

# Issues that wait until somebody approves them. A slot that is decided has none.
drafts = _table(
    "drafts",
    _text("newsletter", default=None),
    _text("slot", default=None),
    _text("place", default=None),  # the Slot, by codec
    _text("body"),  # the Issue, by codec; empty where nothing is left of it
    _text("reason"),  # why that is so
    _count("revision"),
    sa.Column("besides", Number),  # the issue it replaces, where one is replaced on purpose
    sa.Column("composed_at", Instant, nullable=False),
    sa.Column("until", Instant),  # when it is too late; NULL: never
    sa.Column("approved_at", Instant),
    _text("approved_by"),
    sa.PrimaryKeyConstraint("newsletter", "slot"),
)

# What editors said of stories, and at the top of an issue. See `model.Edit`.
edits = _table(
    "edits",
    sa.Column("id", Number, primary_key=True),
    _text("newsletter", default=None),
    _text("kind", default=None),
    _text("key", default=None),
    _text("text"),
    _text("who"),
    sa.Column("at", Instant, nullable=False),
    _text("until"),  # a day, empty where there is none
    sa.UniqueConstraint("newsletter", "kind", "key"),
    sqlite_autoincrement=True,
)

# What programs asked under a key of theirs, and what was answered: asked again, it is not done again. Kept for a day.
requests = _table(
    "requests",
    sa.Column("key", sa.Text, primary_key=True),  # a digest of the operator and their key
    sa.Column("operator", Number, sa.ForeignKey("operators.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False, index=True),
    _text("request", default=None),  # a digest of what was asked
    _count("status"),  # 0: it is being done
    _text("location"),
    _text("body"),  # empty: erased, with the person it was about
    sa.Column("subscriber", Number, sa.ForeignKey("subscribers.id", ondelete="SET NULL"), index=True),
)

# Sends to named people that nobody waits for: how far each has come. To whom is in the ledger.
sends = _table(
    "sends",
    sa.Column("id", Number, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    _text("who"),  # the operator who ordered it
    _text("newsletter", default=None),
    _text("slot", default=None),
    _count("recipients"),
    _text("state", default=None),  # waiting, running, done, skipped, failed
    _text("reason"),
    sa.Column("issue", Number, sa.ForeignKey("issues.id")),
    _text("owner"),  # the process that does it
    sa.Column("ended_at", Instant),
    sqlite_autoincrement=True,
)

# How often something changed that public pages are made of, by part: see `store/revision.py`.
public_revision = _table(
    "public_revision",
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # the part
    sa.Column("number", Number, nullable=False, server_default="0"),
)

# The report of every run, also of those that sent nothing.
runs = _table(
    "runs",
    sa.Column("id", Number, primary_key=True),
    _text("newsletter", default=None),
    _text("slot", default=None),
    sa.Column("ended_at", Instant, nullable=False),
    _text("report", default=None),  # the Run, by codec
    sa.Index(None, "newsletter", "ended_at"),
)
