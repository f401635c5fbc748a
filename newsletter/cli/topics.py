"""`topics`: which topic each story belongs to and why, and which topics are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from newsletter.cli.workspace import as_json, now, open_workspace, print_json

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.model import Topic
    from newsletter.topics.assign import Assignment, Choice
    from newsletter.topics.embed import Embedded

_RECENT = 2_000  # stories, the last that came
_TOLD = 0.05  # of a score: less would be printed as zero

_days = click.IntRange(min=1)


@click.group()
def topics() -> None:
    """Show which topic each story belongs to and why; propose topics that are missing."""


@topics.command()
@click.argument("newsletter")
@click.option("--days", type=_days, default=7, show_default=True, help="Stories first seen in so many days.")
@click.option("--why", is_flag=True, help="Tell what speaks for each topic, and what rules one out.")
@as_json
@click.pass_context
def preview(ctx: click.Context, newsletter: str, *, days: int, why: bool, as_json: bool) -> None:
    """Show the recent stories of NEWSLETTER below the topics they belong to.

    A score adds up how much more a story is like the topic's text than others are, its share of the keywords found,
    and what the stories most like it come to.
    """
    with open_workspace(ctx) as app:
        known = app.topics(app.newsletter(newsletter))
        _, assigned = _recent(app, known, newsletter=newsletter, days=days)
    if as_json:
        print_json([_told(assignment) for assignment in assigned])
        return
    lines = [line for topic in (*known, None) for line in _section(topic, assigned, why=why)]
    click.echo("\n".join(lines) or f"no stories in {days} days; `newsletter collect` reads the sources")


@topics.command()
@click.argument("newsletter", required=False)
@click.option("--days", type=_days, default=30, show_default=True, help="Stories first seen in so many days.")
@as_json
@click.pass_context
def discover(ctx: click.Context, newsletter: str | None, *, days: int, as_json: bool) -> None:
    """Propose topics for recent stories that fit none well, of NEWSLETTER or of all sources; often there are none.

    Prints them as YAML to paste below `topics:`; they are hints, to be named and described by somebody who knows the
    readers.
    """
    from newsletter.topics.discover import WEAK, as_yaml, discover  # noqa: PLC0415
    from newsletter.topics.embed import Embedded  # noqa: PLC0415

    with open_workspace(ctx) as app:
        known = app.topics(app.newsletter(newsletter)) if newsletter else tuple(app.plan.topics.values())
        recent, assigned = _recent(app, known, newsletter=newsletter, days=days)
        weak = [at for at, assignment in enumerate(assigned) if assignment.score < WEAK]
        unplaced = Embedded(tuple(recent.stories[at] for at in weak), recent.vectors[weak])
        proposals = discover(unplaced, app.archive.recent(_RECENT), taken=app.plan.topics)
    if as_json:
        print_json([asdict(proposal) for proposal in proposals])
        return
    found = f"{len(weak)} of {len(assigned)} stories in {days} days fit no topic well"
    click.echo(
        f"{found}: {len(proposals)} proposed" if proposals else f"{found}, nor have they much in common", err=True
    )
    if proposals:
        click.echo(as_yaml(proposals))


def _recent(
    app: App, known: Sequence[Topic], *, newsletter: str | None, days: int
) -> tuple[Embedded, Sequence[Assignment]]:
    """The stories first seen lately, the last first, and the topics they belong to, judged as an issue's are."""
    from newsletter.topics.assign import assign  # noqa: PLC0415
    from newsletter.topics.embed import Embedded  # noqa: PLC0415

    app.archive.catch_up()
    background = app.archive.recent(_RECENT)
    sources = set(app.newsletter(newsletter).sources) if newsletter else set(app.plan.sources)
    since = now() - timedelta(days=days)
    wanted = [
        at
        for at, story in enumerate(background.stories)
        if story.first_seen and story.first_seen >= since and sources & {mention.source for mention in story.mentions}
    ]
    recent = Embedded(tuple(background.stories[at] for at in wanted), background.vectors[wanted])
    return recent, assign(recent, known, embedder=app.archive.embedder, background=background)


# --- how it is told -------------------------------------------------------------------------------------------------


def _section(topic: Topic | None, assigned: Sequence[Assignment], *, why: bool) -> Iterator[str]:
    own = [assignment for assignment in assigned if assignment.topic == topic]
    if not own:
        return
    if topic is None:
        yield f"no topic ({len(own)})"
    else:
        yield f"{topic.title} [{topic.name}] ({len(own)})"
    for assignment in sorted(own, key=lambda one: -one.score):
        yield (
            f"  {assignment.score:5.1f}  {assignment.story.title}"
            if assignment.choices
            else (f"      -  {assignment.story.title}")
        )
        if why:
            yield from (f"         {line}" for line in _reasons(assignment))


def _reasons(assignment: Assignment) -> Iterator[str]:
    for number, choice in enumerate(assignment.choices):
        is_chosen = number == 0 and assignment.topic is not None
        yield f"{'is' if is_chosen else 'or'} {choice.topic.name} {choice.score:.1f}: {_parts(choice)}"
    if assignment.choices and assignment.topic is None:
        yield f"belongs nowhere: no score of {assignment.least:.1f} or more"
    yield from (f"not {topic.name}: it says {word!r}" for topic, word in assignment.barred)


def _parts(choice: Choice) -> str:
    """What a score adds up from, and the keywords found."""
    parts = {"likeness": choice.likeness, "keywords": choice.keywords, "neighbours": choice.neighbours}
    told = ", ".join(f"{name} {value:+.1f}" for name, value in parts.items() if abs(value) >= _TOLD)
    hits = ", ".join(f"{hit.keyword}{' (title)' if hit.in_title else ''}" for hit in choice.hits)
    return f"{told or 'nothing speaks for it'}{f' [{hits}]' if hits else ''}"


def _told(assignment: Assignment) -> dict[str, object]:
    """An assignment for scripts: the same keys for every story."""
    return {
        "key": assignment.story.key,
        "title": assignment.story.title,
        "topic": assignment.topic.name if assignment.topic else "",
        "choices": [
            {
                "topic": choice.topic.name,
                "score": choice.score,
                "likeness": choice.likeness,
                "keywords": choice.keywords,
                "neighbours": choice.neighbours,
                "hits": [hit.keyword for hit in choice.hits],
            }
            for choice in assignment.choices
        ],
        "barred": {topic.name: word for topic, word in assignment.barred},
    }
