"""Why a story stands where it stands, in words: for an operator who wonders, and for a reader."""

from __future__ import annotations

from newsletter.topics.assign import Assignment, Choice
from newsletter.topics.hits import Hit


def reasons(assignment: Assignment) -> tuple[str, ...]:
    """The decision and its parts, the choices that were not taken, and what was ruled out: a line each."""
    best, *others = assignment.choices or (None,)
    lines = []
    if best is None:
        lines.append("no topic")
    elif assignment.topic is None:
        lines.append(f"no topic: {assignment.least:.1f} is needed, and the best is {_told(best)}")
    else:
        lines.append(_told(best))
    lines += [f"next {_told(other)}" for other in others if other]
    lines += [f"not {topic.title}: it has “{word}”" for topic, word in assignment.barred]
    return tuple(lines)


def matched(choice: Choice) -> str:
    """The keywords that were found, those in the title first: `KV cache, throughput`."""
    hits = sorted(choice.hits, key=lambda hit: not hit.in_title)
    return ", ".join(hit.keyword for hit in hits)


def _told(choice: Choice) -> str:
    hits = ", ".join(map(_where, choice.hits))
    return (
        f"{choice.topic.title} {choice.score:.1f}: "
        f"description {choice.likeness:+.1f}, keywords {choice.keywords:+.1f}{f' ({hits})' if hits else ''}, "
        f"similar stories {choice.neighbours:+.1f}"
    )


def _where(hit: Hit) -> str:
    return f"{hit.keyword}, in the title" if hit.in_title else hit.keyword
