"""The operator's pages: who gets in, what is shown, and that nobody else's form does anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter import operators
from newsletter.app import App
from newsletter.model import State
from newsletter.operators import GUESSES, GUESSES_OF_ALL, SESSION_LASTS, WAIT
from newsletter.store.issues import Audience
from newsletter.store.schema import deliveries
from tests.builders import DAY, MINUTE
from tests.web.websites import Answer, Website, open_website
from tests.workspaces import PLAN

pytestmark = pytest.mark.long

PASSWORD = "a long enough one"
ASKS = PLAN.replace("    topics: [models]\n", "    topics: [models]\n    approval: required\n")
NEXT = "/operator/daily-papers/next"
PAGES = ("/operator", "/operator/issues/1", NEXT)
EVERY_POST = ("/operator/login", "/operator/logout", NEXT)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Website]:
    """A site with two readers, an operator, and issues that have to be approved."""
    with open_website(tmp_path, readers=2, plan=ASKS) as website:
        operators.add(website.app.store, "ann", PASSWORD, now=website.now)
        website.app.collect("daily-papers", now=website.now)
        website.app.archive.catch_up()
        website.pass_time(MINUTE)
        yield website


def log_in(site: Website, password: str = PASSWORD, *, name: str = "ann", **headers: str) -> Answer:
    """The form, filled in."""
    return site.post("/operator/login", {"name": name, "password": password}, Origin=site.url, **headers)


def cookie(answer: Answer) -> str:
    """What a browser would send back."""
    return answer.headers["Set-Cookie"].partition(";")[0]


def say(site: Website, do: str, **fields: str) -> Answer:
    """A button of the page of the next issue, pressed by Ann."""
    session = cookie(log_in(site))
    return site.post(NEXT, {"do": do, **fields}, Origin=site.url, Cookie=session)


def look(site: Website, path: str = NEXT) -> str:
    """A page as Ann sees it."""
    answer = site.get(path, Cookie=cookie(log_in(site)))
    assert answer.status == 200
    return answer.text


def run_slot(app: App, site: Website) -> None:
    """A tick of the daemon, as far as slots go."""
    for slot, audience in app.due(now=site.now):
        app.run(slot, audience=audience, clock=lambda: site.now)


# --- getting in -----------------------------------------------------------------------------------------------------


def test_an_operator_gets_in_and_out(site: Website) -> None:
    """What is left of a session after that is good for nothing."""
    entered = log_in(site)
    assert entered.status == 303
    assert entered.headers["Location"] == "/operator"
    session = cookie(entered)
    assert "ann" in site.get("/operator", Cookie=session).text

    left = site.post("/operator/logout", Origin=site.url, Cookie=session)

    assert left.status == 303
    assert site.get("/operator", Cookie=session).status == 303


def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Website) -> None:
    """By the browser, which is told so."""
    told = log_in(site).headers["Set-Cookie"].lower()

    assert all(part in told for part in ("operator=", "httponly", "samesite=lax", "path=/"))
    assert "secure" not in told


def test_where_there_is_https_the_cookie_is_kept_to_it(tmp_path: Path) -> None:
    """And to one host."""
    with open_website(tmp_path, BASE_URL="https://papers.example.org") as website:
        operators.add(website.app.store, "ann", PASSWORD, now=website.now)
        form = {"name": "ann", "password": PASSWORD}
        told = website.post("/operator/login", form, Origin="https://papers.example.org").headers["Set-Cookie"]

    assert told.startswith("__Host-operator=")
    assert all(part in told.lower() for part in ("secure", "httponly", "samesite=lax", "path=/"))
    assert "domain" not in told.lower()


def test_nobody_else_sees_anything(site: Website) -> None:
    """By no method and with no cookie; what is there is not told from what is not."""
    for path in PAGES:
        for method in ("GET", "HEAD"):
            for headers in ({}, {"Cookie": "operator=guess"}, {"Cookie": 'operator="; DROP'}):
                answer = site.ask(method, path, headers=headers)
                assert answer.status == 303
                assert answer.headers["Location"] == "/operator/login"
        for spelled in (f"{path}/", f"/%6fperator/../operator{path}", path.replace("operator", "operator%2f")):
            assert "Maps for walkers" not in site.get(spelled).text
        overridden = site.post(path, {"_method": "GET"}, X_HTTP_Method_Override="GET", Origin=site.url)
        assert overridden.status in {403, 405}
    assert site.get("/operator/unheard-of/next").status == 303


def test_wrong_names_and_wrong_passwords_get_the_same_answer(site: Website) -> None:
    """Byte for byte."""
    unknown, known = log_in(site, "wrong", name="nobody"), log_in(site, "wrong")

    assert (unknown.status, unknown.body) == (known.status, known.body)
    assert unknown.status == 401
    assert unknown.headers["Set-Cookie"] is None


def test_guessing_is_limited_for_a_name(site: Website) -> None:
    """Not even the right password is looked at then; after a while it is. Her neighbours do not lock her out."""
    for _ in range(GUESSES):
        log_in(site, "wrong", X_Forwarded_For="198.51.100.7")

    limited = log_in(site, X_Forwarded_For="198.51.100.8")
    assert limited.status == 429
    assert limited.headers["Retry-After"] == str(int(WAIT.total_seconds()))
    assert limited.headers["Set-Cookie"] is None
    assert log_in(site, X_Forwarded_For="203.0.113.9").status == 303
    site.pass_time(WAIT + MINUTE)
    assert log_in(site, X_Forwarded_For="198.51.100.7").status == 303


def test_guessing_is_limited_for_a_network(site: Website) -> None:
    """Whatever the names; another network gets in."""
    for number in range(GUESSES_OF_ALL):
        site.app.store.operators.fail(f"name{number}", network="198.51.100.0/24", now=site.now)

    assert log_in(site, X_Forwarded_For="198.51.100.77").status == 429
    assert log_in(site, X_Forwarded_For="203.0.113.9").status == 303


def test_who_is_no_trusted_proxy_names_no_network(tmp_path: Path) -> None:
    """Their guesses are their own, whatever they forward."""
    with open_website(tmp_path, TRUSTED_PROXIES="192.0.2.0/24") as website:
        operators.add(website.app.store, "ann", PASSWORD, now=website.now)
        for number in range(GUESSES):
            log_in(website, "wrong", X_Forwarded_For=f"198.51.{number}.7")

        assert log_in(website, X_Forwarded_For="203.0.113.9").status == 429


def test_each_log_in_is_a_new_session(site: Website) -> None:
    """A session that somebody put into a browser beforehand is over with it."""
    first = cookie(log_in(site))
    second = cookie(log_in(site, Cookie=first))

    assert first != second
    assert site.get("/operator", Cookie=first).status == 303
    assert site.get("/operator", Cookie=second).status == 200


def test_a_session_ends(site: Website) -> None:
    """With a new password, and after a while."""
    session = cookie(log_in(site))
    operators.change_password(site.app.store, "ann", "another long one")
    assert site.get("/operator", Cookie=session).status == 303

    session = cookie(log_in(site, "another long one"))
    site.pass_time(SESSION_LASTS)
    assert site.get("/operator", Cookie=session).status == 303


def test_a_form_of_another_site_does_nothing(site: Website) -> None:
    """Although it comes with the cookie of an operator."""
    session = cookie(log_in(site))
    form = {"do": "hide", "story": "Maps for walkers", "name": "ann", "password": PASSWORD}
    foreign: list[dict[str, str]] = [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ]

    for path in EVERY_POST:
        for headers in foreign:
            assert site.post(path, form, Cookie=session, **headers).status == 403
    assert site.app.store.edits.list("daily-papers") == []
    assert site.get("/operator", Cookie=session).status == 200


def test_a_form_of_nobody_does_nothing(site: Website) -> None:
    """Although it comes from our own pages."""
    assert site.post(NEXT, {"do": "hide", "story": "Maps for walkers"}, Origin=site.url).status == 403
    assert site.app.store.edits.list("daily-papers") == []


def test_pages_are_kept_by_nobody(site: Website) -> None:
    """Neither caches nor search engines."""
    run_slot(site.app, site)
    site.app.store.issues.skip(site.app.store.drafts.list()[0].slot, reason="so", now=site.now)
    session = cookie(log_in(site))

    for path in (*PAGES, "/operator/login"):
        answer = site.get(path, Cookie=session)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Referrer-Policy"] == "same-origin"  # else browsers send our own forms as nobody's


# --- what is shown --------------------------------------------------------------------------------------------------


def test_the_overview_counts_exactly(site: Website) -> None:
    """Readers by state, and what became of each delivery."""
    store = site.app.store
    store.subscribers.leave(store.subscribers.get("reader000@example.org"), newsletter="daily-papers", now=site.now)
    run_slot(site.app, site)
    assert "waits for approval" in look(site, "/operator")
    say(site, "approve", **draft_fields(site))
    run_slot(site.app, site)

    page = look(site, "/operator")

    assert re.search(r"<dt>confirmed</dt><dd>1</dd>", page)
    assert re.search(r"<dt>left</dt><dd>1</dd>", page)
    assert "1 sent" in page
    assert "waits for approval" not in page


def test_what_servers_say_is_text(site: Website) -> None:
    """A reply with markup in it is shown as it came, counted, and does nothing."""
    composed = site.app.compose(site.app.due(now=site.now)[0][0], now=site.now)
    assert composed.issue is not None
    published = site.app.publish(composed.issue, audience=Audience(at=site.now), now=site.now)
    evil = '550 5.1.1 <script>alert(1)</script> "><img src=x onerror=alert(1)>'
    with site.app.store.db.writing() as connection:
        connection.execute(deliveries.update().values(state=State.REJECTED, code=550, reply=evil))
        assert connection.execute(sa.select(sa.func.count()).select_from(deliveries)).scalar() == 2

    page = look(site, f"/operator/issues/{published.issue}")

    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert re.search(r"<tr><td>2</td><td>rejected</td>", page)


def test_there_is_no_issue_of_that_number(site: Website) -> None:
    """However large it is."""
    session = cookie(log_in(site))

    for number in (77, 2**63, 10**40):
        assert site.get(f"/operator/issues/{number}", Cookie=session).status == 404
    assert site.get("/operator/unheard-of/next", Cookie=session).status == 404


# --- the next issue -------------------------------------------------------------------------------------------------


def draft_fields(site: Website) -> dict[str, str]:
    """What the form of the draft that is shown carries."""
    page = look(site)
    return {name: re.findall(f'name="{name}" value="([^"]*)"', page)[0] for name in ("slot", "revision")}


def test_looking_changes_nothing(site: Website) -> None:
    """However often: no draft, no edit, nothing told."""
    first, second = look(site), look(site)

    assert "Maps for walkers" in first
    assert first == second
    assert site.app.store.drafts.list() == []
    assert site.app.store.issues.list() == []


def test_an_editor_says_something_and_sees_it(site: Website) -> None:
    """Who said it is kept with it; taken back it is gone."""
    assert say(site, "intro", text="Good <b>morning</b>.").status == 303
    assert say(site, "blurb", story="Maps for walkers", text="Go there.").status == 303
    assert say(site, "hide", story="An LLM that sorts its own drawers").status == 303

    page = look(site)
    assert "Good &lt;b&gt;morning&lt;/b&gt;." in page
    assert "Go there." in page
    assert "1 hidden by the editor" in page
    edits = site.app.store.edits.list("daily-papers")
    assert [edit.who for edit in edits] == ["ann"] * 3

    say(site, "undo", edit=str(edits[-1].id))
    assert "hidden by the editor" not in look(site)


def test_approving_by_the_button(site: Website) -> None:
    """Of what was seen: an edit in between asks to look again."""
    run_slot(site.app, site)
    seen = draft_fields(site)
    say(site, "hide", story="Maps for walkers")

    again = say(site, "approve", **seen)
    assert again.status == 400
    assert "look at it again" in again.text
    assert not site.mailbox.messages()

    assert say(site, "approve", **draft_fields(site)).status == 303
    run_slot(site.app, site)
    assert len(site.mailbox.messages()) == 2


def test_declining_by_the_button(site: Website) -> None:
    """Nothing goes, and the next issue is tomorrow's."""
    run_slot(site.app, site)

    assert say(site, "decline", **draft_fields(site)).status == 303
    run_slot(site.app, site)

    assert not site.mailbox.messages()
    assert (site.now + DAY).date().isoformat() in look(site)


