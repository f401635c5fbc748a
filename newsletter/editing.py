"""What an editor said, as it bears on one issue. Pure: edits and stories in, stories out.

    pin    told although it was told before, is too old or not wanted, above the limits, first in its section
    hide   left out
    blurb  in place of the sentences that a card shows
    intro  paragraphs at the top

A story is meant by any of its names, so that it is the same one however its sources call it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from newsletter.model import Change, Edit, Slot, Story
from newsletter.store.issues import names
from newsletter.topics.sentences import sentences

HIDDEN = "hidden by the editor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Editing:
    """The edits that hold for one issue. `pins` are keys, in the order in which they were pinned."""

    pins: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    blurbs: Mapping[str, str] = field(default_factory=dict)
    intro: tuple[str, ...] = ()

    def is_hidden(self, story: Story) -> bool:
        """Whether it is left out."""
        return not self.hidden.isdisjoint(names(story))

    def is_pinned(self, story: Story) -> bool:
        """Whether it is told in any case."""
        return bool(set(self.pins) & set(names(story)))

    def first(self, stories: Iterable[Story]) -> tuple[str, ...]:
        """The keys by which stories have their pins now, in the order of the pins."""
        keys = {name: story.key for story in stories for name in names(story)}
        return tuple(dict.fromkeys(keys[pin] for pin in self.pins if pin in keys))

    def worded(self, story: Story) -> Story:
        """The story with what the editor says of it."""
        text = next((self.blurbs[name] for name in names(story) if name in self.blurbs), "")
        return replace(story, tldr=text, brief=text, line=sentences(text)[0]) if text else story


def in_force(edits: Sequence[Edit], slot: Slot, *, told: Mapping[str, datetime]) -> Editing:
    """What holds for the issue of a slot. `told` says when each of the pinned stories was told last, if it was."""
    holding = [edit for edit in edits if edit.until is None or slot.date <= edit.until]
    of = {kind: [edit for edit in holding if edit.kind is kind] for kind in Change}
    intro = next((edit.text for edit in of[Change.INTRO] if edit.key == slot.date.isoformat()), "")
    return Editing(
        pins=tuple(edit.key for edit in of[Change.PIN] if edit.until or not _is_told(edit, told)),
        hidden=frozenset(edit.key for edit in of[Change.HIDE]),
        blurbs={edit.key: edit.text for edit in of[Change.BLURB]},
        intro=paragraphs(intro),
    )


def paragraphs(text: str) -> tuple[str, ...]:
    """A text cut where lines are left empty; lines within a paragraph become one."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            found[-1].append(line.strip())
        elif found[-1]:
            found.append([])
    return tuple(" ".join(lines) for lines in found if lines)


def _is_told(edit: Edit, told: Mapping[str, datetime]) -> bool:
    """Whether the issue that a pin was for is out."""
    return edit.key in told and told[edit.key] >= edit.at
