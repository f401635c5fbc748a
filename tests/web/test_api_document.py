"""The API is asked whatever its document allows, and whatever it does not: it never fails, and answers as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from newsletter import operators
from newsletter.suggestions import ALLOWED
from newsletter.web.api.document import document
from newsletter.web.api.operations import ROOT, Operation
from newsletter.web.api.table import OPERATIONS
from newsletter.web.rates import Rates
from tests.builders import a_story, an_entry
from tests.web.issues import an_entry_about, collect, publish
from tests.web.websites import Website, open_website
from tests.workspaces import asking

BOUNDED = settings(
    max_examples=12,  # of what is allowed, and as many of what is not, for each operation
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
SCHEMA = schemathesis.openapi.from_dict(document(OPERATIONS, base_url="http://127.0.0.1"))


@pytest.fixture(scope="module")
def website(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    """One site for all that is asked, with three readers, who may suggest, and a story."""
    folder: Path = tmp_path_factory.mktemp("api")
    with open_website(folder, readers=3, plan=asking()) as opened:
        opened.site.rates = Rates(per_second=1e6, at_once=1e6)
        collect(opened, an_entry_about(1, "birds"))
        yield opened


@pytest.fixture(scope="module")
def token(website: Website) -> str:
    """An operator's."""
    operators.add(website.app.store, "anna", "correct horse battery staple", now=website.now)
    return operators.new_token(website.app.store, "anna", "tests", now=website.now)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_what_the_document_allows_is_answered_as_it_says(website: Website, token: str, operation: Operation) -> None:
    """Of things that are there and things that are not; some of it is done."""
    described = SCHEMA[operation.path][operation.method]
    anything = described.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if "{" in operation.path:
        there = {re.findall(r"{(.*)}", operation.path)[0]: _something(website, operation)}
        anything |= described.as_strategy(generation_mode=GenerationMode.POSITIVE, path_parameters=there)
    statuses = set()

    @BOUNDED
    @given(case=anything)
    def ask(case: Case[Any]) -> None:
        for place in (case.body, case.query):
            if isinstance(place, dict) and place.get("newsletter"):
                place["newsletter"] = "daily-papers"
        statuses.add(_ask(website, token, case))

    ask()

    assert statuses & set(operation.statuses), statuses


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if not one.is_open], ids=lambda operation: operation.name
)
def test_what_the_document_forbids_is_refused(website: Website, token: str, operation: Operation) -> None:
    """With a reason, never with a failure."""
    described = SCHEMA[operation.path][operation.method]

    @BOUNDED
    @given(case=described.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: Case[Any]) -> None:
        _ask(website, token, case)

    ask()


def _something(website: Website, operation: Operation) -> object:
    """What a path may name: something new, since others of these requests erase and cancel what they find."""
    number = OPERATIONS.index(operation) + 1
    match operation.path.split("/")[1]:
        case "subscribers":
            return website.app.store.subscribers.ensure([f"somebody{number}@example.com"], now=website.now)[0]
        case "issues":
            slot = publish(website, a_story(number), day=date(2026, 11, number))
            return getattr(website.app.store.issues.find(slot), "id", None)
        case "sends":
            to = (f"somebody{number}@example.com",)
            orders = website.site.orders
            return orders.place(website.app, "daily-papers", to=to, day=website.now.date(), who="anna").id
        case "suggestions":
            store, url = website.app.store, f"https://example.org/{number}"
            (reader,) = store.subscribers.ensure([f"somebody{number}@example.com"], now=website.now)
            said = {"url": url, "title": "Maps"}
            store.suggestions.add("daily-papers", f"url:{url}", reader, **said, allowed=ALLOWED, now=website.now)
            return store.suggestions.list()[-1].id
        case "stories":
            return an_entry(1).key
        case _:
            return "daily-papers"


def _ask(website: Website, token: str, case: Case[Any]) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    answer = case.call_and_validate(base_url=f"{website.url}{ROOT}", headers=headers, checks=CHECKS)
    return int(answer.status_code)
