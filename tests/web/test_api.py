"""The API: who may ask, what is read, what is done twice and what is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import consent, operators, suggestions
from newsletter.links import Claim
from newsletter.store.owner import this_process
from newsletter.store.subscribers import Applicant
from newsletter.web.api.operations import ROOT
from newsletter.web.api.table import OPERATIONS
from newsletter.web.rates import Rates
from tests.builders import a_story
from tests.web.issues import an_entry_about, collect, publish
from tests.web.websites import Answer, Website, open_website
from tests.workspaces import asking

JSON = "application/json"
ADA = {"email": "ada@example.com", "newsletter": "daily-papers"}
AGREED = {**ADA, "confirmed": True, "reason": "on paper, at the fair"}


@dataclass(frozen=True)
class Program:
    """What acts for an operator."""

    website: Website
    token: str

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; a body is sent as JSON, bytes as they are."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        own = {"Authorization": f"Bearer {self.token}", **({"Content-Type": JSON} if raw is not None else {})}
        return self.website.ask(method, ROOT + path, body=raw, headers={**own, **spelled})

    def get(self, path: str) -> Any:
        """What is there, which must be there."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.text
        return json.loads(answer.body)

    def add(self, *emails: str, confirmed: bool = True) -> list[int]:
        """Readers, as the store has them; their numbers."""
        store, now = self.website.app.store, self.website.now
        people = [Applicant(email=email) for email in emails]
        store.subscribers.add(people, newsletter="daily-papers", confirmed=confirmed, how="test", now=now)
        return [store.subscribers.get(email) for email in emails]


@pytest.fixture
def program(website: Website) -> Program:
    """A program with a token."""
    operators.add(website.app.store, "anna", "correct horse battery staple", now=website.now)
    return Program(website, operators.new_token(website.app.store, "anna", "tests", now=website.now))


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One whose site is the same for many tests, since they change nothing in it."""
    with open_website(tmp_path_factory.mktemp("still")) as website:
        website.site.rates = Rates(per_second=1e6, at_once=1e6)
        operators.add(website.app.store, "anna", "correct horse battery staple", now=website.now)
        yield Program(website, operators.new_token(website.app.store, "anna", "tests", now=website.now))


def problem(answer: Answer, status: int) -> dict[str, Any]:
    """What an answer says went wrong."""
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = json.loads(answer.body)
    assert told["status"] == status
    return told


# --- who may ask


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if not one.is_open], ids=lambda one: one.name)
def test_nothing_is_told_or_done_without_a_token(still: Program, operation: Any) -> None:
    """Whatever is asked, it is refused alike."""
    answer = still.website.ask(operation.method, ROOT + operation.path.replace("{", "").replace("}", ""))

    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="newsletter"'


@pytest.mark.parametrize("shown", ["Bearer wrong", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer \xe9", "x" * 5000])
def test_a_wrong_token_is_said_to_be_wrong(still: Program, shown: str) -> None:
    """In the words of RFC 6750."""
    answer = still.website.ask("GET", f"{ROOT}/issues", headers={"Authorization": shown})

    problem(answer, 401)
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_neither_a_session_nor_a_revoked_token_opens_it(website: Website, program: Program) -> None:
    """A cookie's secret is no token, so no page of another site can act here; and a token ends when it is revoked."""
    session = operators.log_in(
        website.app.store, "anna", "correct horse battery staple", network="127.0.0.0/24", now=website.now
    )
    assert session

    problem(Program(website, session).ask("GET", "/issues"), 401)
    problem(website.ask("GET", f"{ROOT}/issues", headers={"Cookie": f"session={session}"}), 401)
    (anna,) = website.app.store.operators.list()
    website.app.store.operators.revoke(anna.id, label="tests")
    problem(program.ask("GET", "/issues"), 401)


def test_answers_are_nobody_elses(program: Program) -> None:
    """They are kept by no cache, and framed and guessed by no browser."""
    program.add("ada@example.com")

    answer = program.ask("GET", "/subscribers/1")

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Access-Control-Allow-Origin"] is None


