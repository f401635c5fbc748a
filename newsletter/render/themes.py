"""The themes that come with the package.

A theme is a folder `email/<name>/` among the templates, with `issue.mjml.j2` and `issue.txt.j2` in it.
"""

from __future__ import annotations

from newsletter.registry import Registry


def register(registry: Registry) -> None:
    """Add the built-in themes, through the door that plugins use."""
    for name in ("papers", "news", "plain"):
        registry.add_theme(name)
