"""The editions of one issue as they go out: each compiled once, however many readers have the same.

choices, as the store keeps them -> Preferences -> language -> Edition -> Rendered -> the Body of a message
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, lru_cache

from newsletter.codec import decode
from newsletter.mail.message import Assembly, Body
from newsletter.model import Edition, Preferences, Rendered
from newsletter.render.edition import Cutting
from newsletter.render.phrases import REST
from newsletter.render.translation import translated
from newsletter.store.issues import Frozen
from newsletter.tailor import tailor
from newsletter.tailor import whole as edition_of_all

NOTHING = "nothing in their topics"
_KEPT = 1_000  # compiled editions, some tens of kilobytes each at most


class Editions:
    """What readers get of a published issue, by what they chose."""

    def __init__(self, frozen: Frozen, assemble: Callable[[Frozen], Assembly]) -> None:
        """`assemble` compiles a whole issue, once it is needed, and once for each language."""
        self._frozen = frozen
        self._assemble = assemble
        self._by_choices = lru_cache(_KEPT)(self._chosen)
        self._compiled = lru_cache(_KEPT)(self._compile)
        self._translations: dict[str, Editions] = {}

    @cached_property
    def assembly(self) -> Assembly:
        """That of the whole issue."""
        return self._assemble(self._frozen)

    def body(self, choices: str) -> Body | None:
        """The message for a reader who chose this (`Claimed.choices`), None where they get none."""
        return self._by_choices(choices) if choices else self.assembly.whole

    def speaking(self, language: str) -> Editions:
        """Those of the same issue in a language; where it was not rendered in that, these."""
        if language not in self._frozen.translations:
            return self
        if language not in self._translations:
            issue = translated(self._frozen.issue, language, noun=self._frozen.newsletter.noun)
            rendered = self._frozen.translations[language]
            frozen = replace(self._frozen, issue=issue, rendered=rendered, translations={})
            self._translations[language] = Editions(frozen, self._assemble)
        return self._translations[language]

    def body_of(self, edition: Edition) -> Body | None:
        """The message of an edition, None where there is none."""
        return self._compiled(edition)

    def edition(self, preferences: Preferences) -> Edition:
        """Which of the stories that the mail shows are for somebody with these preferences."""
        return tailor(self._cutting.shown, preferences, topics=(*self._frozen.newsletter.topics, REST))

    def rendered(self, edition: Edition) -> Rendered | None:
        """An edition of this issue as it is rendered; None where it has no story and the newsletter sends no such."""
        if edition == self.whole:
            return self._frozen.rendered
        return self._cutting.of(edition) if edition.stories else self._frozen.rendered.nothing

    def preheader(self, edition: Edition) -> str:
        """What a mail client shows beside the subject of an edition."""
        return self._cutting.preheader(edition)

    def _chosen(self, choices: str) -> Body | None:
        preferences = decode(Preferences, choices)
        editions = self.speaking(preferences.language)
        return editions.body_of(editions.edition(preferences))

    def _compile(self, edition: Edition) -> Body | None:
        rendered = self.rendered(edition)
        if rendered is None:
            return None
        return self.assembly.whole if edition == self.whole else self.assembly.body(rendered)

    @cached_property
    def _cutting(self) -> Cutting:
        return Cutting(self._frozen.rendered, self._frozen.issue, self._frozen.newsletter)

    @cached_property
    def whole(self) -> Edition:
        """All the stories that the mail shows."""
        return edition_of_all(self._cutting.shown)
