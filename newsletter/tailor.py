"""Which stories of an issue are for one reader, by what they chose; pure.

an excluded word                                            -> never
a followed author                                           -> always, first in its section
an included word | a chosen topic | neither words nor topics are chosen -> yes
more than they want                                         -> the best of them, followed authors first
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from newsletter.model import Edition, Filters, Follow, Issue, Preferences, Section, Story
from newsletter.topics.filters import followed, found


def tailor(issue: Issue, preferences: Preferences, *, topics: Collection[str]) -> Edition:
    """The edition of an issue for these preferences, which may hold no story at all.

    `topics` are the names of those that the newsletter has: one that it has no more is not chosen, and where none is
    left all are. Sections and stories are in the issue's order, but for those of followed authors.
    """
    wish = _Wish(preferences, topics)
    kept = [
        (section, [story for story in section.stories if wish.is_for(section, story)]) for section in issue.sections
    ]
    if preferences.stories is not None:
        ranked = sorted(
            (story for _, stories in kept for story in stories),
            key=lambda story: (not wish.follows(story), story.title != issue.headline, -story.standing),
        )
        best = {story.key for story in ranked[: preferences.stories]}
        kept = [(section, [story for story in stories if story.key in best]) for section, stories in kept]
    return Edition(
        sections=tuple(
            (section.topic, tuple(story.key for story in sorted(stories, key=lambda story: not wish.follows(story))))
            for section, stories in kept
            if stories
        )
    )


def whole(issue: Issue) -> Edition:
    """The edition of somebody who chose nothing."""
    return Edition(
        sections=tuple((section.topic, tuple(story.key for story in section.stories)) for section in issue.sections)
    )


def asks(preferences: Preferences) -> Preferences:
    """As much of the preferences as bears on which stories they get."""
    return replace(Preferences(), **{name: getattr(preferences, name) for name in _BEARING})


_BEARING = ("topics", "include", "exclude", "authors", "stories")


class _Wish:
    """Preferences, ready to be asked about stories."""

    def __init__(self, preferences: Preferences, topics: Collection[str]) -> None:
        self._topics = frozenset(preferences.topics).intersection(topics)
        self._include, self._exclude = preferences.include, preferences.exclude
        self._authors = Filters(follow=Follow(authors=preferences.authors))
        self._takes_all = not self._topics and not self._include

    def is_for(self, section: Section, story: Story) -> bool:
        """Whether a story is theirs."""
        if found(self._exclude, story):
            return False
        is_chosen = self._takes_all or section.topic in self._topics or story.topic_name in self._topics
        return is_chosen or self.follows(story) or bool(found(self._include, story))

    def follows(self, story: Story) -> bool:
        """Whether it is by an author that they follow."""
        return bool(followed(story, self._authors))
