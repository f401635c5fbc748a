from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from newsletter.app import open_app
from newsletter.cli import cli
from newsletter.config import load_config
from newsletter.errors import NewsletterError, NotFound
from newsletter.model import Preferences
from newsletter.store import open_store
from newsletter.store.subscribers import Subscriber
from tests.builders import NOON
from tests.workspaces import Workspace, make_workspace

PEOPLE = """Kontakt;Name;Status;Timezone;Tags
ann@example.org;"Ann ""A"" Arbor; Countess";active;Europe/Paris;vip
bob@example.org;Bob;unsubscribed;;
reader000@example.org;;active;;
broken;;active;;
eve@example.org;Eve;blocklisted;;
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a reader."""
    return make_workspace(tmp_path / "workspace", readers=1)


def run(workspace: Workspace, *arguments: str, status: int = 0, given: bytes = b"") -> str:
    """What a `subscribers` command printed, standard error among it."""
    outcome: Result = CliRunner().invoke(
        cli, ["-C", str(workspace.folder), "subscribers", *arguments], env=workspace.settings, input=given
    )
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == status, outcome.output
    return outcome.output


def readers(workspace: Workspace) -> list[Subscriber]:
    """All readers there are."""
    store = open_store(f"sqlite:///{workspace.folder / 'newsletter.db'}")
    try:
        return store.subscribers.list("daily-papers")
    finally:
        store.close()


def choices(workspace: Workspace) -> dict[str, Preferences]:
    """What each reader chose."""
    store = open_store(f"sqlite:///{workspace.folder / 'newsletter.db'}")
    try:
        return {who.email: chosen for who, chosen in store.subscribers.choosing("daily-papers")}
    finally:
        store.close()


def choose(workspace: Workspace, email: str, preferences: Preferences) -> None:
    """Somebody chooses."""
    store = open_store(f"sqlite:///{workspace.folder / 'newsletter.db'}")
    store.subscribers.choose(store.subscribers.get(email), "daily-papers", preferences, how="test", now=NOON)
    store.close()


def kept(who: Subscriber) -> tuple[str, ...]:
    """What an export keeps of a reader."""
    return who.email, who.name, who.timezone, who.cadence, who.state, who.suppressed


def bring(workspace: Workspace, *more: str, status: int = 0, given: bytes = PEOPLE.encode()) -> str:
    """Import the people by the input."""
    options = ("--newsletter", "daily-papers", "--map", "email=Kontakt", "--confirmed")
    return run(workspace, "import", "-", *options, *more, status=status, given=given)


def test_importing(workspace: Workspace, tmp_path: Path) -> None:
    """An import says what it reads, what it made of it and which rows it refused, and ends with status 3."""
    rejects = tmp_path / "rejects.csv"
    told = bring(workspace, "--rejects", str(rejects), status=3)
    again = bring(workspace, status=3)

    assert "email = 'Kontakt', name = 'Name'" in told
    assert "left out: Tags" in told
    assert "-:5: broken is not an e-mail address" in told
    for line in ("1 added", "2 has left, and stays away", "1 known already", "1 refused"):
        assert line in told
    assert "added" not in again
    refused = list(csv.reader(rejects.read_text("utf-8").splitlines()))
    assert [row[:2] for row in refused] == [["line", "value"], ["5", "broken"]]
    assert [(who.email, who.state, who.suppressed) for who in readers(workspace)] == [
        ("reader000@example.org", "confirmed", ""),
        ("ann@example.org", "confirmed", ""),
        ("bob@example.org", "left", ""),
        ("eve@example.org", "left", "where it came from: blocklisted"),
    ]


def test_an_export_goes_in_again(workspace: Workspace, tmp_path: Path) -> None:
    """What is exported and imported elsewhere is the same readers in the same states."""
    bring(workspace, status=3)
    store = open_store(f"sqlite:///{workspace.folder / 'newsletter.db'}")
    store.subscribers.suppress(store.subscribers.get("ann@example.org"), reason="=gone", now=NOON)
    store.close()
    exported = run(workspace, "export", "--newsletter", "daily-papers")
    left = run(workspace, "export", "--newsletter", "daily-papers", "--state", "left")
    other = make_workspace(tmp_path / "other")
    run(other, "import", "-", "--newsletter", "daily-papers", "--confirmed", given=exported.encode())

    assert [kept(who) for who in readers(other)] == sorted(map(kept, readers(workspace)))
    assert "'=gone" in exported
    assert [row[0] for row in csv.reader(left.splitlines())] == ["email", "bob@example.org", "eve@example.org"]


