"""The vocabulary: frozen dataclasses that travel between the stages.

    schedules.yaml -> Schedule --due(now)--> Slot
    Source --fetch--> bytes --read--> Entry --merge--> Story --rank, group--> Section --choose--> Issue
    Issue --render--> Rendered --assemble(Recipient)--> Message --send--> Outcome -> the delivery's State
    Issue + Preferences --tailor--> Edition --cut from the Rendered--> another Rendered

Tuples inside, so that a value can be shared and hashed; every datetime is aware and in UTC. Text fields are plain
text (no markup) unless their comment says HTML. What is made anew for each message is a named tuple: it costs a third.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

# --- what is configured (schedules.yaml) ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place entries come from; `options` are those of its kind, already checked against it."""

    name: str
    kind: str
    weight: float = 1.0  # a story of a source that weighs 2 is worth twice the votes
    options: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What belongs together, as the operator describes it. The result in one issue is a `Section`."""

    name: str
    title: str
    about: str = ""
    keywords: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    umbrella: str = ""  # the heading under which topics with few stories that day stand together
    examples: tuple[str, ...] = ()  # keys or titles of stories that belong to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an issue may hold: stories in all, and stories in one section."""

    stories: int = 20
    per_topic: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Whose stories are wanted whatever else is asked of a story."""

    authors: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """How many of each signal a story needs, if its source counts them at all."""

    upvotes: int = 0
    comments: int = 0
    stars: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a newsletter keeps of what its sources have. Words are found as the keywords of a topic are."""

    include: tuple[str, ...] = ()  # one of these, where there are any
    exclude: tuple[str, ...] = ()  # none of these
    follow: Follow = Follow()
    minimum: Minimum = Minimum()


class WhenEmpty(StrEnum):
    """What to do with a slot for which nothing new was found."""

    SKIP = "skip"
    SEND = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    """One publication: who sends it, what it is made of and how much of it."""

    name: str
    title: str
    sender: str  # an RFC 5322 mailbox, "Daily Papers <papers@example.org>"
    theme: str = "papers"
    sources: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    limits: Limits = Limits()
    filters: Filters = Filters()
    when_empty: WhenEmpty = WhenEmpty.SKIP
    max_age: timedelta = timedelta(days=7)  # an entry first seen longer ago than this is no news any more
    language: str = "en"
    address: str = ""  # the sender's postal address, shown in the foot of every mail
    noun: str = "paper"  # what a story is called: paper or story
    images: bool = False  # whether pictures of stories are shown; they are loaded from where the source has them
    approval: bool = False  # whether somebody must approve an issue before it goes
    votes: bool = False  # whether its readers may say which stories they like
    suggestions: str = ""  # the source for what its readers suggest; empty: they suggest nothing
    public: bool = True  # whether it has pages that anybody may see, and a form that anybody may fill in


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of the wall clock, the end not among them; over midnight where it ends before it starts."""

    start: time
    end: time


EXPIRES = timedelta(hours=24)  # a daily issue that comes after the next one is no news


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When issues of a newsletter are due. Either `cron` (five fields) or `every` with the wall times `at`.

    `weekdays` are 0 (Monday) to 6 and `month_days` 1 to 31, what `every` comes to: it falls on either, in a month that
    is too short on its last day. Of `weeks` weeks one counts, that of `starting` or of 1970-01-05. `timezone` is an
    IANA name or "subscriber": that wall time wherever each reader is. A message goes within the `window` of that zone's
    clocks, or not at all once it `expires` after it was due.
    """

    name: str
    newsletter: str
    weekdays: frozenset[int] = frozenset(range(7))
    month_days: frozenset[int] = frozenset()
    weeks: int = 1
    starting: date | None = None
    at: tuple[time, ...] = ()
    cron: str = ""
    timezone: str = "UTC"
    catch_up: timedelta = timedelta(hours=6)
    window: Window | None = None
    expires: timedelta = EXPIRES
    cadence: str = "daily"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole of schedules.yaml, checked: every name in it refers to something that exists."""

    newsletters: Mapping[str, Newsletter] = field(default_factory=dict, hash=False)
    sources: Mapping[str, Source] = field(default_factory=dict, hash=False)
    topics: Mapping[str, Topic] = field(default_factory=dict, hash=False)
    schedules: Mapping[str, Schedule] = field(default_factory=dict, hash=False)


# --- when ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Slot:
    """One turn of a schedule: the key of everything that follows.

    `date` is the local date in the schedule's zone, `at` the instant (UTC) from which the issue may go out. Two slots
    with one `key` are the same turn, however their instants were computed.
    """

    newsletter: str
    schedule: str
    date: date
    at: datetime
    time: str = ""  # "17:30" where a schedule has several turns a day, else empty

    @property
    def key(self) -> str:
        """The part of the slot that is unique within its newsletter: `weekday-morning/2026-11-20`."""
        return f"{self.schedule}/{self.date.isoformat()}" + (f"T{self.time}" if self.time else "")


# --- what is read -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What readers elsewhere made of an entry. None means the source does not say, which is not zero."""

    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None

    def merged(self, other: Signals) -> Signals:
        """The larger of each, since two sources that count the same thing do so at different times."""
        return Signals(
            upvotes=_larger(self.upvotes, other.upvotes),
            comments=_larger(self.comments, other.comments),
            stars=_larger(self.stars, other.stars),
        )


