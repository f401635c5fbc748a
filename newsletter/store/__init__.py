"""What we remember: one database, SQLite or PostgreSQL, asked directly in SQL.

`open_store(url)` gives a Store whose parts are named after what they keep. Words: `add` `get` `list` `mark` `claim`
`forget`. Every method is one transaction unless it says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.store.address_changes import AddressChanges
from newsletter.store.alarms import Alarms
from newsletter.store.applications import Applications
from newsletter.store.consent import Consent
from newsletter.store.db import Database
from newsletter.store.deliveries import Deliveries
from newsletter.store.drafts import Drafts
from newsletter.store.edits import Edits
from newsletter.store.entries import Entries
from newsletter.store.events import Events
from newsletter.store.holds import Holds
from newsletter.store.issues import Issues
from newsletter.store.lanes import Lanes
from newsletter.store.learned import Learned
from newsletter.store.operators import Operators
from newsletter.store.pulse import Pulse
from newsletter.store.requests import Requests
from newsletter.store.revision import Revision
from newsletter.store.runs import Runs
from newsletter.store.sends import Sends
from newsletter.store.sources import Sources
from newsletter.store.stories import Stories
from newsletter.store.subscribers import Subscribers
from newsletter.store.suggestions import Suggestions
from newsletter.store.ticks import Ticks
from newsletter.store.turns import Turns
from newsletter.store.votes import Votes
from newsletter.store.waiting import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The parts of one open database. Close it when done."""

    db: Database
    sources: Sources
    turns: Turns
    lanes: Lanes
    entries: Entries
    stories: Stories
    learned: Learned
    issues: Issues
    subscribers: Subscribers
    consent: Consent
    applications: Applications
    address_changes: AddressChanges
    deliveries: Deliveries
    waiting: Waiting
    holds: Holds
    events: Events
    runs: Runs
    ticks: Ticks
    alarms: Alarms
    pulse: Pulse
    operators: Operators
    edits: Edits
    drafts: Drafts
    requests: Requests
    sends: Sends
    votes: Votes
    revision: Revision
    suggestions: Suggestions

    def close(self) -> None:
        """Close every connection."""
        self.db.close()


def open_store(url: str) -> Store:
    """The store at a SQLAlchemy URL. Nothing is checked or created; see `migrate.upgrade` and `migrate.check`."""
    db = Database(url)
    entries = Entries(db)
    return Store(
        db=db,
        sources=Sources(db),
        turns=Turns(db),
        lanes=Lanes(db),
        entries=entries,
        stories=Stories(db, entries),
        learned=Learned(db),
        issues=Issues(db),
        subscribers=Subscribers(db),
        consent=Consent(db),
        applications=Applications(db),
        address_changes=AddressChanges(db),
        deliveries=Deliveries(db),
        waiting=Waiting(db),
        holds=Holds(db),
        events=Events(db),
        runs=Runs(db),
        ticks=Ticks(db),
        alarms=Alarms(db),
        pulse=Pulse(db),
        operators=Operators(db),
        edits=Edits(db),
        drafts=Drafts(db),
        requests=Requests(db),
        sends=Sends(db),
        votes=Votes(db),
        revision=Revision(db),
        suggestions=Suggestions(db),
    )
