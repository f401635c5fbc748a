"""The network of `prompt`: asks an OpenAI-compatible server, within bounds of time, size and number of questions.

It is the one module of this room that is not pure. A server that is down, slow or talks nonsense costs a summary, never
an issue: who gets no answer here gets the sentences that `summarize` chooses.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.model import Story
from newsletter.topics.prompt import believed, cache_key, question

_LARGEST = 100_000  # bytes of an answer
_PATIENCE = 3  # failures in a row, and the rest of the run does without


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to ask, and for how much. `timeout` is in seconds and for the whole of an answer."""

    base_url: str  # up to and with "/v1"
    model: str
    key: str = ""
    timeout: float = 20.0
    per_run: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What came of a run: summaries by story key, how many questions were sent, why some brought nothing."""

    summaries: Mapping[str, str]
    asked: int = 0
    failures: tuple[str, ...] = ()


def ask(stories: Iterable[Story], endpoint: Endpoint, *, cache: MutableMapping[str, str]) -> Answers:
    """Summaries of stories that have an abstract and no summary of their source, as far as the bounds allow.

    `cache` keeps answers by `prompt.cache_key`; an empty one says that the answer was not believed, and the question is
    not sent again. A question that failed is sent again in the next run.
    """
    summaries: dict[str, str] = {}
    failures: list[str] = []
    asked = in_a_row = 0
    for story in stories:
        if story.tldr or not story.summary:
            continue
        key = cache_key(story.title, story.summary, model=endpoint.model)
        if key not in cache:
            if asked >= endpoint.per_run or in_a_row >= _PATIENCE:
                continue
            asked += 1
            try:
                body = _post(endpoint, question(story.title, story.summary, model=endpoint.model))
            except (OSError, http.client.HTTPException, ValueError) as error:
                failures.append(_reason(error))
                in_a_row += 1
                continue
            in_a_row = 0
            cache[key] = believed(body, title=story.title, abstract=story.summary) or ""
        if cache[key]:
            summaries[story.key] = cache[key]
    return Answers(summaries=summaries, asked=asked, failures=tuple(failures))


def _post(endpoint: Endpoint, payload: Mapping[str, object]) -> bytes:
    """The body of the answer. OSError, HTTPException or ValueError where there is none in time, or of that size."""
    parts = urlsplit(endpoint.base_url.rstrip("/") + "/chat/completions")
    connection = _connection(parts.scheme, parts.hostname or "", parts.port, endpoint.timeout)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    with closing(connection):
        connection.connect()
        # A timeout of the socket begins anew with every byte: this one ends the whole.
        is_over = threading.Event()
        watch = threading.Timer(endpoint.timeout, _cut, [connection.sock, is_over])
        watch.start()
        try:
            connection.request("POST", parts.path, body=json.dumps(payload).encode(), headers=headers)
            with connection.getresponse() as response:
                body = response.read(_LARGEST + 1)
        finally:
            watch.cancel()
    if is_over.is_set():  # what was read until then looks like a whole answer
        raise TimeoutError(f"no answer within {endpoint.timeout:g} s")
    if response.status != http.HTTPStatus.OK:
        raise ValueError(f"HTTP status {response.status}")
    if len(body) > _LARGEST:
        raise ValueError(f"an answer of more than {_LARGEST // 1000} kB")
    return body


def _connection(scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout)
    raise ValueError(f"'{scheme}' is not http or https")


def _cut(connected: socket.socket, is_over: threading.Event) -> None:
    is_over.set()
    with suppress(OSError):  # it may be closed already
        connected.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
