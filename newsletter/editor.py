"""What an editor does to the issues to come, in a page or by a command: pin, hide, word, begin with a word.

a name as in `search --like` -> the story -> store.edits -> the draft that waits, composed anew
a draft -> approve | decline
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from newsletter.app import App
from newsletter.editing import paragraphs
from newsletter.errors import NotFound, StoreError
from newsletter.model import Change, Composed, Edit, Run, Slot, Story
from newsletter.render.sanitize import PARAGRAPHS, SUMMARY, clean
from newsletter.schedule import slots
from newsletter.store.drafts import Draft

BLURB = 600  # characters of what is said of a story
INTRO = 3_000  # characters of all paragraphs together


def pin(app: App, newsletter: str, name: str, *, who: str, now: datetime, until: date | None = None) -> Story:
    """Tell a story in the next issue, or in each up to a day, whatever else is asked of one. NotFound."""
    return _say(app, newsletter, name, Change.PIN, who=who, now=now, until=until)


def hide(app: App, newsletter: str, name: str, *, who: str, now: datetime, until: date | None = None) -> Story:
    """Never tell a story, or not up to a day. NotFound."""
    return _say(app, newsletter, name, Change.HIDE, who=who, now=now, until=until)


def blurb(app: App, newsletter: str, name: str, text: str, *, who: str, now: datetime) -> Story:
    """Say this of a story in place of its own sentences. NotFound; StoreError for no text or too much."""
    said = clean(text, SUMMARY)
    if not said or len(said) > BLURB:
        raise StoreError(f"a blurb is plain text of at most {BLURB} characters, not {len(said)}")
    return _say(app, newsletter, name, Change.BLURB, text=said, who=who, now=now)


def intro(app: App, newsletter: str, text: str, *, day: date, who: str, now: datetime) -> None:
    """Begin the issue of a day with this, in paragraphs; empty takes it back. NotFound, StoreError for too much."""
    app.newsletter(newsletter)
    cleaned = [clean(paragraph, SUMMARY) for paragraph in paragraphs(text)]
    if len(cleaned) > PARAGRAPHS or sum(map(len, cleaned)) > INTRO:
        raise StoreError(f"an intro has at most {INTRO} characters in {PARAGRAPHS} paragraphs")
    if not cleaned:
        for edit in app.store.edits.list(newsletter):
            if edit.kind is Change.INTRO and edit.key == day.isoformat():
                undo(app, newsletter, edit.id, who=who, now=now)
        return
    said = "\n\n".join(cleaned)
    edit = Edit(newsletter=newsletter, kind=Change.INTRO, key=day.isoformat(), text=said, who=who, at=now)
    app.store.edits.add(edit)
    renew(app, newsletter, now=now)


def undo(app: App, newsletter: str, number: int, *, who: str, now: datetime) -> Edit:
    """Take back what was said. NotFound."""
    app.newsletter(newsletter)
    taken_back = app.store.edits.undo(newsletter, number, who=who, now=now)
    renew(app, newsletter, now=now)
    return taken_back


def approve(app: App, draft: Draft, *, who: str, now: datetime) -> bool:
    """Let a draft go as it is, at the daemon's next tick; whether it was not approved before.

    StoreError for one in which nothing is left, that comes too late, or that was changed since it was read.
    """
    slot = draft.slot
    if draft.issue is None:
        raise StoreError(f"there is nothing to approve in {slot.newsletter} {slot.key}: {draft.reason}")
    if draft.until is not None and draft.until < now and draft.approved_at is None:
        raise StoreError(f"it is too late for {slot.newsletter} {slot.key}: it could go until {draft.until:%H:%M} UTC")
    return app.store.drafts.approve(draft, who=who, now=now)


def decline(app: App, draft: Draft, *, who: str, now: datetime) -> bool:
    """Let a draft not go: its slot has no issue, and the run says who wanted it so. Whether it was not decided."""
    reason = f"declined by {who or 'the operator'}"
    if not app.store.issues.skip(draft.slot, reason=reason, now=now):
        return False
    app.store.runs.add(Run(slot=draft.slot, composed=Composed(issue=None, reason=reason)), now=now)
    return True


def next_slot(app: App, newsletter: str, *, now: datetime) -> Slot:
    """The slot that is worked at: the one that is due, else the next of any of its schedules. NotFound without one."""
    app.newsletter(newsletter)
    mine = [schedule for schedule in app.plan.schedules.values() if schedule.newsletter == newsletter]
    due = [draft.slot for draft in app.store.drafts.list(newsletter)]
    due += [slot for slot, _ in app.due(now=now) if slot.newsletter == newsletter]
    coming = [
        slot for schedule in mine for slot in slots.next_slots(schedule, now=now, count=1, zones=app.places(schedule))
    ]
    if not due and not coming:
        raise NotFound(f"no schedule has another turn of {newsletter}")
    return min(due or coming, key=lambda slot: slot.at)


def _say(
    app: App,
    newsletter: str,
    name: str,
    kind: Change,
    *,
    who: str,
    now: datetime,
    until: date | None = None,
    text: str = "",
) -> Story:
    app.newsletter(newsletter)
    if until is not None and until < (now - timedelta(days=1)).date():
        raise StoreError(f"{until} is over: it would hold for no issue")
    story = named(app, name)
    app.store.edits.add(Edit(newsletter=newsletter, kind=kind, key=story.key, text=text, who=who, at=now, until=until))
    renew(app, newsletter, now=now)
    return story


def renew(app: App, newsletter: str, *, now: datetime) -> None:
    """Compose anew the drafts that wait for approval; what is approved goes as it was when it was."""
    for draft in app.store.drafts.list(newsletter):
        if draft.approved_at is None:
            composed = app.compose(draft.slot, now=now, besides=draft.besides)
            app.store.drafts.renew(draft, composed, now=now)


def named(app: App, name: str) -> Story:
    """The story of the archive that a key, arXiv id, DOI, address or title names; the latest of several. NotFound."""
    app.archive.catch_up()
    found = app.archive.stories(app.archive.find([name])[name])
    if not found:
        raise NotFound(f"there is no story {name!r} in the archive; an arXiv id, DOI, address or title names one")
    return found[max(found)]
