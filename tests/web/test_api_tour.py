"""The tour of docs/api.md is made, and what it shows is what comes back. UPDATE_GOLDEN=1 writes it anew."""

from __future__ import annotations

import json
import os
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

from newsletter import operators
from tests.web.websites import Answer, Website

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
PUBLIC = "https://news.example.org"
STEP = re.compile(r"```sh\n(curl .*?)\n```(?:\n\n```json\n(.*?)```)?", re.DOTALL)


def test_the_tour_is_as_the_document_shows_it(website: Website) -> None:
    """Every example is asked in order; every answer stands there to the letter."""
    website.now = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    operators.add(website.app.store, "anna", "correct horse battery staple", now=website.now)
    token = operators.new_token(website.app.store, "anna", "tour", now=website.now)
    written = DOCUMENT.read_text("utf-8")

    def walked(step: re.Match[str]) -> str:
        answer = _ask(website, step[1], token)
        website.site.orders.finish()
        if step[2] is None:
            assert answer.status in (202, 204)
            return step[0]
        text = answer.text.replace(website.url, PUBLIC)
        told = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        return f"```sh\n{step[1]}\n```\n\n```json\n{told}\n```"

    shown = STEP.sub(walked, written)
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(shown, encoding="utf-8")

    assert shown == DOCUMENT.read_text("utf-8")


def _ask(website: Website, command: str, token: str) -> Answer:
    """What comes back for what `curl` would ask."""
    words = shlex.split(command.replace("\\\n", " ").replace("$API", "/api/v1").replace("$TOKEN", token))
    method, path, body, headers = "", "", None, {}
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest).encode()
            case _:
                path = word
    return website.ask(method or ("POST" if body else "GET"), path, body=body, headers=headers)
