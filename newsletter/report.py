"""The reports of the stages in sentences: what the commands print, the daemon logs and `runs --why` tells."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.model import Collected, Composed, Delivered, Hold, Published, Run, SourceReport, State, Verdict

_STATES = {
    State.SENT: "sent",
    State.QUEUED: "still queued",
    State.SENDING: "being sent by another process",
    State.DEFERRED: "put off by the mail server, to be tried again",
    State.REJECTED: "refused",
    State.UNCERTAIN: "uncertain: the connection was cut before the reply",
    State.EXPIRED: "too late, given up",
    State.EXCLUDED: "left out",
}

_REASONS = 5  # told of each state


def run_lines(run: Run) -> list[str]:
    """Everything a run did and why, one sentence a line, in the order it happened."""
    lines: list[str] = []
    if run.collected is not None:
        lines += collected_lines(run.collected)
    if run.composed is not None:
        lines.append(composed_line(run.composed))
    if run.published is not None:
        lines.append(published_line(run.published))
    if run.delivered is not None:
        lines += delivered_lines(run.delivered)
    if run.error:
        lines.append(f"failed: {run.error}")
    return lines


def collected_lines(collected: Collected) -> list[str]:
    """A line for each source."""
    return [source_line(report) for report in collected.sources]


def source_line(report: SourceReport) -> str:
    """What one source gave, or why it gave nothing."""
    gave = f"{counted(report.entries, 'entry', 'entries')}, {report.new} new"
    if report.past:
        gave += f" ({report.past} of them too old to tell)"
    if report.changed:
        gave += f", {report.changed} changed"
    if report.error:
        return f"{report.source}: FAILED{f' in part ({gave})' if report.entries else ''}: {report.error}"
    told = "nothing changed since last time" if report.unchanged else gave
    return f"{report.source}: {told}" + (f"; {report.note}" if report.note else "")


def composed_line(composed: Composed) -> str:
    """How many entries became how many stories, or why there is no issue."""
    if composed.reason:
        return f"no issue: {composed.reason}"
    if composed.waits and not composed.candidates:
        return composed.waits
    line = f"composed from {counted(composed.candidates, 'entry', 'entries')}"
    if composed.merged:
        line += f", {composed.merged} of them duplicates"
    if composed.left_out:
        line += "; left out: " + tallied(composed.left_out)
    return f"{line}; {composed.waits}" if composed.waits else line


def published_line(published: Published) -> str:
    """The issue's number and how many it is for."""
    line = f"issue {published.issue}, for {counted(published.queued, 'recipient')}"
    if not published.fresh:
        line = f"issue {published.issue} was published already"
    return line + (f"; left out: {tallied(published.excluded)}" if published.excluded else "")


def delivered_lines(delivered: Delivered) -> list[str]:
    """What this run sent, and what every recipient of the issue stands at now."""
    sent = delivered.outcomes.get(Verdict.SENT, 0)
    lines = [f"sent {counted(sent, 'message')} now" if sent else "sent nothing now"]
    if delivered.stopped:
        lines.append(f"stopped: {delivered.stopped}")
    lines += [f"  {count} {_STATES[state]}" for state, count in sorted(delivered.states.items(), key=_by_state)]
    return lines


def hold_line(hold: Hold) -> str:
    """That an issue is paused or cancelled: since when, by whom and why, and what to do about it."""
    what = "cancelled" if hold.cancelled else "paused"
    line = f"{what} at {hold.since:%Y-%m-%d %H:%M} UTC by {hold.who or 'the newsletter itself'}"
    line += f": {hold.why}" if hold.why else ""
    return line if hold.cancelled else f"{line}; `newsletter issues resume {hold.issue}` goes on"


def standing_lines(counts: Mapping[State, int], reasons: Mapping[State, Mapping[str, int]]) -> list[str]:
    """What every recipient of an issue stands at, and why where it did not go as it should: the usual reasons first."""
    lines = []
    for state, count in sorted(counts.items(), key=_by_state):
        given = {reason: number for reason, number in reasons.get(state, {}).items() if reason}
        often = sorted(given, key=lambda reason: (-given[reason], reason))
        why = tallied({reason: given[reason] for reason in often[:_REASONS]})
        others = sum(given[reason] for reason in often[_REASONS:])
        why += f", {others} for other reasons" if others else ""
        lines.append(f"{count} {_STATES[state]}" + (f" ({why})" if why else ""))
    return lines


def _by_state(item: tuple[State, int]) -> int:
    return list(_STATES).index(item[0])


def tallied(counts: Mapping[str, int] | Mapping[State, int]) -> str:
    """`3 already sent, 1 over the limit`."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


def counted(number: int, one: str, many: str = "") -> str:
    """`1 entry`, `2 entries`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
