"""Issues for pages to show: entries that are collected, and what was published of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from newsletter.model import Entry, Signals, Slot, Story
from newsletter.store.issues import Audience
from tests.archives import SUBJECTS
from tests.builders import a_slot, a_story, an_entry, an_issue
from tests.web.websites import Website


def collect(website: Website, *entries: Entry) -> None:
    """Take entries in as if they had been read, and file them in the archive."""
    website.app.store.entries.add(entries, now=website.now)
    website.app.archive.catch_up()


def an_entry_about(number: int, subject: str, **changes: object) -> Entry:
    """An entry of the site's source, about birds, bread or stars."""
    values: dict[str, object] = {
        "source": "saved",
        "title": f"{subject.capitalize()}, part {number}",
        "summary": SUBJECTS[subject],
    }
    return an_entry(number, **{**values, **changes})


def publish(website: Website, *stories: Story, day: date, copy: bool = False) -> Slot:
    """An issue of a day, for everybody or as a copy for named people."""
    slot = a_slot(day)
    if copy:
        slot = replace(slot, schedule="_copy")
    issue = an_issue(*stories, slot=slot)
    app = website.app
    app.publish(issue, audience=Audience(at=slot.at, only=() if copy else None), now=slot.at + timedelta(minutes=1))
    return slot


def voted(number: int, upvotes: int, **changes: object) -> Story:
    """A story with so many votes."""
    return a_story(number, signals=Signals(upvotes=upvotes), **changes)
