"""`init`: a workspace to begin with."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import click

from newsletter.config import load_config
from newsletter.schedule.example import example_text

_EXAMPLE = "schedules.yaml"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.pass_context
def init(ctx: click.Context, folder: Path | None) -> None:
    """Prepare FOLDER (default: this one) as a workspace. What is there already stays as it is.

    Writes an example schedules.yaml, a copy of the mail templates to change, and a .env with a new secret key, and
    creates or migrates the database.
    """
    from newsletter.render.environment import bundled_templates  # noqa: PLC0415
    from newsletter.store import migrate, open_store  # noqa: PLC0415

    workspace = folder or ctx.obj
    workspace.mkdir(parents=True, exist_ok=True)
    _write(workspace / _EXAMPLE, example_text(), mode=0o644)
    _copy(bundled_templates() / "email", workspace / "templates" / "email")
    if not load_config(workspace).secret_keys:
        _append_secret(workspace / ".env")
    store = open_store(load_config(workspace).database_url)
    try:
        revision = migrate.upgrade(store.db)
    finally:
        store.close()
    click.echo(f"database: ready, at revision {revision}")
    click.echo("next: edit schedules.yaml, `newsletter subscribers add`, `newsletter preview daily-papers --open`")


def _write(path: Path, text: str, *, mode: int) -> None:
    if path.exists():
        click.echo(f"{path}: kept as it is")
        return
    path.touch(mode=mode)
    path.write_text(text, encoding="utf-8")
    click.echo(f"{path}: written")


def _copy(bundled: Path, own: Path) -> None:
    """Copy the templates, unless there is a folder of them already: it may lack some on purpose."""
    if own.exists():
        click.echo(f"{own}: kept as it is")
        return
    shutil.copytree(bundled, own)
    click.echo(f"{own}: copied, to be changed; what is deleted there comes from the package again")


def _append_secret(path: Path) -> None:
    """Add a new key to .env, which nobody else may read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    before = path.read_text(encoding="utf-8")
    ended = before if not before or before.endswith("\n") else before + "\n"
    path.write_text(f"{ended}NEWSLETTER_SECRET_KEY={secrets.token_urlsafe(32)}\n", encoding="utf-8")
    click.echo(f"{path}: a new secret key")
