"""Editions of a rendered issue: fewer of its fragments, in words that are right for them.

    Cutting(rendered, issue, newsletter).of(edition) -> Rendered

Nothing is rendered again: what an edition keeps are the same fragments, and only their `Told` literals are other words.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from newsletter.language import speak
from newsletter.model import Edition, Fragment, Issue, Newsletter, Piece, Rendered, Section, Told, Word
from newsletter.render import phrases, plain, words
from newsletter.render.issue import MANY, PREHEADER
from newsletter.render.sanitize import sanitize, sanitize_newsletter


class Cutting:
    """An issue as it was rendered for everybody, to be cut to editions."""

    def __init__(self, rendered: Rendered, issue: Issue, newsletter: Newsletter) -> None:
        self._rendered = rendered
        self._fragments = {(fragment.kind, fragment.key): fragment for fragment in rendered.fragments}
        self._issue = issue
        self._newsletter = sanitize_newsletter(newsletter)
        self._telling = {
            (fragment.kind, fragment.key)
            for fragment in rendered.fragments
            if any(isinstance(piece, Told) for piece in (*fragment.html, *fragment.text))
        }

    @cached_property
    def shown(self) -> Issue:
        """The issue with the stories that its mail shows, which may not be all."""
        sections = (
            replace(section, stories=tuple(s for s in section.stories if ("story", s.key) in self._fragments))
            for section in self._issue.sections
        )
        return replace(self._issue, sections=tuple(section for section in sections if section.stories))

    @cached_property
    def _clean(self) -> Issue:
        """The whole issue in the words that were rendered."""
        return sanitize(self._issue)

    @cached_property
    def _own_preheader(self) -> bool:
        """Whether the preheader is what the program says of the stories, and not somebody's own words."""
        language = speak(self._issue.language)
        told = phrases.preheader(language, self._issue.sections, self._newsletter.noun)
        return self._issue.preheader == told

    def of(self, edition: Edition) -> Rendered:
        """The edition's subject and fragments; its keys are of `shown`, and it has some."""
        cut = self._cut(edition)
        return Rendered(
            subject=cut.subject(),
            fragments=tuple(
                cut.told(self._fragments[place]) if place in self._telling else self._fragments[place]
                for place in self._places(edition)
                if place in self._fragments
            ),
        )

    def preheader(self, edition: Edition) -> str:
        """What a mail client shows beside the edition's subject."""
        return self._cut(edition).preheader() or self._clean.preheader or self._clean.title

    def _cut(self, edition: Edition) -> _Cut:
        return _Cut(edition, self._clean, self._newsletter, keeps_preheader=not self._own_preheader)

    def _places(self, edition: Edition) -> Iterator[tuple[str, str]]:
        """The fragments of an edition, as they follow each other.

        The best stories stand there all or not at all, since their heading says how many they are, and as in the whole
        issue only before many others; the contents, where there is more than one section.
        """
        yield "head", ""
        top = [key for kind, key in self._fragments if kind == "top" and key]
        if set(top) <= set(edition.stories) and len(edition.stories) > MANY and len(edition.sections) > 1:
            yield "top", ""
            yield from (("top", key) for key in top)
        if len(edition.sections) > 1:
            yield "contents", ""
            yield from (("contents", topic) for topic, _ in edition.sections)
        yield "lead", ""
        for topic, keys in edition.sections:
            yield "section", topic
            yield from (("story", key) for key in keys)
        yield "foot", ""


class _Cut:
    """What one edition says of itself."""

    def __init__(self, edition: Edition, issue: Issue, newsletter: Newsletter, *, keeps_preheader: bool) -> None:
        self._language = speak(issue.language)
        self._newsletter = newsletter
        self._keeps_preheader = keeps_preheader
        self._issue = issue
        stories = {story.key: story for story in issue.stories}
        sections = {section.topic: section for section in issue.sections}
        self._sections: dict[str, Section] = {}
        for topic, keys in edition.sections:
            section = sections[topic]
            left_out = len(section.stories) - len(keys)
            kept = tuple(stories[key] for key in keys)
            self._sections[topic] = replace(section, stories=kept, more=section.more + left_out)

    def subject(self) -> str:
        """As the whole issue's, of the stories that are left: the headline first, else the best of them."""
        stories = sorted(
            (story for section in self._sections.values() for story in section.stories),
            key=lambda story: (story.title != self._issue.headline, -story.standing),
        )
        return phrases.subject(self._language, self._newsletter.title, [story.title for story in stories])

    def preheader(self) -> str | None:
        """Its own preheader, None where it has the whole issue's."""
        if self._keeps_preheader:
            return None
        told = phrases.preheader(self._language, list(self._sections.values()), self._newsletter.noun)
        return words.clip(told, PREHEADER)

    def told(self, fragment: Fragment) -> Fragment:
        """The fragment in the words of this edition."""
        return replace(
            fragment,
            html=self._pieces(fragment.html, fragment.key, html.escape),
            text=self._pieces(fragment.text, fragment.key, plain.wrap),
        )

    def _pieces(self, pieces: Sequence[Piece], key: str, written: Callable[[str], str]) -> tuple[Piece, ...]:
        return tuple(self._piece(piece, key, written) if isinstance(piece, Told) else piece for piece in pieces)

    def _piece(self, told: Told, key: str, written: Callable[[str], str]) -> Piece:
        own = self._own(told.word, key)
        return told.text if own is None else written(own)

    def _own(self, word: Word, key: str) -> str | None:
        """These words for the edition, None where they are the same for all."""
        language, sections, noun = self._language, self._sections, self._newsletter.noun
        shown = sum(len(section.stories) for section in sections.values())
        own: str | None = None
        match word:
            case Word.PREHEADER:
                own = self.preheader()
            case Word.SHOWN:
                own = phrases.counted(language, shown, noun)
            case Word.TOPICS:
                own = phrases.counted(language, len(sections), "topic")
            case Word.STORIES:
                own = language.number(len(sections[key].stories))
            case Word.MORE_IN:
                own = phrases.more_in(language, sections[key].more, sections[key].title)
            case Word.MORE:
                total = sum(len(section.stories) + section.more for section in self._issue.sections)
                own = phrases.more_counted(language, total - shown, noun) if total > shown else None
        return own
