"""Stage 3: render once for each language of its readers, freeze the recipients into the ledger.

    issue | render | one transaction: the issue, its stories' names, one delivery for each recipient

From the commit on the issue is a fact: whatever dies afterwards, `deliver` finds what is left to do in the ledger.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from newsletter.language import others
from newsletter.model import Issue, Newsletter, Published, Rendered, State
from newsletter.render.translation import translated
from newsletter.store import Store
from newsletter.store.issues import Audience


class Render(Protocol):
    """Renders an issue for everybody at once."""

    def __call__(self, issue: Issue, *, newsletter: Newsletter) -> Rendered:
        """Raises RenderError, naming the template and line."""
        ...


def publish(
    issue: Issue, *, newsletter: Newsletter, audience: Audience, render: Render, store: Store, now: datetime
) -> Published:
    """Make an issue final and queue it for its audience.

    A slot that has its issue keeps that one (`fresh` is False). RenderError leaves everything as it was.
    """
    rendered, translations = render_all(issue, newsletter=newsletter, render=render, store=store)
    number, fresh = store.issues.publish(
        issue,
        rendered,
        newsletter=newsletter,
        audience=audience,
        now=now,
        translations=translations,
    )
    return Published(
        issue=number,
        fresh=fresh,
        queued=store.deliveries.counts(number).get(State.QUEUED, 0),
        excluded=store.deliveries.reasons(number, State.EXCLUDED),
    )


def render_all(
    issue: Issue, *, newsletter: Newsletter, render: Render, store: Store
) -> tuple[Rendered, dict[str, Rendered]]:
    """The issue in its own language, and in each other that readers have chosen, by tag. RenderError."""
    languages = others(store.subscribers.languages(newsletter.name), issue.language)
    translations = {
        language: render(translated(issue, language, noun=newsletter.noun), newsletter=newsletter)
        for language in languages
    }
    return render(issue, newsletter=newsletter), translations