def _larger(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A further address of an entry; `rel` is one of code, project, pdf, discussion."""

    rel: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing as one source tells it.

    `key` is its identity across sources: `arxiv:2310.06825`, else `doi:10.1000/182`, else `url:https://…` (canonical),
    else `guid:<source>:<guid>`; saved listings, which give neither id nor address, use `title:<words>`.
    `aliases` are further keys by which another source may call the same thing.
    """

    key: str
    source: str
    guid: str
    url: str
    title: str
    summary: str = ""
    tldr: str = ""  # the source's own summary in a sentence or two; often written by a machine
    content: str = ""  # sanitised HTML, empty where the source gives none
    authors: tuple[str, ...] = ()
    author_count: int | None = None  # where a source gives the number but not the names, or hides some
    organisations: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    listed: date | None = None  # the day a listing showed it
    tags: tuple[str, ...] = ()
    image: str = ""
    links: tuple[Link, ...] = ()
    signals: Signals = Signals()
    aliases: tuple[str, ...] = ()


# --- what an editor says -------------------------------------------------------------------------------------------


class Change(StrEnum):
    """What an editor may do to an issue before it is published.

    pin    this story is told in the next issue, whatever else is asked of one: first in its section
    hide   this story is not told
    blurb  this is said of the story, in place of its own sentences
    intro  this stands at the top of the issue of a day
    """

    PIN = "pin"
    HIDE = "hide"
    BLURB = "blurb"
    INTRO = "intro"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One thing an editor said: of the story `key`, or for an intro of the day that it spells.

    It holds for the issues up to the day `until`; a pin without one for the next issue only, all others for good.
    """

    newsletter: str
    kind: Change
    key: str
    at: datetime
    text: str = ""
    who: str = ""
    until: date | None = None
    id: int = 0


# --- what is composed ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Where a story was found: the source's name and the address it gave."""

    source: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One ground of a story's rank. `points` are hundredths of a natural logarithm: 69 double what it is worth.

    `words` tell it to a reader, and are empty where it is no reason to show the story.
    """

    name: str
    points: int
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One thing worth telling, merged from the entries of every source that has it."""

    key: str
    title: str
    url: str
    summary: str = ""
    tldr: str = ""  # as its source gave it
    brief: str = ""  # what a card shows: one or two sentences
    line: str = ""  # what a small card shows: one sentence
    authors: tuple[str, ...] = ()
    author_count: int = 0
    organisations: tuple[str, ...] = ()
    published: datetime | None = None
    first_seen: datetime | None = None
    tags: tuple[str, ...] = ()
    image: str = ""
    links: tuple[Link, ...] = ()
    signals: Signals = Signals()
    mentions: tuple[Mention, ...] = ()
    aliases: tuple[str, ...] = ()
    listed: date | None = None  # the last day a listing showed it
    parts: tuple[Part, ...] = ()  # the grounds of its rank, the weightiest first
    standing: int = 0  # the share of the stories it was ranked with that it leaves behind, in percent
    why: tuple[str, ...] = ()  # those of its parts that speak for it, in words
    again: str = ""  # why it is told although it was told before
    topic: str = ""  # the title of its topic, where its section does not say so
    topic_name: str = ""  # its name there, by which readers choose it


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The stories of one topic in one issue. `more` counts those that the limits left out."""

    topic: str
    title: str
    stories: tuple[Story, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What one slot tells its readers; frozen once published."""

    slot: Slot
    title: str
    preheader: str
    headline: str = ""  # the title of the best story, wherever it stands
    intro: tuple[str, ...] = ()  # what its editor says first, in paragraphs
    sections: tuple[Section, ...] = ()
    language: str = "en"

    @property
    def stories(self) -> tuple[Story, ...]:
        """Every story, in reading order."""
        return tuple(story for section in self.sections for story in section.stories)


# --- what is rendered ---------------------------------------------------------------------------------------------


class Token(StrEnum):
    """A place in the rendered issue that is filled for each recipient."""

    NAME = "name"
    EMAIL = "email"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    PREFERENCES_URL = "preferences_url"
    WEB_URL = "web_url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slotted:
    """A token's place between two literals."""

    token: Token


class Word(StrEnum):
    """Words of a rendered issue that say how much of it there is; an edition that leaves something out has others.

    preheader what a mail client shows beside the subject
    shown     how many stories the mail has
    topics    how many sections
    stories   how many stories a section has: in its line of the contents
    more_in   how many more of a section's are on the web
    more      how many more of the issue's are
    """

    PREHEADER = "preheader"
    SHOWN = "shown"
    TOPICS = "topics"
    STORIES = "stories"
    MORE_IN = "more_in"
    MORE = "more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A literal that is such words, as the whole issue has them."""

    word: Word
    text: str


Piece = str | Slotted | Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A part of the rendered issue that is kept or left out as a whole.

    `kind` is head, top, contents, lead, section, story or foot; `key` names the section or story. Both bodies are
    literals with slots for tokens between them; the fragments of an issue, joined in order, are the whole HTML and the
    whole text. Head, lead and foot belong to every edition; a `top` or `contents` without a key is their heading.
    Literals that are `Told` are other words in an edition.
    """

    kind: str
    key: str
    html: tuple[Piece, ...]
    text: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """An issue ready for every recipient: rendered once, personal only at the token slots.

    `nothing` is the mail of those for whom none of its stories is, where they get one (`WhenEmpty.SEND`).
    """

    subject: str
    fragments: tuple[Fragment, ...]
    nothing: Rendered | None = None


class Recipient(NamedTuple):
    """Whom one delivery is for, and the names it travels under; the same on every attempt."""

    delivery: int
    subscriber: int
    email: str
    name: str = ""
    message_id: str = ""


class Message(NamedTuple):
    """Bytes for one recipient: CRLF line ends, no bare CR or LF, not dot-stuffed (the transport does that).

    They are in pieces, most of which the messages of an issue share; joined when they leave, they are still near.
    `is_encoded` says that there is nothing to do: only ASCII, every line ends in CRLF and none begins with a dot.
    """

    delivery: int
    sender: str  # the envelope's
    recipient: str  # the envelope's
    pieces: Sequence[bytes]
    is_encoded: bool = False

    @property
    def data(self) -> bytes:
        """The whole."""
        return b"".join(self.pieces)

    @property
    def size(self) -> int:
        """How many bytes that is."""
        return sum(map(len, self.pieces))


# --- what a reader chooses ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a reader wants of one newsletter. What is empty or None is left to the newsletter.

    Words are found as the keywords of a topic are; `tailor` says what they do. `hour` is one of the reader's own clock,
    0 to 23. Nothing is sent for a day before `paused_until`.
    """

    topics: tuple[str, ...] = ()  # by name; none: all
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()  # whose stories are wanted whatever else is asked
    cadence: str = "daily"
    hour: int | None = None
    timezone: str = ""  # IANA name; it is the reader's, for all newsletters
    language: str = ""
    stories: int | None = None  # at most so many
    paused_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """Which stories of an issue are for one reader, and in which order: by section, the keys of those that are kept."""

    sections: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def stories(self) -> tuple[str, ...]:
        """Their keys, in reading order."""
        return tuple(key for _, keys in self.sections for key in keys)


# --- what became of it --------------------------------------------------------------------------------------------


class State(StrEnum):
    """The states of a delivery.

    queued    waiting for its turn
    sending   claimed by a process that holds a lease on it
    sent      the server took responsibility for it
    deferred  refused for now, to be tried again
    rejected  refused for good
    uncertain the connection was cut after the end of the message and before its reply
    expired   it could not go before it was too old
    excluded  never meant to go: the reason stands beside it
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    EXPIRED = "expired"
    EXCLUDED = "excluded"


class Verdict(StrEnum):
    """What one attempt to send came to.

    sent       taken
    deferred   this message, for now
    rejected   this message, for good
    suppress   this address, for good: it does not exist
    uncertain  cut after the end of the message, before its reply
    unsent     surely not taken and no fault of the message: connection lost earlier, or never offered to the server
    """

    SENT = "sent"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    SUPPRESS = "suppress"
    UNCERTAIN = "uncertain"
    UNSENT = "unsent"


class Outcome(NamedTuple):
    """What became of one message in one attempt; `phase` is the last SMTP step that was begun."""

    delivery: int
    verdict: Verdict
    code: int = 0
    text: str = ""
    phase: str = ""
    retry_after: float | None = None  # seconds, where the server named a time
    given_up: bool = False  # we broke off for reasons of our own
    put_off: float | None = None  # seconds, where it is we who let it wait: today's share of a server is used up
    policy: bool = False  # the reply is about what we are or send, not about this reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What all workers together know of the way to a mail server, or to a group of them; see `mail.budget`.

    Instants are seconds since 1970: what is reckoned with here are thousandths of a second.
    """

    tokens: float = 0.0  # messages that may go at once, as of `filled_at`; 0 there: as many as can be saved up
    filled_at: float = 0.0
    share: float = 1.0  # of the rate, while the server is being spared
    pause: float = 0.0  # the last one, in seconds; 0: it has not complained
    slow_until: float = 0.0
    raised_at: float = 0.0  # when its share last grew
    day: int = 0  # the last one on which something went, counted from 1970
    day_count: int = 0  # messages on that day
    days: int = 0  # before that one on which something went, while it is warmed up
    failures: int = 0  # in a row
    rests_until: float = 0.0
    trouble: str = ""  # why it rests


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What mail servers say in one kind of words: how many messages they refused so, and how many for what we are."""

    kind: str
    refused: int = 0
    policy: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That an issue is paused or cancelled, since when, by whom (empty: by the newsletter itself) and why."""

    issue: int
    newsletter: str
    slot: str
    cancelled: bool
    who: str
    why: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something the operator should know: by a name that stays while it lasts, told in a title and a few lines."""

    name: str
    title: str
    lines: tuple[str, ...]
    newsletter: str = ""  # the one it is about, where it is about one


# --- the reports of the stages ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What one source gave in one run. `error` is empty when it was read; `unchanged` means the source said so.

    `note` is what its owner should know although nothing failed. `past` counts those of the new entries that are no
    news: the history of a feed that was just added.
    """

    source: str
    entries: int = 0
    new: int = 0
    past: int = 0
    changed: int = 0
    unchanged: bool = False
    note: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The report of stage 1."""

    sources: tuple[SourceReport, ...] = ()

    @property
    def failed(self) -> tuple[SourceReport, ...]:
        """The sources that could not be read."""
        return tuple(report for report in self.sources if report.error)

    @property
    def new(self) -> int:
        """Entries never seen before."""
        return sum(report.new for report in self.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The report of stage 2: the issue, or None with the reason. `left_out` counts candidates by reason.

    `waits` says for what the issue waits, where it is not to be published yet.
    """

    issue: Issue | None
    reason: str = ""
    waits: str = ""
    candidates: int = 0
    merged: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The report of stage 3. `fresh` is False when the slot had its issue already; `excluded` counts by reason."""

    issue: int
    fresh: bool
    queued: int
    excluded: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The report of stage 4: what this run did, and how many deliveries of the issue are in each state after it.

    `stopped` says why the run ended early, and is empty when nothing was left that could go now. `held`: it is because
    the issue is paused or cancelled.
    """

    issue: int
    outcomes: Mapping[Verdict, int] = field(default_factory=dict, hash=False)
    states: Mapping[State, int] = field(default_factory=dict, hash=False)
    stopped: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The report of one slot: the four stages, as far as it came. Answers "why did (not) mail go out?"."""

    slot: Slot
    collected: Collected | None = None
    composed: Composed | None = None
    published: Published | None = None
    delivered: Delivered | None = None
    error: str = ""
