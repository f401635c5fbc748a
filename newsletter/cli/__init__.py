"""The operator's door: `newsletter …`.

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 partly done. The modules beside this one hold the
commands; each is imported only when it runs, so that `newsletter --help` answers at once.
"""

from __future__ import annotations

import difflib
import importlib
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from newsletter import __version__
from newsletter.errors import ConfigError, NewsletterError

FAILED, USAGE, PARTLY = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command that is imported when it is asked for, and what to say of it before."""

    module: str
    help: str


COMMANDS: Mapping[str, Lazy] = {
    "demo": Lazy("demo", "Run the whole thing on sample feeds, in ./newsletter-demo."),
    "init": Lazy("setup", "Prepare a workspace: schedules.yaml, .env, the database."),
    "check": Lazy("check", "Check settings, schedules.yaml, themes and mails."),
    "dkim": Lazy("dkim", "Make a key that signs mails, show what the DNS must say."),
    "collect": Lazy("work", "Read sources now."),
    "preview": Lazy("preview", "Show what readers will see of an issue."),
    "edit": Lazy("edit", "Pin, hide and word stories, begin an issue with a word of yours."),
    "suggestions": Lazy("suggestions", "List what readers suggest, approve or decline it."),
    "send": Lazy("work", "Send an issue by hand."),
    "daemon": Lazy("service", "Run the schedules until stopped."),
    "worker": Lazy("service", "Help to deliver what daemons have published."),
    "serve": Lazy("service", "Serve the web pages: sign-up, preferences, archive."),
    "mailbox": Lazy("mailbox", "Run the built-in mail server, which shows what it gets on a page."),
    "issues": Lazy("ledger", "List issues, show one; retry, pause, resume or cancel it."),
    "deliveries": Lazy("ledger", "Show what became of each recipient of an issue."),
    "runs": Lazy("ledger", "Tell what each run did, and why mail did (not) go out."),
    "subscribers": Lazy("people", "Add, list, import, export readers; let them leave, suppress and forget them."),
    "receive": Lazy("receive", "Read one mail from standard input: who asks to leave has left."),
    "operators": Lazy("operators", "Say who may log in as an operator, and which programs may act for them."),
    "topics": Lazy("topics", "Show which topic each story belongs to and why; propose topics that are missing."),
    "search": Lazy("search", "Search what was collected, by words and by meaning."),
    "sources": Lazy("origins", "List sources and how they are doing, find and add some."),
}


class Commands(click.Group):
    """The commands by name, in the order of a first encounter."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Every command."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command itself, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"newsletter.cli.{COMMANDS[cmd_name].module}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101  # COMMANDS names commands
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; for a name that is none, the one that was probably meant."""
        near = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if args[0] not in COMMANDS and near:
            ctx.fail(f"There is no command {args[0]!r}. Did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in `--help`, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="newsletter")
@click.option(
    "-C",
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to work in, instead of this one.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.pass_context
def cli(ctx: click.Context, workspace: Path, verbose: bool) -> None:
    """A self-hosted newsletter: collects, composes, publishes and delivers.

    Start with `newsletter demo`, then `newsletter init`.
    """
    if ctx.invoked_subcommand != "init" and not workspace.is_dir():
        raise click.BadParameter(f"there is no folder {workspace}; `newsletter init {workspace}` makes one")
    ctx.obj = workspace
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(message)s")


def main() -> None:
    """Run a command; errors of ours are told in words, everything else is a bug and shows where."""
    try:
        cli.main(prog_name="newsletter")
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(USAGE)
    except NewsletterError as error:
        print(f"newsletter: {error}", file=sys.stderr)
        sys.exit(FAILED)
