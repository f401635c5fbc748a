from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from newsletter.store import Store
from newsletter.summaries import nobody, open_summaries
from newsletter.topics.endpoint import Endpoint
from tests.builders import a_story

SUMMARY = "MapFold folds maps with one table and saves 40% of the memory."
STORY = a_story(
    title="MapFold: folding maps",
    summary="We propose MapFold, a way of folding maps with one table. It saves 40% of the memory.",
)


class Server(ThreadingHTTPServer):
    """A language model that knows one sentence, and counts how often it was asked."""

    asked = 0
    status = 200


@pytest.fixture
def server() -> Iterator[Server]:
    """A running one, on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            running.asked += 1
            self.send_response(running.status)
            self.end_headers()
            self.wfile.write(json.dumps({"choices": [{"message": {"content": SUMMARY}}]}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def endpoint(server: Server) -> Endpoint:
    """Where the server is."""
    return Endpoint(base_url=f"http://127.0.0.1:{server.server_address[1]}/v1", model="any")


def test_a_summary_is_asked_for_once(store: Store, server: Server) -> None:
    """What was answered is kept in the store, for every process that asks again."""
    first = open_summaries(endpoint(server), store)([STORY])
    again = open_summaries(endpoint(server), store)([STORY])

    assert first == again == {STORY.key: SUMMARY}
    assert server.asked == 1


def test_a_server_that_fails_costs_summaries_only(
    store: Store, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """The failure is logged, nothing is kept, and the question is asked another time."""
    server.status = 500
    assert open_summaries(endpoint(server), store)([STORY]) == {}
    assert "no summary from http://127.0.0.1" in caplog.text
    server.status = 200
    assert open_summaries(endpoint(server), store)([STORY]) == {STORY.key: SUMMARY}


def test_without_a_server_there_are_none() -> None:
    """Then the abstract's own sentences are shown."""
    assert nobody([STORY]) == {}
