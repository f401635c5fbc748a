"""`operators`: who may do in a browser, or by a program, what an operator does here."""

from __future__ import annotations

import sys

import click

from newsletter.cli.workspace import as_json, local, now, open_ledger, print_json
from newsletter.store.operators import TOKEN

_generate = click.option("--generate", is_flag=True, help="Make a password and print it, instead of asking for one.")


@click.group()
def operators() -> None:
    """Who may log in at /operator: add, list, passwords, tokens for programs."""


@operators.command()
@click.argument("name")
@_generate
@click.pass_context
def add(ctx: click.Context, name: str, *, generate: bool) -> None:
    """Let somebody in. The password is asked for or read from a pipe, never an argument: others can read those."""
    from newsletter import operators as door  # noqa: PLC0415

    with open_ledger(ctx) as store:
        password = _password(generate=generate)
        door.add(store, name, password, now=now())
    click.echo(f"{name} may log in" + (f" with the password {password}" if generate else ""))


@operators.command("list")
@as_json
@click.pass_context
def list_operators(ctx: click.Context, *, as_json: bool) -> None:
    """List operators, and the tokens of their programs."""
    with open_ledger(ctx) as store:
        found = [(who, store.operators.passes(who.id, kind=TOKEN)) for who in store.operators.list()]
    if as_json:
        print_json([{"operator": who, "tokens": tokens} for who, tokens in found])
        return
    for who, tokens in found:
        click.echo(f"{who.name}  since {local(who.created_at)}")
        for token in tokens:
            used = f"last used {local(token.used_at)}" if token.used_at else "never used"
            click.echo(f"    token {token.label}  since {local(token.created_at)}, {used}")
    if not found:
        click.echo("nobody yet; `newsletter operators add NAME` lets somebody in")


@operators.command()
@click.argument("name")
@_generate
@click.pass_context
def password(ctx: click.Context, name: str, *, generate: bool) -> None:
    """Change a password; all sessions of the operator end."""
    from newsletter import operators as door  # noqa: PLC0415

    with open_ledger(ctx) as store:
        secret = _password(generate=generate)
        door.change_password(store, name, secret)
    click.echo(f"changed{f' to {secret}' if generate else ''}; every session of {name} is over")


@operators.command()
@click.argument("name")
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Let somebody in no more: sessions and tokens end at once."""
    with open_ledger(ctx) as store:
        store.operators.remove(name)
    click.echo(f"{name} is no operator any more")


@operators.command()
@click.argument("name")
@click.argument("label")
@click.pass_context
def token(ctx: click.Context, name: str, label: str) -> None:
    """Make a token for a program that acts for an operator, and print it: it is shown this once."""
    from newsletter import operators as door  # noqa: PLC0415

    with open_ledger(ctx) as store:
        click.echo(door.new_token(store, name, label, now=now()))


@operators.command()
@click.argument("name")
@click.argument("label")
@click.pass_context
def revoke(ctx: click.Context, name: str, label: str) -> None:
    """End the tokens of an operator that are called so."""
    from newsletter.errors import NotFound  # noqa: PLC0415

    with open_ledger(ctx) as store:
        known = {who.name: who.id for who in store.operators.list()}
        count = store.operators.revoke(known[name], label=label) if name in known else 0
        if not count:
            raise NotFound(f"{name} has no token {label!r}; `newsletter operators list` shows those there are")
    click.echo(f"{count} revoked")


def _password(*, generate: bool) -> str:
    from newsletter.operators import SHORTEST, new_password  # noqa: PLC0415

    if generate:
        return new_password()
    if not sys.stdin.isatty():  # a script hands it over; nobody is there to be asked twice
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt(f"Password ({SHORTEST} characters or more)", hide_input=True, confirmation_prompt=True)
    return asked