def test_an_operator_asks_so_often_and_not_more(program: Program) -> None:
    """And is told when to come back."""
    program.website.site.rates = Rates(per_second=0.5, at_once=2, clock=lambda: 0.0)

    answers = [program.ask("GET", "/newsletters") for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "3"


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 3)), max_size=60))
def test_rates_are_kept_by_each_operator(asked: list[tuple[int, float]]) -> None:
    """Within any time nobody gets more than that time allows and what was saved up."""
    now = 0.0
    rates = Rates(per_second=2, at_once=3, clock=lambda: now)
    allowed: dict[int, int] = {}
    for operator, passed in asked:
        now += passed
        if rates.wait(operator) == 0:
            allowed[operator] = allowed.get(operator, 0) + 1

    assert all(count <= 3 + 2 * now + 1e-6 for count in allowed.values())


# --- what is read

BAD = {
    "no JSON": (b"{", 400),
    "not UTF-8": (b'{"email": "\xff"}', 400),
    "a mark of byte order": (b"\xef\xbb\xbf{}", 400),
    "a list": (b"[]", 422),
    "a number": (b"1", 422),
    "nothing": (b"null", 422),
    "too deep": (b'{"email": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "deep and open": (b"[" * 500_000, 400),
    "no number": (b'{"email": NaN}', 400),
    "endless": (b'{"email": -Infinity}', 400),
    "too large a number": (b'{"email": 1e400}', 400),
    "too long a number": (b'{"email": ' + b"9" * 10_000 + b"}", 400),
    "a name twice": (b'{"email": "a@example.com", "email": "b@example.com"}', 400),
    "a half of a character": (b'{"email": "\\ud800@example.com", "newsletter": "daily-papers"}', 422),
    "a name that is half a character": (b'{"\\ud800": 1}', 422),
    "a zero": (b'{"email": "a@example.com", "newsletter": "daily-papers", "name": "a\\u0000b"}', 422),
    "an object for a text": (b'{"email": {}, "newsletter": "daily-papers"}', 422),
    "a list for a text": (b'{"email": ["a@example.com"], "newsletter": "daily-papers"}', 422),
    "null for a text": (b'{"email": null, "newsletter": "daily-papers"}', 422),
    "a text for a truth": (b'{"email": "a@example.com", "newsletter": "daily-papers", "confirmed": "true"}', 422),
    "a line in an address": (b'{"email": "a@example.com\\nBcc: b@example.com", "newsletter": "daily-papers"}', 422),
    "a long name": (json.dumps({**ADA, "name": "x" * 201}).encode(), 422),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_such_request_is_refused(still: Program, name: str) -> None:
    """By the door, with words, and nothing is kept of it."""
    body, status = BAD[name]

    assert problem(still.ask("POST", "/subscribers", body), status)["detail"]
    assert still.website.app.store.subscribers.list() == []


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
def test_only_json_is_read(still: Program, kind: str) -> None:
    """What a form of another site could send is nothing to us."""
    problem(still.ask("POST", "/subscribers", ADA, Content_Type=kind), 415)


def test_a_body_has_a_size(still: Program) -> None:
    """It is refused before it is read."""
    problem(still.ask("POST", "/subscribers", b"", Content_Length="2000000"), 413)


def test_every_mistake_is_told(still: Program) -> None:
    """By its place, from the outside in; also what is not known."""
    body = {"newsletter": 5, "to": ["a@example.com", "b", "c"], "dote": "x", "date": "2026-02-30"}

    told = problem(still.ask("POST", "/sends", body), 422)

    assert [error["where"] for error in told["errors"]] == [
        "body.dote",
        "body.newsletter",
        "body.to[1]",
        "body.to[2]",
        "body.date",
    ]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=1e3", "after=-1", "after=9223372036854775808", "x=1", "limit=1&limit=2"]
)
def test_parameters_are_read_as_strictly(still: Program, query: str) -> None:
    """Unknown, repeated and impossible ones are mistakes."""
    assert problem(still.ask("GET", f"/issues?{query}"), 422)["errors"]


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.0", "9223372036854775808", "%D9%A1", "%00", "9" * 400])
def test_what_has_no_number_is_not_there(still: Program, number: str) -> None:
    """However it is spelled."""
    for kind in ("subscribers", "issues", "sends"):
        problem(still.ask("GET", f"/{kind}/{number}"), 404)


def test_what_is_not_there_is_said_to_programs(still: Program) -> None:
    """Not by a page; and what a path can be asked is told."""
    problem(still.ask("GET", "/nothing"), 404)
    answer = still.ask("DELETE", "/subscribers")
    problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


# --- subscribers


def test_readers_are_listed_page_by_page(program: Program) -> None:
    """Each once; the last page names no other."""
    numbers = program.add(*(f"reader{number}@example.com" for number in range(5)))
    program.website.app.store.subscribers.leave(numbers[3], newsletter="daily-papers", now=program.website.now)
    seen, path = [], f"{ROOT}/subscribers?newsletter=daily-papers&limit=2&state=confirmed"
    while path:
        page = program.get(path.removeprefix(program.website.url).removeprefix(ROOT))
        assert len(page["items"]) == 2
        seen += [who["id"] for who in page["items"]]
        path = page["next"]

    assert seen == [number for number in numbers if number != numbers[3]]


def test_somebody_is_subscribed_once(program: Program) -> None:
    """Who agreed is confirmed, with the evidence; who is known is told to be."""
    first = program.ask("POST", "/subscribers", AGREED)
    second = program.ask("POST", "/subscribers", {**AGREED, "email": "ADA@example.com"})

    assert (first.status, second.status) == (201, 200)
    assert json.loads(second.body)["outcome"] == "known"
    assert program.get(first.headers["Location"].partition(ROOT)[2]) == json.loads(first.body)["subscriber"]
    (event,) = program.website.app.store.events.list(subscriber=1)
    assert (event.kind, event.detail) == ("confirmed", "on paper, at the fair; by anna (API)")


def test_confirmation_needs_a_reason(program: Program) -> None:
    """Nobody is confirmed because somebody says so without saying how."""
    problem(program.ask("POST", "/subscribers", {**ADA, "confirmed": True}), 422)
    program.add("ada@example.com", confirmed=False)
    problem(program.ask("PATCH", "/subscribers/1", {"newsletter": "daily-papers", "state": "confirmed"}), 422)

    assert program.get("/subscribers/1")["subscriptions"][0]["state"] == "pending"


def test_who_is_not_confirmed_is_asked_by_the_desk(program: Program) -> None:
    """As after the form: an application waits for it."""
    assert program.ask("POST", "/subscribers", ADA).status == 201

    assert program.website.app.store.applications.count(since=program.website.now - timedelta(hours=1)) == 1
    assert program.get("/subscribers/1")["subscriptions"][0]["state"] == "pending"


def test_who_left_stays_away(program: Program) -> None:
    """No program brings them back."""
    (number,) = program.add("ada@example.com")
    left = {"newsletter": "daily-papers", "state": "left", "reason": "by telephone"}
    assert program.ask("PATCH", f"/subscribers/{number}", left).status == 200

    problem(program.ask("POST", "/subscribers", AGREED), 409)
    back = {"newsletter": "daily-papers", "state": "confirmed", "reason": "by telephone"}
    problem(program.ask("PATCH", f"/subscribers/{number}", back), 409)
    assert program.get(f"/subscribers/{number}")["subscriptions"][0]["state"] == "left"


def test_who_wants_never_to_be_written_to_is_not_subscribed(program: Program) -> None:
    """Nothing else is known of them any more."""
    (number,) = program.add("ada@example.com")
    app = program.website.app
    claim = Claim(subscriber=number, newsletter="daily-papers", made=program.website.now)
    consent.never_again(app.store, app.links, claim, fingerprint="", now=program.website.now)

    problem(program.ask("POST", "/subscribers", AGREED), 409)


def test_who_was_forgotten_is_brought_back_by_no_program(program: Program) -> None:
    """Neither as a reader nor for a copy; of others the program hears nothing."""
    program.add("ada@example.com", "bob@example.com")
    program.ask("DELETE", "/subscribers/1")

    problem(program.ask("POST", "/subscribers", AGREED), 409)
    copy = {"newsletter": "daily-papers", "to": ["bob@example.com", "ada@example.com"]}
    told = problem(program.ask("POST", "/sends", copy), 409)
    assert "ada@example.com" in str(told)
    assert "bob@example.com" not in str(told)
    assert [who.email for who in program.website.app.store.subscribers.list()] == ["bob@example.com"]


def test_what_is_left_out_stays(program: Program) -> None:
    """Each change is of what it names only."""
    (number,) = program.add("ada@example.com")
    path = f"/subscribers/{number}"
    program.ask("PATCH", path, {"name": "Ada", "timezone": "Europe/London"})
    program.ask("PATCH", path, {"newsletter": "daily-papers", "cadence": "weekly"})

    who = program.get(path)
    assert (who["name"], who["timezone"], who["subscriptions"][0]["cadence"]) == ("Ada", "Europe/London", "weekly")
    problem(program.ask("PATCH", path, {"cadence": "daily"}), 422)
    problem(program.ask("PATCH", path, {"newsletter": "nothing", "cadence": "daily"}), 404)


def test_who_is_forgotten_is_gone(program: Program) -> None:
    """And asking again says so."""
    (number,) = program.add("ada@example.com")

    assert program.ask("DELETE", f"/subscribers/{number}").status == 204
    problem(program.ask("DELETE", f"/subscribers/{number}"), 404)
    assert program.website.app.store.subscribers.list() == []


# --- suggestions


def test_a_program_reads_the_queue_and_decides(tmp_path: Path) -> None:
    """In pages, by state; what was decided is not decided again, and what has no name is not taken."""
    with open_website(tmp_path, readers=1, plan=asking()) as website:
        operators.add(website.app.store, "anna", "correct horse battery staple", now=website.now)
        program = Program(website, operators.new_token(website.app.store, "anna", "tests", now=website.now))
        reader = website.app.store.subscribers.get("reader000@example.org")
        for number, title in enumerate(("Maps", "", "Ads"), start=1):
            link = suggestions.read_link(f"https://example.org/{number}")
            assert link is not None
            newsletter, now = website.app.newsletter("daily-papers"), website.now
            suggestions.suggest(website.app, newsletter, link, subscriber=reader, title=title, note="so", now=now)

        first = program.get("/suggestions?state=waiting&limit=2")
        rest = program.get(first["next"].partition(ROOT)[2])
        titles = [(one["title"], one["notes"], one["readers"]) for one in (*first["items"], *rest["items"])]
        assert titles == [("Maps", ["so"], 1), ("", ["so"], 1), ("Ads", ["so"], 1)]

        approved = program.ask("POST", "/suggestions/1/approve", {"title": "Maps for walkers"})
        declined = program.ask("POST", "/suggestions/3/decline")
        assert json.loads(approved.body)["state"] == "approved"
        assert json.loads(declined.body)["decided_by"] == "anna (API)"
        assert "title" in problem(program.ask("POST", "/suggestions/2/approve", {}), 409)["detail"]
        problem(program.ask("POST", "/suggestions/1/decline"), 409)
        problem(program.ask("POST", "/suggestions/99/decline"), 404)
        assert [one["id"] for one in program.get("/suggestions?state=waiting")["items"]] == [2]
        assert website.app.store.entries.titles("suggested") == ["Maps for walkers"]


# --- keys


def test_what_was_done_under_a_key_is_not_done_again(program: Program) -> None:
    """The first answer is given again, also when things have changed since."""
    first = program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1")
    program.ask("PATCH", "/subscribers/1", {"name": "Ada"})
    again = program.ask("POST", "/subscribers", AGREED, Idempotency_Key='"row-1"')

    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Location"] == first.headers["Location"]


def test_a_key_is_for_one_request(program: Program) -> None:
    """Another body or path under it is a mistake of the program's, and nothing is done."""
    program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1")

    problem(program.ask("POST", "/subscribers", {**AGREED, "name": "Ada"}, Idempotency_Key="row-1"), 422)
    problem(program.ask("POST", "/issues/1/pause", AGREED, Idempotency_Key="row-1"), 422)
    problem(program.ask("POST", "/subscribers", AGREED, Idempotency_Key="\xe9"), 400)


def test_a_key_is_kept_for_a_day_and_its_operator(website: Website, program: Program) -> None:
    """Others may use the same, and so may its own, later."""
    program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1")
    operators.add(website.app.store, "bert", "correct horse battery staple", now=website.now)
    other = Program(website, operators.new_token(website.app.store, "bert", "tests", now=website.now))

    assert other.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1").status == 200
    website.pass_time(timedelta(hours=24, seconds=1))
    assert program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1").status == 200


def test_a_refused_request_leaves_its_key_free(program: Program) -> None:
    """Nothing was done under it."""
    wrong = {**AGREED, "newsletter": "nothing"}

    problem(program.ask("POST", "/subscribers", wrong, Idempotency_Key="row-1"), 404)
    assert program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1").status == 201


def test_while_it_is_done_the_second_waits_outside(program: Program) -> None:
    """Until the first is done, or its process must be taken for dead."""
    website = program.website
    begun = program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1")
    assert begun.status == 201
    requests = website.app.store.requests
    requests.finish("row-1", operator=1, status=0, location="", body="")

    problem(program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1"), 409)
    website.pass_time(timedelta(minutes=2))
    assert program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1").status == 200


def test_of_many_at_once_one_is_done(program: Program) -> None:
    """The others are told to wait, or what the first was."""
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1").status)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert len(program.website.app.store.events.list(subscriber=1)) == 1


def test_who_is_forgotten_is_erased_from_kept_answers(program: Program) -> None:
    """And is not subscribed again because a program asks again."""
    program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1")
    program.ask("DELETE", "/subscribers/1")

    problem(program.ask("POST", "/subscribers", AGREED, Idempotency_Key="row-1"), 410)
    assert program.website.app.store.subscribers.list() == []


# --- issues


@pytest.fixture
def issue(program: Program) -> int:
    """An issue that waits for two readers."""
    program.add("ada@example.com", "bob@example.com")
    publish(program.website, a_story(1), day=date(2026, 11, 20))
    return 1


def test_issues_are_listed_the_latest_first(program: Program, issue: int) -> None:
    """Page by page."""
    publish(program.website, a_story(2), day=date(2026, 11, 21))

    first = program.get("/issues?limit=1")
    second = program.get(first["next"].partition(ROOT)[2])

    assert [one["id"] for one in first["items"] + second["items"]] == [2, 1]
    assert second["next"] is None
    assert program.get("/issues?newsletter=nothing")["items"] == []


def test_an_issue_shows_its_stories_and_deliveries(program: Program, issue: int) -> None:
    """As many in each state as there are."""
    shown = program.get("/issues/1")

    assert [story["key"] for section in shown["sections"] for story in section["stories"]] == [a_story(1).key]
    assert shown["deliveries"] == {"queued": 2}
    ledger = program.get("/issues/1/deliveries?state=queued&limit=1")
    assert [line["email"] for line in ledger["items"]] == ["ada@example.com"]
    assert program.get(ledger["next"].partition(ROOT)[2])["items"][0]["email"] == "bob@example.com"
    assert program.get("/issues/1/deliveries?state=sent")["items"] == []


def test_the_word_of_an_operator(program: Program, issue: int) -> None:
    """Paused, resumed, cancelled for good: by whom and why is kept."""

    def say(word: str, body: object = None) -> Answer:
        return program.ask("POST", f"/issues/1/{word}", body)

    assert json.loads(say("pause", {"why": "a typo"}).body)["issue"]["state"] == "paused"
    assert json.loads(say("pause").body)["changed"] == 0
    assert json.loads(say("resume").body)["issue"]["state"] == "published"
    assert json.loads(say("cancel", {}).body)["changed"] == 2
    for word in ("pause", "resume", "retry"):
        assert "for good" in problem(say(word), 409)["detail"]
    first = program.website.app.store.events.list(issue=1)[0]
    assert (first.kind, first.detail) == ("paused", "by anna (API): a typo")


def test_deliveries_are_queued_again(program: Program, issue: int) -> None:
    """Those that are named; what was sent is never among them."""
    problem(program.ask("POST", "/issues/1/retry", {"states": ["sent"]}), 422)
    problem(program.ask("POST", "/issues/7/retry"), 404)

    assert json.loads(program.ask("POST", "/issues/1/retry", {"states": ["excluded"]}).body)["changed"] == 0


# --- sends


def test_a_send_goes_to_whom_it_names(program: Program) -> None:
    """Once, however often it is ordered; who left gets none."""
    (gone,) = program.add("gone@example.com")
    program.website.app.store.subscribers.leave(gone, newsletter="daily-papers", now=program.website.now)
    wanted = {"newsletter": "daily-papers", "to": ["ada@example.com", "gone@example.com", "ada@example.com"]}

    answers = [program.ask("POST", "/sends", wanted) for _ in range(2)]
    program.website.site.orders.finish()

    assert [answer.status for answer in answers] == [202, 202]
    shown = [program.get(answer.headers["Location"].partition(ROOT)[2]) for answer in answers]
    assert [(one["state"], one["recipients"]) for one in shown] == [("done", 2), ("done", 2)]
    assert shown[1]["deliveries"] == {"sent": 1, "excluded": 1}
    assert [mail["To"] for mail in program.website.mailbox.messages()] == ["ada@example.com"]


def test_a_send_that_cannot_be_is_refused(still: Program) -> None:
    """Before anything is remembered of anybody."""
    problem(still.ask("POST", "/sends", {"newsletter": "nothing", "to": ["ada@example.com"]}), 404)
    problem(still.ask("POST", "/sends", {"newsletter": "daily-papers", "to": []}), 422)
    problem(still.ask("GET", "/sends/1"), 404)

    assert still.website.app.store.subscribers.list() == []


def test_a_send_that_fails_says_why(program: Program) -> None:
    """Also when its process has ended meanwhile."""
    store = program.website.app.store
    number = store.sends.add(
        who="anna", newsletter="daily-papers", slot="x", recipients=1, owner="", now=program.website.now
    )
    store.sends.end(number, state="failed", reason="no mail server", now=program.website.now)
    earlier = this_process().rpartition("/")[0] + "/1"  # of the same number, and started at another time
    orphan = store.sends.add(
        who="anna", newsletter="daily-papers", slot="x", recipients=1, owner=earlier, now=program.website.now
    )

    assert program.get(f"/sends/{number}")["reason"] == "no mail server"
    assert program.get(f"/sends/{orphan}")["state"] == "interrupted"


# --- what may be read


def test_stories_are_found(program: Program) -> None:
    """By what they are about, within what is asked; and by their key, with the issues that told them."""
    collect(program.website, an_entry_about(1, "birds"), an_entry_about(2, "bread"))
    publish(program.website, a_story(1), day=date(2026, 11, 20))

    (best, *_) = program.get("/search?q=birds&newsletter=daily-papers")["items"]

    assert best["story"]["title"] == "Birds, part 1"
    assert program.get(f"/stories/{best['story']['key']}")["story"] == best["story"]
    assert program.get(f"/stories/{a_story(1).key}")["issues"] == [1]
    assert program.get("/search?q=birds&since=2030-01-01")["items"] == []
    problem(program.ask("GET", "/search?source=nothing&newsletter=daily-papers"), 404)
    problem(program.ask("GET", "/search?like=arxiv:9999.00001"), 404)


@pytest.mark.parametrize("key", ["%00", "~7aCA", "~", "%ED%A0%80", "..%2f..%2f.env", "~//8"])
def test_what_names_no_story_is_not_there(still: Program, key: str) -> None:
    """However it is spelled."""
    problem(still.ask("GET", f"/stories/{key}"), 404)


def test_health_is_told_to_anybody(website: Website) -> None:
    """And nothing else; a database that is not as it should be is no health."""
    assert json.loads(website.get(f"{ROOT}/health").body)["status"] == "ok"
    with website.app.store.db.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    assert "earlier release" in problem(website.get(f"{ROOT}/health"), 503)["detail"]
