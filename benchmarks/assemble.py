# ruff: noqa: INP001, T201 - a script, not a package
"""What one personal message costs: `python benchmarks/assemble.py`.

An issue of the bundled theme with 60 KB of HTML and five values: four are each reader's own, the address of the issue
on the web is everybody's. Once as one edition for all and once as EDITIONS of them, a reader of each after the other,
all but one of their stories in each. Beside it stands the usual way: fill a Jinja template for each reader, and build
an EmailMessage of it. CPU time of one thread, the median of rounds; what the editions cost once is told apart.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP

from jinja2 import Environment, Template

from newsletter.codec import encode
from newsletter.editions import Editions
from newsletter.mail.headers import Address
from newsletter.mail.message import Assembly, Body, Letterhead, compile_issue
from newsletter.model import (
    Issue,
    Newsletter,
    Preferences,
    Recipient,
    Rendered,
    Section,
    Signals,
    Slot,
    Slotted,
    Story,
    Token,
)
from newsletter.render.fragments import literal
from newsletter.render.issue import open_render
from newsletter.store.issues import Frozen

SIZE = 60_000  # bytes of HTML
EDITIONS = 100
ROUNDS = 15
LINK = "https://papers.example.org/{}/WzEsImRhaWx5LXBhcGVycyJd.aR7yXw.k0Jm3v5pYd2b1T7cQe9sLxZuHnA"
TOKENS = {token: LINK.format(token) for token in Token} | {Token.NAME: "Réader", Token.EMAIL: "reader@example.org"}
COMMON = {Token.WEB_URL: TOKENS[Token.WEB_URL]}  # everybody's
WORDS = (
    "Long contexts are expensive because every token looks at every other. We keep an index of which keys were useful "
    "to earlier queries and visit only those, which cuts the cost of a long context to a third."
)


def own(number: int) -> dict[Token, str]:
    """One reader's values."""
    links = {token: f"{TOKENS[token]}{number}" for token in (Token.UNSUBSCRIBE_URL, Token.PREFERENCES_URL)}
    return {**TOKENS, **links, Token.NAME: f"Réader {number}", Token.EMAIL: f"reader{number}@example.org"}


def an_issue(stories: int) -> Issue:
    """So many papers in four topics."""
    told = [
        Story(
            key=str(number),
            title=f"A paper about sparse attention, number {number}",
            url=f"https://arxiv.example.org/abs/2611.{number:05}",
            summary=WORDS,
            authors=("First Author", "Second Author", "Zoë Third"),
            author_count=9,
            signals=Signals(upvotes=number, comments=3, stars=1200),
        )
        for number in range(stories)
    ]
    sections = tuple(Section(topic=f"t{n}", title=f"Topic {n}", stories=tuple(told[n::4])) for n in range(4))
    at = datetime(2026, 11, 20, 8, tzinfo=UTC)
    slot = Slot(newsletter="daily", schedule="morning", date=date(2026, 11, 20), at=at)
    return Issue(slot=slot, title="Daily Papers", preheader="Papers of today, by topic", sections=sections)


def rendered() -> Rendered:
    """An issue of SIZE."""
    return published().rendered


def published() -> Frozen:
    """An issue of SIZE as the store has it."""
    render = open_render(base_url="https://papers.example.org")
    newsletter = Newsletter(name="daily", title="Daily Papers", sender="papers@example.org")
    for stories in range(12, 200, 4):
        issue = an_issue(stories)
        found = render.issue(issue, newsletter=newsletter)
        if len(render.preview(found, TOKENS)[0].encode()) >= SIZE:
            at = issue.slot.at
            return Frozen(
                id=1, nonce="nonce", published_at=at, issue=issue, rendered=found, newsletter=newsletter, window=None
            )
    raise AssertionError("no issue is that large")


LETTERHEAD = Letterhead(
    sender=Address("Daily Papers", "papers@example.org"),
    date=datetime(2026, 11, 20, 8, tzinfo=UTC),
    list_title="Daily Papers",
    list_id="daily.example.org",
)


