"""`check`: whether the workspace would work, and what readers would stumble over in its mails."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli import USAGE
from newsletter.cli.workspace import as_json, config, now, open_workspace, print_json
from newsletter.config import readable_by_all
from newsletter.errors import FetchError, RenderError
from newsletter.model import Newsletter
from newsletter.render.lint.finding import Finding, Severity, has_errors
from newsletter.render.lint.rules import found
from newsletter.report import counted

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.cli.mails import Mail
    from newsletter.config import Config
    from newsletter.sources import Fetch

_SAMPLE = Newsletter(name="sample", title="A Sample", sender="A Sample <sample@example.org>")
_SECONDS = 20  # for one link


@dataclass(slots=True)
class _Seen:
    """What was found so far; `notes` are lines that are no findings."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)


@click.command()
@click.option("--theme", metavar="NAME", help="Look at this theme only, whether a newsletter uses it or not.")
@click.option("--issues", is_flag=True, help="Look at each newsletter's issue as it would go out now, too.")
@click.option("--links", is_flag=True, help="Ask every link of these issues whether it answers; means --issues.")
@click.option("--spam/--no-spam", default=None, help="Ask SpamAssassin, as is done anyway where it is installed.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Keep the mails looked at in this folder."
)
@as_json
@click.pass_context
def check(
    ctx: click.Context,
    *,
    theme: str | None,
    issues: bool,
    links: bool,
    spam: bool | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Check settings, schedules.yaml, themes and mails; everything is told with its place, why and how to mend it.

    Each theme in use is looked at as it is written, and filled with sample issues. Exit status 2 means errors; warnings
    are worth a look. docs/check.md explains every rule.
    """
    from newsletter.app import load_plan, load_plugins, open_sender  # noqa: PLC0415

    settings = config(ctx)
    registry = load_plugins()
    plan = load_plan(settings, registry)
    open_sender(settings, registry)
    seen = _Seen()
    _look_at_themes(_newsletters(plan.newsletters, theme, settings), settings, seen, letters=theme is None)
    if issues or links:
        with open_workspace(ctx) as app:
            _look_at_issues(app, seen, ask_links=links)
    _judge(seen, wanted=spam)
    for mail in seen.mails if out is not None else ():
        mail.write(out or Path())
    findings = tuple(dict.fromkeys(seen.findings))
    parts = f"{counted(len(plan.sources), 'source')}, {counted(len(plan.schedules), 'schedule')}"
    seen.notes += [
        f"{path}: everybody on this machine can read it; chmod 600 {path}" for path in readable_by_all(settings)
    ]
    seen.notes.append(f"{settings.schedules.name}: good, with {parts}")
    if as_json:
        print_json({"findings": findings, "notes": seen.notes})
    else:
        click.echo("\n".join(_lines(findings, seen.notes)))
    ctx.exit(USAGE if has_errors(findings) else 0)


def _newsletters(configured: Mapping[str, Newsletter], theme: str | None, settings: Config) -> Sequence[Newsletter]:
    """Whose mails to look at: each newsletter's, or a theme by its name, as the first newsletter would use it."""
    if theme is None:
        return list(configured.values())
    names = {path.parent.name for folder in _folders(settings) for path in folder.glob("email/*/issue.mjml.j2")}
    if theme not in names:
        raise click.BadParameter(f"there is no theme {theme!r}; there are {', '.join(sorted(names))}")
    return [replace(next(iter(configured.values()), _SAMPLE), name=theme, theme=theme)]


def _look_at_themes(newsletters: Sequence[Newsletter], settings: Config, seen: _Seen, *, letters: bool) -> None:
    """Look at each theme as it is written and filled; at the mails beside the issues in the first newsletter's way."""
    from newsletter.cli.mails import letter_mails, sample_mails  # noqa: PLC0415
    from newsletter.links import Links  # noqa: PLC0415
    from newsletter.render.issue import open_render  # noqa: PLC0415
    from newsletter.render.letter import Occasion  # noqa: PLC0415

    render = open_render([settings.templates], base_url=settings.base_url)
    links = Links(base_url=settings.base_url, keys=("of samples",), bounce_domain=settings.bounce_domain)
    for newsletter in newsletters:
        template = f"email/{newsletter.theme}/issue.mjml.j2"
        mails = sample_mails(newsletter, render=render, links=links)
        if _look_at([template], mails, settings, seen):
            seen.notes.append(f"{newsletter.name}: theme {newsletter.theme} renders")
    for newsletter in newsletters[:1] if letters else ():
        templates = [f"email/letters/{occasion}.mjml.j2" for occasion in Occasion]
        _look_at(templates, letter_mails(newsletter, render=render, links=links), settings, seen)


def _look_at(templates: Sequence[str], mails: Iterator[Mail], settings: Config, seen: _Seen) -> bool:
    """Look at templates and at what they are filled to; whether they can be."""
    from newsletter.render.lint import lint_template  # noqa: PLC0415

    for template in templates:
        with suppress(LookupError):  # rendering tells of a template that is not there
            seen.findings.extend(lint_template(template, partial(_source, settings=settings)))
    try:
        for mail in mails:
            seen.mails.append(mail)
            seen.findings.extend(_in_mail(mail))
    except RenderError as error:
        seen.findings.append(_broken(error, templates[0]))
        return False
    return True


def _broken(error: RenderError, template: str) -> Finding:
    what = str(error).removeprefix(f"{error.template}:{error.line}: ").removeprefix(f"{error.template}: ")
    return found("render", error.template or template, error.line, what)


def _look_at_issues(app: App, seen: _Seen, *, ask_links: bool) -> None:
    from newsletter.app import USER_AGENT  # noqa: PLC0415
    from newsletter.cli.mails import current_mail  # noqa: PLC0415
    from newsletter.sources.fetch import open_fetch  # noqa: PLC0415

    fetch = open_fetch(allow=app.config.allow_networks, user_agent=USER_AGENT, timeout=_SECONDS, turns=app.store.turns)
    for newsletter in app.plan.newsletters.values():
        try:
            mail, reason = current_mail(app, newsletter, now=now())
        except RenderError as error:
            seen.findings.append(_broken(error, newsletter.theme))
            continue
        if mail is None:
            seen.notes.append(f"{newsletter.name}: no issue now: {reason}")
            continue
        seen.mails.append(mail)
        seen.findings.extend(_in_mail(mail))
        if ask_links:
            asked = _links(mail, own=app.config.base_url)
            if sys.stderr.isatty():
                click.echo(
                    f"{mail.name}: asking {counted(len(asked), 'link')}, seconds apart for each domain", err=True
                )
            dead = list(_dead(mail, asked, fetch))
            seen.findings.extend(dead)
            seen.notes.append(f"{mail.name}: {len(asked) - len(dead)} of {counted(len(asked), 'link')} answer")


def _links(mail: Mail, *, own: str) -> Mapping[str, int]:
    """The addresses to ask, with their lines. Of our own pages one stands for all: the others are signed for nobody."""
    from newsletter.render.lint import links  # noqa: PLC0415

    ours = own.rstrip("/") + "/"
    return {own if f"{address}/".startswith(ours) else address: line for address, line in links(mail.html).items()}


def _dead(mail: Mail, addresses: Mapping[str, int], fetch: Fetch) -> Iterator[Finding]:
    from newsletter.sources import Request  # noqa: PLC0415

    for request, answer in fetch([Request(url=address) for address in addresses]):
        if isinstance(answer, FetchError):
            yield found("dead-link", f"{mail.name}.html", addresses[request.url], f"{request.url}: {answer}")


def _judge(seen: _Seen, *, wanted: bool | None) -> None:
    """Ask SpamAssassin, where it is there and nobody said no."""
    from newsletter.render.lint import spam  # noqa: PLC0415

    if wanted is False or not seen.mails:
        return
    if not spam.is_installed():
        seen.notes.append("SpamAssassin: skipped, since spamassassin is not on the PATH")
        return
    try:
        seen.findings.extend(spam.judge({f"{mail.name}.eml": mail.data for mail in seen.mails}))
    except OSError as error:
        seen.notes.append(f"SpamAssassin: skipped, since {error}")
    else:
        seen.notes.append(f"SpamAssassin: looked at {counted(len(seen.mails), 'mail')}")


def _in_mail(mail: Mail) -> tuple[Finding, ...]:
    from newsletter.render.lint import lint_mail  # noqa: PLC0415

    return lint_mail(mail.html, mail.text, preheader=mail.preheader, path=mail.name)


def _source(name: str, *, settings: Config) -> str:
    """A template, of the operator or the bundled one. LookupError when there is none."""
    for folder in _folders(settings):
        if (path := folder / name).is_file():
            return path.read_text(encoding="utf-8", errors="replace")  # rendering tells of that, too
    raise LookupError(name)


def _folders(settings: Config) -> Sequence[Path]:
    from newsletter.render.environment import bundled_templates  # noqa: PLC0415

    return settings.templates, bundled_templates()


def _lines(findings: Iterable[Finding], notes: Iterable[str]) -> Iterator[str]:
    """Errors, then warnings, what is found in several places once; then the notes and how many there are."""
    same: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        same.setdefault((finding.rule, finding.what), []).append(finding)
    counts = []
    for severity in Severity:
        groups = [group for group in same.values() if group[0].severity is severity]
        counts.append(counted(len(groups), severity))
        if groups:
            yield f"{severity}s"
        for first, *others in groups:
            places = sorted({other.path for other in others} - {first.path})
            yield f"{first}\n    also in {', '.join(places)}" if places else str(first)
    yield from notes
    yield ", ".join(counts)