def test_what_readers_chose_goes_with_them(workspace: Workspace, tmp_path: Path) -> None:
    """Exported and imported into an empty database, each has the same preferences; who is there keeps their own."""
    chosen = Preferences(
        topics=("language-models", "vision"),
        include=("=SUM(1+1)", "LLM"),
        exclude=("-crypto", "'quoted"),
        authors=("José Ångström", "@somebody"),
        cadence="weekly",
        hour=0,
        timezone="Asia/Tokyo",
        language="de",
        stories=5,
        paused_until=date(2026, 12, 24),
    )
    bring(workspace, status=3)
    choose(workspace, "ann@example.org", chosen)
    exported = run(workspace, "export", "--newsletter", "daily-papers")
    other = make_workspace(tmp_path / "other")
    run(other, "import", "-", "--newsletter", "daily-papers", "--confirmed", given=exported.encode())
    brought = choices(other)
    choose(other, "ann@example.org", replace(chosen, hour=7))
    run(other, "import", "-", "--newsletter", "daily-papers", "--confirmed", given=exported.encode())

    assert brought == choices(workspace)
    assert brought["ann@example.org"] == chosen
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in csv.reader(exported.splitlines()) for cell in row)
    assert choices(other)["ann@example.org"] == replace(chosen, hour=7)


def test_a_file_of_those_who_left(workspace: Workspace) -> None:
    """Everybody in a file may have left, or be suppressed, by the operator's word."""
    run(
        workspace, "import", "-", "--newsletter", "daily-papers", "--as", "suppressed", given=b"reader000@example.org\n"
    )

    assert [(who.state, bool(who.suppressed)) for who in readers(workspace)] == [("left", True)]


@pytest.mark.parametrize(
    ("given", "options", "status", "told"),
    [
        (b"Wer\nann@example.invalid\n", (), 1, "no column is called email, but: 'Wer'; --map email="),
        (b"email\nbroken\n", (), 1, "1 refused"),
        (b"", (), 1, "there is nothing in it"),
        (b"email\na@example.org\n", ("--map", "mail=email"), 2, "--map is FIELD="),
        (b"email\na@example.org\n", ("--encoding", "klingon"), 1, "there is no encoding 'klingon'"),
        (b"email\n\xff@example.org\n", ("--encoding", "utf-8"), 1, "save it as UTF-8"),
        (b'email,name\na@example.org,\nb@example.org,"' + b"x" * 140_000, (), 1, "line 3: no table goes on like that"),
    ],
)
def test_files_that_cannot_be_imported(
    workspace: Workspace, given: bytes, options: tuple[str, ...], status: int, told: str
) -> None:
    """What is wrong with a file is said, with where and what to do."""
    try:
        output = run(workspace, "import", "-", "--newsletter", "daily-papers", *options, status=status, given=given)
    except NewsletterError as error:  # raised to `main`, which prints it
        output = str(error)
    assert told in output


def test_listing(workspace: Workspace) -> None:
    """Readers are listed by state and by a part of their address, as lines or as JSON."""
    bring(workspace, status=3)

    assert "1 in all" in run(workspace, "list", "--newsletter", "daily-papers", "--state", "suppressed")
    assert "bob@example.org" in run(workspace, "list", "--like", "BOB@")
    listed = json.loads(run(workspace, "list", "--newsletter", "daily-papers", "--json"))
    assert [who["email"] for who in listed][:2] == ["reader000@example.org", "ann@example.org"]
    assert json.loads(run(workspace, "list", "--like", "nobody", "--json")) == []


def test_what_is_known_of_a_person(workspace: Workspace) -> None:
    """The history tells when and how somebody agreed and left; the dump has all that is kept, until it is erased."""
    bring(workspace, status=3)
    run(workspace, "leave", "ann@example.org", "--newsletter", "daily-papers")

    told = run(workspace, "history", "ann@example.org")
    assert "confirmed daily-papers: imported from the input, line 2" in told
    assert "left daily-papers: by the operator" in told
    assert [event["kind"] for event in json.loads(run(workspace, "history", "ann@example.org", "--json"))] == [
        "confirmed",
        "left",
    ]
    dumped = json.loads(run(workspace, "dump", "ann@example.org"))
    assert dumped["subscribers"][0]["email"] == "ann@example.org"
    assert dumped["subscriptions"][0]["state"] == "left"
    run(workspace, "forget", "ann@example.org")
    with pytest.raises(NotFound):
        run(workspace, "dump", "ann@example.org")
    assert "3 has left, and stays away" in bring(workspace, status=3)  # she, and two who left there
    assert "ann@example.org: has left" in run(workspace, "add", "ann@example.org", "--newsletter", "daily-papers")
    with pytest.raises(NotFound):
        run(workspace, "dump", "ann@example.org")


def test_who_asked_to_be_left_alone_is_on_no_list(workspace: Workspace) -> None:
    """Nothing is kept of them but a mark; whoever has their address cannot bring them back."""
    with open_app(load_config(workspace.folder, workspace.settings)) as app:
        app.store.consent.block(app.links.fingerprints("ann@example.org")[0], now=NOON)

    assert "never to be written to again" in bring(workspace, status=3)
    told = run(workspace, "add", "Ann@example.org", "new@example.org", "--newsletter", "daily-papers", "--confirmed")

    assert "Ann@example.org: asked never" in told
    assert "new@example.org: added" in told
    assert "ann@example.org" not in {who.email.lower() for who in readers(workspace)}
