"""Sends to named people: ordered here, done in the background by the same stages and ledger as all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Annotated, Literal

from newsletter.by_hand import Unwilling
from newsletter.model import State
from newsletter.orders import Full
from newsletter.store.sends import Ordered
from newsletter.web.api.operations import ROOT, Call, Operation, Refusal, Reply
from newsletter.web.api.readers import Email, Newsletter
from newsletter.web.api.shapes import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSend:
    """A copy of a day's issue for named people: of the one that is out, else of what it would be now."""

    newsletter: Newsletter
    to: Annotated[tuple[Email, ...], Rule("whom for; who left or takes no mail gets none", least=1, most=1000)]
    date: Annotated[date | None, Rule("the day of the issue; today without")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendShown:
    """A send, and how far it has come; `deliveries` are those of the whole issue."""

    id: int
    at: datetime
    who: str
    newsletter: str
    slot: str
    recipients: int
    state: Annotated[
        Literal["waiting", "running", "done", "skipped", "failed", "interrupted"],
        Rule("skipped: there was nothing to send; interrupted: its process ended, and it may be ordered again"),
    ]
    reason: str
    issue: int | None
    ended_at: datetime | None
    deliveries: Annotated[Mapping[State, int], Rule("how many are in each state; states without any are left out")]


def order_send(call: Call) -> Reply:
    """Send a copy to named people."""
    wanted: NewSend = call.body
    day = wanted.date or call.now.date()
    to = tuple(dict.fromkeys(wanted.to))
    try:
        ordered = call.site.orders.place(call.site.app, wanted.newsletter, to=to, day=day, who=call.who)
    except Full as error:
        raise Refusal(429, str(error)) from error
    except Unwilling as error:
        raise Refusal(409, str(error)) from error
    return Reply(value=_shown(call, ordered), status=202, location=f"{ROOT}/sends/{ordered.id}")


def get_send(call: Call) -> Reply:
    """How far a send has come."""
    return Reply(value=_shown(call, call.store.sends.get(call.number)))


def _shown(call: Call, ordered: Ordered) -> SendShown:
    counts = call.store.deliveries.counts(ordered.issue) if ordered.issue else {}
    return SendShown(**{field.name: getattr(ordered, field.name) for field in fields(ordered)}, deliveries=counts)


OPERATIONS = (
    Operation(
        method="POST",
        path="/sends",
        summary="Send a copy of a day's issue to named people, in the background",
        act=order_send,
        body=NewSend,
        answer=SendShown,
        statuses=(202,),
        errors=(404, 409),
    ),
    Operation(
        method="GET",
        path="/sends/{id}",
        summary="Show how far a send has come",
        act=get_send,
        answer=SendShown,
        errors=(404,),
    ),
)
