"""Summaries that a language model writes, where an operator names a server: asked for once, kept, and never relied on.

chosen stories | topics.endpoint.ask, what is kept first | store.learned -> a summary for some of them
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence

from newsletter.model import Story
from newsletter.store import Store
from newsletter.topics.endpoint import Endpoint, ask

Summaries = Callable[[Sequence[Story]], Mapping[str, str]]  # by the keys of those stories that have one

_KEPT = "summaries"
_MOST = 2_000  # answers that are kept, the latest

log = logging.getLogger("newsletter.summaries")


def nobody(stories: Sequence[Story]) -> Mapping[str, str]:
    """No server is named: no summaries."""
    del stories
    return {}


def open_summaries(endpoint: Endpoint, store: Store) -> Summaries:
    """Asks a server, each question once: what it answered is kept in the store, also that it was not fit to be shown.

    A server that is down or slow costs summaries, nothing else: the failures are logged.
    """

    def summaries(stories: Sequence[Story]) -> Mapping[str, str]:
        revision, kept = store.learned.get(_KEPT)
        known: dict[str, str] = json.loads(kept) if kept else {}
        before = len(known)
        answers = ask(stories, endpoint, cache=known)
        for failure in answers.failures:
            log.warning("no summary from %s: %s", endpoint.base_url, failure)
        if len(known) > before:
            latest = dict(list(known.items())[-_MOST:])
            # Whoever asked at the same time and was first has theirs kept; ours are asked for again another day.
            store.learned.put(_KEPT, json.dumps(latest).encode(), after=revision)
        return answers.summaries

    return summaries
