"""`dkim`: the keys that sign mails, and the records by which everybody can check them."""

from __future__ import annotations

import os
from pathlib import Path

import click

from newsletter.cli.workspace import config


@click.group()
def dkim() -> None:
    """Make a key that signs mails, show what the DNS must say.

    Only for mail servers that do not sign themselves: most hosted ones do.
    """


@dkim.command()
@click.argument("domain")
@click.argument("selector")
@click.option(
    "--algorithm",
    type=click.Choice(["rsa", "ed25519"]),
    default="rsa",
    show_default=True,
    help="Everybody can check rsa (2048 bits); ed25519 is fast, and a second signature beside it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file for the key, instead of dkim-SELECTOR.pem in the workspace.",
)
@click.pass_context
def new(ctx: click.Context, domain: str, selector: str, *, algorithm: str, out: Path | None) -> None:
    """Make a key that signs for DOMAIN, in a file of its own, and print what to do with it.

    SELECTOR is a name of your choice for the key, a new one for each: `news2026`.
    """
    from newsletter.mail.dkim import Key, Signer, new_key, read_key, zone_entry  # noqa: PLC0415  # not for `--help`

    pem = new_key(algorithm)
    try:
        signer = Signer(domain.lower(), (Key(selector.lower(), read_key(pem)),))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    file = (out or ctx.obj / f"dkim-{signer.keys[0].selector}.pem").resolve()
    _write_secret(file, pem)
    click.echo(f"{file}: a new key, readable by you alone\n")
    click.echo(f"for the DNS of {signer.domain}:\n\n{zone_entry(signer.domain, signer.keys[0])}\n")
    click.echo("for .env, once the DNS has it:\n")
    click.echo(f"NEWSLETTER_DKIM_DOMAIN={signer.domain}")
    click.echo(f"NEWSLETTER_DKIM_SELECTOR={signer.keys[0].selector}")
    click.echo(f"NEWSLETTER_DKIM_KEY_FILE={file}")


@dkim.command()
@click.pass_context
def show(ctx: click.Context) -> None:
    """Print what the DNS must have for the keys in the settings."""
    from newsletter.mail.dkim import load_signer, zone_entry  # noqa: PLC0415  # not for `--help`

    settings = config(ctx)
    signer = load_signer(
        settings.dkim_domain,
        [(settings.dkim_selector, settings.dkim_key), (settings.dkim_selector_2, settings.dkim_key_2)],
    )
    if signer is None:
        click.echo("mails are not signed here: NEWSLETTER_DKIM_DOMAIN is not set; `newsletter dkim new` makes a key")
        return
    for key in signer.keys:
        click.echo(zone_entry(signer.domain, key))


def _write_secret(file: Path, text: str) -> None:
    """A new file that nobody else may read, from its first byte on."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(
            f"{file} is there already; a key is never overwritten. Choose another --out"
        ) from None
    except OSError as error:
        raise click.ClickException(f"could not write {file}: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)
