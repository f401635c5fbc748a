"""The mails, the same as files, and what Chromium saw of those."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.outside.browser import Seen, look_at
from tests.outside.mails import THEMES, Mail, make_mails

# Pages that something is wrong with, to see that it is found: the first theme's page with this before its end.
_FAULTS = {
    "shifted": "<style>h1, h2, h3 { position: relative; left: 4px }</style>",
    "spoiled": '<a href="https://example.org/"></a><img width="900" src="https://example.org/a.png">'
    '<p style="color:#555555">dim</p><script src="https://example.org/b.js"></script></div></td>',
}


@pytest.fixture(scope="session")
def mails() -> Mapping[str, Mail]:
    """Every mail by its name."""
    return make_mails()


@pytest.fixture(scope="session")
def pages(mails: Mapping[str, Mail], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The HTML of every mail in a file, and that of pages with a fault."""
    folder = tmp_path_factory.mktemp("pages")
    good = mails[f"{THEMES[0]}-two-topics"].html
    faulty = {name: good.replace("</body>", f"{fault}</body>") for name, fault in _FAULTS.items()}
    texts = {name: mail.html for name, mail in mails.items()} | faulty
    files = {name: folder / f"{name}.html" for name in texts}
    for name, file in files.items():
        file.write_text(texts[name], encoding="utf-8")
    return files


@pytest.fixture(scope="session")
def browser(pages: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Seen]:
    """What Chromium saw of every page."""
    photographed = {"shifted", *(f"{theme}-two-topics" for theme in THEMES)}
    return look_at(pages, photographed=photographed, folder=tmp_path_factory.mktemp("browser"))
