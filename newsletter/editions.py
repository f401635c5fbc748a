"""The editions of one issue as they go out: each compiled once, however many readers have the same.

choices, as the store keeps them -> Preferences -> Edition -> Rendered -> the Body of a message
"""

from __future__ import annotations

from functools import cached_property, lru_cache

from newsletter.codec import decode
from newsletter.mail.message import Assembly, Body
from newsletter.model import Edition, Preferences, Rendered
from newsletter.render.edition import Cutting
from newsletter.render.phrases import REST
from newsletter.store.issues import Frozen
from newsletter.tailor import asks, tailor
from newsletter.tailor import whole as edition_of_all

NOTHING = "nothing in their topics"
_KEPT = 1_000  # compiled editions, some tens of kilobytes each at most


class Editions:
    """What readers get of a published issue, by what they chose."""

    def __init__(self, frozen: Frozen, assembly: Assembly) -> None:
        """`assembly` is that of the whole issue."""
        self.assembly = assembly
        self._frozen = frozen
        self._by_choices = lru_cache(_KEPT)(self._chosen)
        self._compiled = lru_cache(_KEPT)(self._compile)

    def body(self, choices: str) -> Body | None:
        """The message for a reader who chose this (`Addressee.choices`), None where nothing is left for them."""
        return self._by_choices(choices) if choices else self.assembly.whole

    def edition(self, preferences: Preferences) -> Edition:
        """Which of the stories that the mail shows are for somebody with these preferences."""
        return tailor(self._cutting.shown, preferences, topics=(*self._frozen.newsletter.topics, REST))

    def rendered(self, edition: Edition) -> Rendered:
        """An edition of this issue, which has some stories, as it is rendered."""
        return self._frozen.rendered if edition == self.whole else self._cutting.of(edition)

    def preheader(self, edition: Edition) -> str:
        """What a mail client shows beside the subject of an edition."""
        return self._cutting.preheader(edition)

    def _chosen(self, choices: str) -> Body | None:
        preferences = decode(Preferences, choices)
        if asks(preferences) == Preferences() or not self.whole.stories:
            return self.assembly.whole
        edition = self.edition(preferences)
        return self._compiled(edition) if edition.stories else None

    def _compile(self, edition: Edition) -> Body:
        return self.assembly.whole if edition == self.whole else self.assembly.body(self.rendered(edition))

    @cached_property
    def _cutting(self) -> Cutting:
        return Cutting(self._frozen.rendered, self._frozen.issue, self._frozen.newsletter)

    @cached_property
    def whole(self) -> Edition:
        """All the stories that the mail shows."""
        return edition_of_all(self._cutting.shown)
