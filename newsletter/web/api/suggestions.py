"""Suggestions: what readers would have told, and the editor's word on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from newsletter import suggestions
from newsletter.errors import Conflict
from newsletter.render.sanitize import TITLE
from newsletter.store.suggestions import Suggestion
from newsletter.web.api.operations import LARGEST, Call, Operation, Refusal, Reply, page
from newsletter.web.api.shapes import Rule

Stage: TypeAlias = Literal["waiting", "approved", "declined"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionsAsked:
    """Which suggestions."""

    newsletter: Annotated[str, Rule("only those for this one", most=100)] = ""
    state: Annotated[Stage | None, Rule("only those in it; all without")] = None
    after: Annotated[int, Rule("the last number of the page before", least=0, most=LARGEST)] = 0
    limit: Annotated[int, Rule("at most so many", least=1, most=1000)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """How a suggestion is taken."""

    title: Annotated[str, Rule("what it is called, in place of what its source or a reader says", most=TITLE)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionShown:
    """A suggestion, whoever makes it."""

    id: int
    newsletter: str
    key: str
    url: str
    title: Annotated[str, Rule("as its source or a reader says; empty where nobody does")]
    state: Stage
    readers: Annotated[int, Rule("how many suggest it")]
    notes: Annotated[tuple[str, ...], Rule("what they say of it")]
    at: Annotated[datetime, Rule("when it was suggested first")]
    decided_at: datetime | None
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionDecided:
    """A suggestion with the editor's word; nothing a reader said, since answers under a key are kept for a day."""

    id: int
    newsletter: str
    key: str
    url: str
    state: Stage
    decided_at: datetime | None
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """A page of suggestions, the oldest first."""

    items: tuple[SuggestionShown, ...]
    next: Annotated[str | None, Rule("the address of the next page")]


def list_suggestions(call: Call) -> Reply:
    """What readers suggest."""
    asked: SuggestionsAsked = call.query
    found = call.store.suggestions.list(
        asked.newsletter, state=asked.state or "", after=asked.after, limit=asked.limit + 1
    )
    shown, following = page(found, "/suggestions", limit=asked.limit, newsletter=asked.newsletter, state=asked.state)
    return Reply(value=Suggestions(items=tuple(map(_shown, shown)), next=call.url(following)))


def approve_suggestion(call: Call) -> Reply:
    """Make an entry of it."""
    try:
        suggestions.approve(call.site.app, call.number, title=call.body.title, who=call.who, now=call.now)
    except Conflict as error:
        raise Refusal(409, str(error)) from error
    return Reply(value=_decided(call.store.suggestions.get(call.number)))


def decline_suggestion(call: Call) -> Reply:
    """Do not tell it."""
    try:
        declined = suggestions.decline(call.site.app, call.number, who=call.who, now=call.now)
    except Conflict as error:
        raise Refusal(409, str(error)) from error
    return Reply(value=_decided(declined))


def _shown(one: Suggestion) -> SuggestionShown:
    return SuggestionShown(
        id=one.id,
        newsletter=one.newsletter,
        key=one.key,
        url=one.url,
        title=one.title,
        state=one.state,  # type: ignore[arg-type]  # the store has it as text
        readers=one.readers,
        notes=one.notes,
        at=one.at,
        decided_at=one.decided_at,
        decided_by=one.decided_by,
    )


def _decided(one: Suggestion) -> SuggestionDecided:
    return SuggestionDecided(
        id=one.id,
        newsletter=one.newsletter,
        key=one.key,
        url=one.url,
        state=one.state,  # type: ignore[arg-type]  # as above
        decided_at=one.decided_at,
        decided_by=one.decided_by,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/suggestions",
        summary="List what readers suggest",
        act=list_suggestions,
        query=SuggestionsAsked,
        answer=Suggestions,
    ),
    Operation(
        method="POST",
        path="/suggestions/{id}/approve",
        summary="Take a suggestion: it may be in an issue from now on",
        act=approve_suggestion,
        body=Approval,
        answer=SuggestionDecided,
        errors=(404, 409),
    ),
    Operation(
        method="POST",
        path="/suggestions/{id}/decline",
        summary="Do not take a suggestion",
        act=decline_suggestion,
        answer=SuggestionDecided,
        errors=(404, 409),
    ),
)
