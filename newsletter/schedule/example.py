"""The schedules.yaml that comes with newsletter: what `init` writes and the demonstration is made from."""

from __future__ import annotations

from pathlib import Path


def example_text() -> str:
    """The example, from the installed package (where the wheel puts it), else from the top of the checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_examples" / "schedules.yaml"
    return (installed if installed.exists() else package.parent / "schedules.yaml").read_text("utf-8")
