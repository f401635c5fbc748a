"""What a monitor hears of a daemon."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter.app import App, open_app
from newsletter.config import load_config
from newsletter.daemon import SILENCE, Daemon
from newsletter.errors import ConfigError, StoreError
from newsletter.health import Health, open_health, parse_place
from newsletter.model import State
from newsletter.store.deliveries import Mark
from tests.builders import DAY, HOUR, MINUTE
from tests.sinks import open_sink
from tests.test_daemon import EIGHT, LOCAL, Clock
from tests.workspaces import make_workspace


def get(url: str, path: str = "") -> tuple[int, str]:
    """The status and body of an answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("GET", path or parts.path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Two readers and nobody to take their mail."""
    folder = tmp_path / "workspace"
    workspace = make_workspace(folder, smtp_url="smtp://127.0.0.1:1", readers=2)
    (folder / "schedules.yaml").write_text(LOCAL, encoding="utf-8")
    with open_app(load_config(folder, workspace.settings)) as app:
        yield app


def test_a_daemon_that_is_well(app: App) -> None:
    """200, its last tick, and nothing waiting."""
    clock = Clock(EIGHT - HOUR)
    daemon = Daemon(app, clock=clock, machine=clock.running)
    daemon.tick()
    with open_health("0", daemon.health) as url:
        status, body = get(url)
        lost, _ = get(url, "/")

    told = json.loads(body)
    assert (status, lost) == (200, 404)
    assert told["status"] == "ok"
    assert told["last_tick"].startswith("2026-11-20T07:00:00")
    assert (told["oldest_due"], told["uncertain"], told["alarms"], told["problems"]) == (None, 0, [], [])


def test_a_daemon_that_is_not(app: App) -> None:
    """503 and the reasons: before the first tick, when nothing goes out, when it hangs, when the clock is wrong."""
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock, machine=clock.running)
    before = daemon.health().problems
    daemon.tick()
    waiting = daemon.health()
    clock.now += SILENCE + MINUTE
    hanging = daemon.health().problems
    clock.now = EIGHT + HOUR
    stuck = daemon.health().problems
    clock.jump(5 * DAY)
    daemon.tick()
    with open_health("127.0.0.1:0", daemon.health) as url:
        status, body = get(url)

    assert before == ("there was no sign of life yet",)
    assert (waiting.problems, waiting.oldest_due) == ((), EIGHT)
    assert [problem.partition(" since")[0] for problem in hanging] == ["there was no sign of life"]
    assert any("nothing of daily-papers always/2026-11-20 goes out" in problem for problem in stuck)
    assert status == 503
    assert "jumped ahead by 5 days" in json.loads(body)["problems"][0]


def test_what_is_uncertain_is_counted(app: App) -> None:
    """Messages that may have arrived or not."""
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock, machine=clock.running)
    daemon.tick()
    ledger = app.store.deliveries
    (claimed,) = ledger.claim(1, owner="me", now=EIGHT + HOUR, lease_until=EIGHT + 2 * HOUR, limit=1)
    ledger.turn(1, [Mark(delivery=claimed.id, state=State.UNCERTAIN)], (), owner="me", now=EIGHT + HOUR)

    assert daemon.health().uncertain == 1


def test_a_daemon_that_cannot_be_asked() -> None:
    """A database that fails is an answer too."""

    def ask() -> Health:
        raise StoreError("the database failed: gone")

    with open_health("0", ask) as url:
        status, body = get(url)

    assert status == 503
    assert json.loads(body)["problems"] == ["the database failed: gone"]


def test_it_listens_where_it_is_told_to() -> None:
    """A port alone is on the loopback interface; what cannot be listened at is named."""
    assert parse_place("8025") == ("127.0.0.1", 8025)
    assert parse_place("0.0.0.0:80") == ("0.0.0.0", 80)  # noqa: S104 - an operator's word
    for wrong in ("here", "127.0.0.1:99999", "127.0.0.1:"):
        with pytest.raises(ConfigError, match="--health"), open_health(wrong, Health):
            pass


def test_the_command_answers(tmp_path: Path) -> None:
    """`daemon --health` says where it answers, and answers there."""
    with open_sink() as sink:
        workspace = make_workspace(tmp_path, smtp_url=sink.url, readers=1)
        with workspace.start("daemon", "--health", "127.0.0.1:0") as daemon:
            assert daemon.stderr is not None
            for line in daemon.stderr:
                if "answering at " in line:
                    url = line.rpartition(" ")[2].strip()
                if "1 sent" in line:
                    break
            status, body = get(url)
            daemon.terminate()

    assert (status, json.loads(body)["status"]) == (200, "ok")


def test_the_command_that_confirms_the_clock(tmp_path: Path) -> None:
    """It says what time it takes for right, and runs nothing."""
    workspace = make_workspace(tmp_path)

    assert "confirmed: it is" in workspace.run("daemon", "--confirm-clock")