def test_what_makes_no_sense_is_said(site: Website) -> None:
    """And does nothing."""
    session = cookie(log_in(site))
    senseless = [
        {"do": "pin", "story": "nothing like it"},
        {"do": "pin", "story": "Maps for walkers", "until": "2026-02-30"},
        {"do": "pin", "story": "Maps for walkers", "until": "1999-01-01"},
        {"do": "blurb", "story": "Maps for walkers", "text": " "},
        {"do": "blurb", "story": "Maps for walkers", "text": "x" * 700},
        {"do": "intro", "text": "x" * 5000},
        {"do": "intro", "text": "x", "day": "../etc"},
        {"do": "undo", "edit": "1; DROP TABLE edits"},
        {"do": "undo", "edit": "77"},
        {"do": "approve", "slot": "always/2026-11-20", "revision": "0"},
        {"do": "delete-everything"},
        {},
    ]

    for fields in senseless:
        assert site.post(NEXT, fields, Origin=site.url, Cookie=session).status == 400
    assert site.app.store.edits.list("daily-papers") == []


def test_without_a_schedule_there_is_no_next_issue(tmp_path: Path) -> None:
    """The page says so."""
    with open_website(tmp_path, plan=PLAN.partition("schedules:")[0]) as website:
        operators.add(website.app.store, "ann", PASSWORD, now=website.now)

        assert "There is no next issue" in look(website)
