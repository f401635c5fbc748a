"""A site as the public finds it: really served on the loopback interface, with a mailbox that takes its mails."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from newsletter.app import App, open_app
from newsletter.config import load_config
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.web.server import listen, open_server
from newsletter.web.site import Site
from tests.workspaces import Workspace, make_workspace


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")


@dataclass
class Website:
    """One that is being served; `now` is its clock, which stands still until a test moves it."""

    url: str
    workspace: Workspace
    app: App
    mailbox: Mailbox
    site: Site = field(init=False)
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def pass_time(self, by: timedelta) -> None:
        """Let the site's clock go on."""
        self.now += by

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own; redirects are not followed. `path` may be one of our whole URLs."""
        parts = urlsplit(path)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            connection.request(method, target, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """GET; headers by name, with _ for -."""
        return self.ask("GET", path, headers=_spelled(headers))

    def post(self, path: str, fields: Mapping[str, str] | list[tuple[str, str]] = {}, **headers: str) -> Answer:  # noqa: B006
        """POST of a form."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, body=urlencode(fields).encode(), headers={**form, **_spelled(headers)})


def _spelled(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def open_website(folder: Path, *, readers: int = 0, plan: str = "", **settings: str) -> Iterator[Website]:
    """A site of a workspace in a folder, with so many readers; settings by name, without their prefix."""
    with open_mailbox(folder / "mailbox", port=0) as mailbox:
        listener = listen("127.0.0.1:0")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        workspace = make_workspace(folder / "workspace", smtp_url=mailbox.url, readers=readers)
        if plan:
            (workspace.folder / "schedules.yaml").write_text(plan, encoding="utf-8")
        own = {f"NEWSLETTER_{name}": value for name, value in settings.items()}
        workspace = replace(workspace, settings={**workspace.settings, "NEWSLETTER_BASE_URL": url, **own})
        with open_app(load_config(workspace.folder, workspace.settings)) as app:
            website = Website(url=url, workspace=workspace, app=app, mailbox=mailbox)
            website.site = Site(app=app, clock=lambda: website.now)
            with open_server(website.site, listener):
                yield website
