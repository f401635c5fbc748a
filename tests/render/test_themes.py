from __future__ import annotations

from newsletter.registry import Registry
from newsletter.render.environment import bundled_templates
from newsletter.render.themes import register


def test_every_registered_theme_is_there() -> None:
    """A theme that can be configured has both its templates among the bundled ones, and none is there unregistered."""
    registry = Registry()
    register(registry)
    assert registry.themes == {folder.parent.name for folder in bundled_templates().glob("email/*/issue.mjml.j2")}
    assert registry.themes == {folder.parent.name for folder in bundled_templates().glob("email/*/issue.txt.j2")}