def ours(issue: Rendered) -> Callable[[int], bytes]:
    """A message by joining what is encoded already."""
    assembly = compile_issue(issue, LETTERHEAD, common=COMMON)
    return _assembled(assembly, lambda _: assembly.whole)


def tailored(issue: Frozen) -> tuple[Callable[[int], bytes], float]:
    """The same for readers who chose one of EDITIONS, each after the other; and how many µs each edition cost, once."""
    stories = range(len(issue.issue.stories))
    pairs = [(one, other) for one in stories for other in stories if one < other][:EDITIONS]
    choices = [encode(Preferences(exclude=tuple(f"number {number}" for number in pair))) for pair in pairs]
    editions = Editions(issue, lambda frozen: compile_issue(frozen.rendered, LETTERHEAD, common=COMMON))
    editions.body(encode(Preferences(exclude=("number 0",))))  # what all of them need once
    began = time.process_time()
    bodies = {editions.body(choice) for choice in choices}
    each = (time.process_time() - began) / EDITIONS * 1e6
    assert len(bodies) == EDITIONS  # noqa: S101  # what is measured
    return _assembled(editions.assembly, lambda number: editions.body(choices[number % EDITIONS])), each


def _assembled(assembly: Assembly, body: Callable[[int], Body | None]) -> Callable[[int], bytes]:
    def message(number: int) -> bytes:
        values = own(number)
        recipient = Recipient(
            delivery=number,
            subscriber=number,
            email=values[Token.EMAIL],
            name=values[Token.NAME],
            message_id=f"<{number}@example.org>",
        )
        return assembly.message(
            recipient, tokens=values, unsubscribe_url=values[Token.UNSUBSCRIBE_URL], body=body(number)
        ).data

    return message


def usual(issue: Rendered) -> Callable[[int], bytes]:
    """A message by a template for each part and the standard library."""
    environment = Environment(autoescape=True)

    def template(kind: str) -> Template:
        pieces = (piece for fragment in issue.fragments for piece in getattr(fragment, kind))
        return environment.from_string(
            "".join(f"{{{{ {piece.token} }}}}" if isinstance(piece, Slotted) else literal(piece) for piece in pieces)
        )

    html, text = template("html"), template("text")

    def message(number: int) -> bytes:
        values = {str(token): value for token, value in own(number).items()}
        mail = EmailMessage(policy=SMTP.clone(max_line_length=998))
        mail["From"], mail["To"] = "Daily Papers <papers@example.org>", f"{values['name']} <{values['email']}>"
        mail["Subject"], mail["Message-ID"] = issue.subject, f"<{number}@example.org>"
        mail["List-Unsubscribe"] = f"<{values['unsubscribe_url']}>"
        mail.set_content(text.render(values), cte="quoted-printable")
        mail.add_alternative(html.render(values), subtype="html", cte="quoted-printable")
        return mail.as_bytes()

    return message


def microseconds(message: Callable[[int], bytes], count: int) -> float:
    """CPU time of one message."""
    rounds = []
    for turn in range(ROUNDS):
        began = time.process_time()
        for number in range(count):
            message(turn * count + number)
        rounds.append((time.process_time() - began) / count * 1e6)
    return statistics.median(rounds)


def main() -> None:
    """All ways, and how many times one goes into the other."""
    issue = published()
    of_editions, each = tailored(issue)
    ways = {
        "newsletter": (ours(issue.rendered), 2_000),
        f"newsletter, {EDITIONS} editions": (of_editions, 2_000),
        "Jinja2 and EmailMessage": (usual(issue.rendered), 10),
    }
    print(f"{'way':26} {'bytes':>8} {'µs':>9}")
    figures = {}
    for name, (message, count) in ways.items():
        figures[name] = microseconds(message, count)
        print(f"{name:26} {len(message(1)):>8,} {figures[name]:>9,.1f}")
    first, _, usual_way = figures.values()
    print(f"{usual_way / first:,.0f} times; an edition costs {each:,.0f} µs, once")


if __name__ == "__main__":
    sys.exit(main())
