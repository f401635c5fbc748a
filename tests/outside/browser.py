"""What Chromium saw of pages: it is started once for all of them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.outside import tools

VIEWS = ("light", "dark", "narrow")  # 640 pixels wide, the same in dark colours, 375 pixels wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One page in the browser.

    `violations` of accessibility are told for each view, `widths` are the page's at each width of the window,
    `requests` what it asked the network for, and `pictures` the folder of its pictures, if any were taken.
    """

    violations: Mapping[str, list[str]]
    widths: Mapping[str, int]
    requests: list[str]
    pictures: Path


def look_at(pages: Mapping[str, Path], *, photographed: set[str], folder: Path) -> dict[str, Seen]:
    """What Chromium and axe saw of the pages, by name; pictures are put into `folder`."""
    chromium = tools.command("chromium", package="chromium")
    node = tools.command("node", package="nodejs")
    for package in ("puppeteer-core", "axe-core"):
        tools.npm(package)
    for name in photographed:
        (folder / name).mkdir()
    request = {
        "chromium": chromium,
        "profile": str(folder / "profile"),
        "picture": base64.b64encode(_any_image()).decode(),
        "pages": [
            {"name": name, "file": str(file), "folder": str(folder / name) if name in photographed else ""}
            for name, file in pages.items()
        ],
    }
    fonts = {"FONTCONFIG_FILE": str(tools.FOLDER / "fonts.conf"), "XDG_CACHE_HOME": str(folder / "cache")}
    done = tools.run(node, tools.FOLDER / "browser.mjs", stdin=json.dumps(request).encode(), environment=fonts)
    return {name: Seen(**seen, pictures=folder / name) for name, seen in json.loads(done.stdout).items()}


def _any_image() -> bytes:
    """What every image of a mail looks like here."""
    file = io.BytesIO()
    Image.new("RGB", (112, 112), "#7a8ca5").save(file, "PNG")
    return file.getvalue()
