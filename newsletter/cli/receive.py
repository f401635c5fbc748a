"""`receive`: mail that comes to us, from the mail server's own hand."""

from __future__ import annotations

import sys

import click

from newsletter.cli.workspace import now, open_workspace


@click.command()
@click.pass_context
def receive(ctx: click.Context) -> None:
    """Read one mail from standard input: who asks to leave has left. Nothing is answered.

    For mail to unsubscribe@ at the domain of bounces, where mails offer it. An alias of the mail server pipes it in:

    unsubscribe: "|newsletter -C /srv/newsletter receive"
    """
    from newsletter import incoming  # noqa: PLC0415

    with open_workspace(ctx) as app:
        mail = sys.stdin.buffer.read(incoming.MOST)
        click.echo(incoming.receive(mail, store=app.store, links=app.links, now=now()))
