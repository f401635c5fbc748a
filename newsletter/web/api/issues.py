"""Issues: what was sent, to whom, what became of it; and the word of an operator while it goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from newsletter.errors import StoreError
from newsletter.model import Hold, Section, State
from newsletter.store.deliveries import Line
from newsletter.store.issues import PUBLISHED, Decided
from newsletter.web.api.operations import LARGEST, Call, Operation, Refusal, Reply, page
from newsletter.web.api.shapes import Rule

Counts: TypeAlias = Annotated[Mapping[State, int], Rule("how many are in each state; states without any are left out")]
Standing: TypeAlias = Literal["published", "skipped", "paused", "cancelled"]
Why: TypeAlias = Annotated[str, Rule("to be remembered beside it", most=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuesAsked:
    """Which issues."""

    newsletter: Annotated[str, Rule("only those of this one", most=100)] = ""
    after: Annotated[int, Rule("the last number of the page before", least=0, most=LARGEST)] = 0
    limit: Annotated[int, Rule("at most so many", least=1, most=1000)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesAsked:
    """Which deliveries of an issue."""

    state: Annotated[State | None, Rule("only those in it; all without")] = None
    after: Annotated[int, Rule("the last number of the page before", least=0, most=LARGEST)] = 0
    limit: Annotated[int, Rule("at most so many", least=1, most=1000)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something is done to an issue."""

    why: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Which deliveries of an issue are queued again."""

    states: Annotated[
        tuple[Literal["rejected", "uncertain", "deferred", "expired", "excluded"], ...],
        Rule("in which states they are", least=1, most=5),
    ] = ("rejected", "uncertain")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueLine:
    """A slot that was decided: an issue, or the reason why there is none."""

    id: int
    newsletter: str
    slot: str
    at: Annotated[datetime, Rule("when it was due")]
    state: Standing
    reason: Annotated[str, Rule("why it was skipped or held up")]
    subject: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A story of an issue."""

    key: str
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A section of an issue; `more` counts the stories that its limits left out."""

    title: str
    stories: tuple[Told, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueShown:
    """An issue with its stories and what became of its deliveries."""

    issue: IssueLine
    sections: tuple[Chapter, ...]
    deliveries: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What an operator's word came to; `changed` counts what it changed: the issue, or deliveries of it."""

    issue: IssueLine
    deliveries: Counts
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Issues:
    """A page of issues, those decided last first."""

    items: tuple[IssueLine, ...]
    next: Annotated[str | None, Rule("the address of the next page")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """A page of the ledger of an issue."""

    items: tuple[Line, ...]
    next: Annotated[str | None, Rule("the address of the next page")]


def list_issues(call: Call) -> Reply:
    """The slots that were decided."""
    asked: IssuesAsked = call.query
    found = call.store.issues.page(asked.newsletter, after=asked.after, limit=asked.limit + 1)
    shown, following = page(found, "/issues", limit=asked.limit, newsletter=asked.newsletter)
    holds = call.store.holds.list(one.id for one in shown)
    items = tuple(_line(one, holds.get(one.id)) for one in shown)
    return Reply(value=Issues(items=items, next=call.url(following)))


def get_issue(call: Call) -> Reply:
    """One of them."""
    decided = call.store.issues.get(call.number)
    sections = call.store.issues.load(decided.id).issue.sections if decided.state == PUBLISHED else ()
    chapters = tuple(map(_chapter, sections))
    line = _line(decided, call.store.holds.get(decided.id))
    return Reply(value=IssueShown(issue=line, sections=chapters, deliveries=call.store.deliveries.counts(decided.id)))


def list_deliveries(call: Call) -> Reply:
    """The ledger of an issue."""
    asked: DeliveriesAsked = call.query
    found = call.store.deliveries.page(call.number, state=asked.state, after=asked.after, limit=asked.limit + 1)
    path = f"/issues/{call.number}/deliveries"
    shown, following = page(found, path, limit=asked.limit, state=asked.state)
    return Reply(value=Deliveries(items=tuple(shown), next=call.url(following)))


def pause_issue(call: Call) -> Reply:
    """Let nothing more of an issue go out."""
    held = call.store.holds.pause(call.number, who=call.who, why=call.body.why, now=call.now)
    if held is not None and held.cancelled:
        raise Refusal(409, f"issue {call.number} was cancelled for good")
    return _acted(call, changed=0 if held else 1)


def resume_issue(call: Call) -> Reply:
    """Let a paused issue go on."""
    try:
        held = call.store.holds.resume(call.number, who=call.who, why=call.body.why, now=call.now)
    except StoreError as error:
        raise _refusal(call, error) from error
    return _acted(call, changed=1 if held else 0)


def cancel_issue(call: Call) -> Reply:
    """End an issue for good."""
    return _acted(call, changed=call.store.holds.cancel(call.number, who=call.who, why=call.body.why, now=call.now))


def retry_issue(call: Call) -> Reply:
    """Queue deliveries again that ended badly."""
    states = [State(name) for name in call.body.states]
    try:
        count = call.store.deliveries.retry(call.number, states=states, now=call.now)
    except StoreError as error:
        raise _refusal(call, error) from error
    return _acted(call, changed=count)


def _refusal(call: Call, error: StoreError) -> Exception:
    """Why not: it was cancelled; or whatever else it is, as it was."""
    held = call.store.holds.get(call.number)
    return Refusal(409, f"issue {call.number} was cancelled for good") if held and held.cancelled else error


def _acted(call: Call, *, changed: int) -> Reply:
    decided = call.store.issues.get(call.number)
    line = _line(decided, call.store.holds.get(decided.id))
    return Reply(value=Acted(issue=line, deliveries=call.store.deliveries.counts(decided.id), changed=changed))


def _line(decided: Decided, hold: Hold | None) -> IssueLine:
    state = decided.state if hold is None else "cancelled" if hold.cancelled else "paused"
    return IssueLine(
        id=decided.id,
        newsletter=decided.newsletter,
        slot=decided.slot,
        at=decided.at,
        state=state,  # type: ignore[arg-type]  # the store has it as text
        reason=hold.why if hold else decided.reason,
        subject=decided.subject,
        decided_at=decided.decided_at,
    )


def _chapter(section: Section) -> Chapter:
    told = tuple(Told(key=story.key, title=story.title, url=story.url) for story in section.stories)
    return Chapter(title=section.title, stories=told, more=section.more)


_WORDS = (
    ("pause", "Let nothing more of an issue go out, until it is resumed", pause_issue, Reason),
    ("resume", "Let a paused issue go on; a daemon sends what is due", resume_issue, Reason),
    ("cancel", "End an issue for good: nobody who still waits for it gets it", cancel_issue, Reason),
    ("retry", "Queue deliveries again that ended badly; a daemon sends them", retry_issue, Retry),
)

OPERATIONS = (
    Operation(
        method="GET",
        path="/issues",
        summary="List the slots that were decided, published or skipped",
        act=list_issues,
        query=IssuesAsked,
        answer=Issues,
    ),
    Operation(
        method="GET",
        path="/issues/{id}",
        summary="Show an issue with its stories and what became of its deliveries",
        act=get_issue,
        answer=IssueShown,
        errors=(404,),
    ),
    Operation(
        method="GET",
        path="/issues/{id}/deliveries",
        summary="List what became of each recipient of an issue",
        act=list_deliveries,
        query=DeliveriesAsked,
        answer=Deliveries,
        errors=(404,),
    ),
    *(
        Operation(
            method="POST",
            path=f"/issues/{{id}}/{word}",
            summary=summary,
            act=act,
            body=body,
            answer=Acted,
            errors=(404, 409),
        )
        for word, summary, act, body in _WORDS
    ),
)
