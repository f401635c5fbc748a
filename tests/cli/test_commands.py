from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from newsletter.cli import COMMANDS, cli, main
from newsletter.mail.mailbox import Mailbox, open_mailbox
from tests.workspaces import Workspace, make_workspace

pytestmark = pytest.mark.long


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A mail server that takes everything."""
    with open_mailbox(tmp_path / "mailbox", port=0) as box:
        yield box


@pytest.fixture
def workspace(tmp_path: Path, mailbox: Mailbox) -> Workspace:
    """A workspace with three readers whose mails go to the mailbox."""
    return make_workspace(tmp_path / "workspace", smtp_url=mailbox.url, readers=3)


def run(workspace: Workspace, *arguments: str, status: int = 0) -> str:
    """What a command printed, run in this process, which is quicker; it must end with `status`."""
    outcome: Result = CliRunner(env={name: None for name in os.environ if name.startswith("NEWSLETTER_")}).invoke(
        cli, ["-C", str(workspace.folder), *arguments], env=workspace.settings
    )
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == status, outcome.output
    return outcome.output


def test_every_command_is_there() -> None:
    """Every command in the list can be imported and says what it is for."""
    for name, lazy in COMMANDS.items():
        command = cli.get_command(None, name)  # type: ignore[arg-type]  # it needs no context
        assert command is not None
        assert command.help
        assert lazy.help.endswith(".")


def test_help_imports_nothing_heavy() -> None:
    """`newsletter --help` answers without loading the house: no database, no templates, no web client."""
    script = """
import sys
from newsletter.cli import cli
cli.main(["--help"], standalone_mode=False)
print("heavy:", [name for name in ("sqlalchemy", "aiohttp", "jinja2", "mjml", "cattrs") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "heavy: []" in done.stdout
    assert all(name in done.stdout for name in COMMANDS)


def test_send_then_send_again(workspace: Workspace, mailbox: Mailbox) -> None:
    """The first `send` delivers to everybody, the second to nobody and says why."""
    first = run(workspace, "send", "daily-papers")
    second = run(workspace, "send", "daily-papers")

    assert "sent 3 messages now" in first
    assert "sent nothing now" in second
    assert "was published" in second
    assert "--force" in second
    assert len(mailbox.messages()) == 3


def test_send_to_one_address(workspace: Workspace, mailbox: Mailbox) -> None:
    """A copy for a named address goes to it alone, once, and leaves the day's issue for the readers."""
    run(workspace, "send", "daily-papers", "--to", "you@example.org")
    run(workspace, "send", "daily-papers", "--to", "you@example.org")
    run(workspace, "send", "daily-papers")

    assert sorted(message["Delivered-To"] for message in mailbox.messages()) == [
        "reader000@example.org",
        "reader001@example.org",
        "reader002@example.org",
        "you@example.org",
    ]


def test_a_copy_of_what_is_out(workspace: Workspace, mailbox: Mailbox) -> None:
    """Once the day's issue is out, a copy is a copy of it."""
    run(workspace, "send", "daily-papers")
    run(workspace, "send", "daily-papers", "--to", "you@example.org")

    messages = {message["Delivered-To"]: message for message in mailbox.messages()}
    assert messages["you@example.org"]["Subject"] == messages["reader000@example.org"]["Subject"]


def test_force_sends_anew(workspace: Workspace, mailbox: Mailbox) -> None:
    """`--force` makes a new issue, marked by its time, with what the old one told."""
    run(workspace, "send", "daily-papers")
    run(workspace, "send", "daily-papers", "--force")
    listed = json.loads(run(workspace, "issues", "list", "--json"))

    assert len(mailbox.messages()) == 6
    slots = sorted(issue["issue"]["slot"] for issue in listed)
    assert len(slots) == 2
    assert slots[1].startswith(slots[0] + "T")


def test_two_at_once_send_it_once(workspace: Workspace, mailbox: Mailbox) -> None:
    """Two operators with one thought: one issue, one mail for each reader, and both commands end well."""
    with workspace.start("send", "daily-papers") as one, workspace.start("send", "daily-papers") as other:
        said = [process.communicate(timeout=60) for process in (one, other)]

    assert (one.returncode, other.returncode) == (0, 0), said
    assert len({message["Delivered-To"] for message in mailbox.messages()}) == len(mailbox.messages()) == 3
    assert len(json.loads(run(workspace, "issues", "list", "--json"))) == 1


def test_an_issue_of_a_past_day(workspace: Workspace, mailbox: Mailbox) -> None:
    """A slot of a past date is one like any other: it goes out once, whatever day it is asked for."""
    for _ in range(2):
        run(workspace, "send", "daily-papers", "--slot", "2026-01-05")

    assert len(mailbox.messages()) == 3
    (listed,) = json.loads(run(workspace, "issues", "list", "--json"))
    assert "2026-01-05" in listed["issue"]["slot"]


def test_dry_run_says_who_would_get_what(workspace: Workspace, mailbox: Mailbox) -> None:
    """A dry run names stories and recipients, and sends nothing."""
    output = run(workspace, "send", "daily-papers", "--dry-run")
    told = json.loads(run(workspace, "send", "daily-papers", "--dry-run", "--json"))

    assert "An LLM that sorts its own drawers" in output
    assert "reader002@example.org" in output
    assert told["recipients"] == [f"reader00{number}@example.org" for number in range(3)]
    assert mailbox.messages() == ()
    assert "no issues yet" in run(workspace, "issues", "list")


def test_an_empty_day_says_why(workspace: Workspace, mailbox: Mailbox) -> None:
    """When everything was sent before there is no issue, and the command and the report say so."""
    run(workspace, "send", "daily-papers", "--slot", "2026-11-19")
    output = run(workspace, "send", "daily-papers", "--slot", "2026-11-20")

    assert "no issue: nothing new: all 2 stories of its sources were sent before" in output
    assert "no issue" in run(workspace, "runs", "--why", "always/2026-11-20")
    assert len(mailbox.messages()) == 3


def test_the_ledger_is_shown(workspace: Workspace) -> None:
    """Issues, deliveries and runs tell what went out, for people and for scripts."""
    run(workspace, "send", "daily-papers")

    assert "published: " in run(workspace, "issues", "list")
    assert "An LLM that sorts" in run(workspace, "issues", "show", "1")
    assert "reader000@example.org" in run(workspace, "deliveries", "1", "--state", "sent")
    assert run(workspace, "deliveries", "1", "--csv").splitlines()[0].startswith("email,state,reason")
    assert "sent 3 messages now" in run(workspace, "runs")
    slot = json.loads(run(workspace, "runs", "--json"))[0]["run"]["slot"]
    key = f"{slot['schedule']}/{slot['date']}"
    assert "reader000@example.org: the mail server took it" in run(
        workspace, "runs", "--why", key, "--for", "reader000@example.org"
    )
    run(workspace, "runs", "--for", "reader000@example.org", status=2)
    assert json.loads(run(workspace, "deliveries", "1", "--json"))[0]["state"] == "sent"


def test_no_mail_server(workspace: Workspace) -> None:
    """Without a mail server nothing is lost, the message says what to start, and the status says that it failed."""
    workspace.settings["NEWSLETTER_SMTP_URL"] = "smtp://127.0.0.1:1"

    output = run(workspace, "send", "daily-papers", status=1)

    assert "newsletter mailbox" in output
    assert "3 still queued" in output


def test_several_mail_servers(workspace: Workspace) -> None:
    """One that is away stops nothing while another is there; mistakes in any address are told without its password."""
    there = workspace.settings["NEWSLETTER_SMTP_URL"]
    workspace.settings["NEWSLETTER_SMTP_URL"] = f"smtp://127.0.0.1:1 {there}"
    run(workspace, "send", "daily-papers")
    assert {line["state"] for line in json.loads(run(workspace, "deliveries", "1", "--json"))} == {"sent"}

    workspace.settings["NEWSLETTER_SMTP_URL"] = f"{there} smtp://ann:hunter2@mail.example.org?wieght=2"
    told = workspace.run("check", status=2)
    assert "address 2 has no option 'wieght' (did you mean weight?)" in told
    assert "hunter2" not in told


def test_collect_partly(workspace: Workspace) -> None:
    """When some sources fail the status is 3, when all do it is 1, and each is named."""
    plan = workspace.folder / "schedules.yaml"
    source = '  gone:  {kind: listing, path: "gone.txt"}\n'
    plan.write_text(
        plan.read_text("utf-8").replace("topics:\n  models", source + "topics:\n  models"), encoding="utf-8"
    )

    partly = run(workspace, "collect", status=3)
    nothing = run(workspace, "collect", "gone", status=1)

    assert "saved: 2 entries, 2 new" in partly
    assert "gone: FAILED" in nothing
    assert "FAILING (2 times)" in run(workspace, "sources", "list")


def test_mistakes_are_told_all_at_once(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken schedules.yaml ends with status 2 and every mistake, with file, line, key and hint."""
    plan = workspace.folder / "schedules.yaml"
    text = (
        plan.read_text("utf-8").replace("topics: [models]", "topcs: [models]").replace("timezone: UTC", "timezone: UTX")
    )
    plan.write_text(text, encoding="utf-8")
    sys.argv = ["newsletter", "-C", str(workspace.folder), "check"]
    os.environ.update(workspace.settings)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        for name in workspace.settings:
            del os.environ[name]

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "schedules.yaml:6: " in told
    assert "did you mean" in told
    assert "UTX" in told


def test_readers_come_and_go(workspace: Workspace) -> None:
    """Readers are added, imported with a report of what was refused, exported, suppressed and forgotten."""
    people = workspace.folder / "people.csv"
    people.write_text(
        "\ufeffEmail,Name,Timezone\na@example.org,=HYPERLINK(1),Europe/Paris\nbroken,,\nb@example.org,,Mars/Olympus\n"
        "reader000@example.org,,\n",
        encoding="utf-8",
    )
    imported = run(
        workspace, "subscribers", "import", str(people), "--newsletter", "daily-papers", "--confirmed", status=3
    )
    run(workspace, "subscribers", "suppress", "reader001@example.org")
    run(workspace, "subscribers", "leave", "a@example.org", "--newsletter", "daily-papers")
    again = run(workspace, "subscribers", "add", "a@example.org", "--newsletter", "daily-papers", "--confirmed")
    run(workspace, "subscribers", "forget", "reader002@example.org")
    listed = run(workspace, "subscribers", "list", "--newsletter", "daily-papers")
    exported = run(workspace, "subscribers", "export", "--newsletter", "daily-papers")

    assert "people.csv:3: broken is not an e-mail address" in imported
    assert "people.csv:4: there is no time zone 'Mars/Olympus'" in imported
    assert "1 added" in imported
    assert "has left, and stays away" in again
    assert "1 known already" in imported
    assert "suppressed: by the operator" in listed
    assert "reader002" not in listed
    assert "'=HYPERLINK(1)" in exported


@pytest.mark.parametrize(
    "email", ["a@x.org\r\nBcc: v@y.z", "Ann <a@example.org>", "a@localhost", "a b@example.org", ""]
)
def test_addresses_that_are_none(workspace: Workspace, email: str) -> None:
    """An address with anything else in it is refused, and nothing is stored."""
    output = run(workspace, "subscribers", "add", "--newsletter", "daily-papers", email, status=2)

    assert "is not an e-mail address" in output
    assert "3 in all" in run(workspace, "subscribers", "list")


def test_an_unknown_newsletter(workspace: Workspace) -> None:
    """A name that is not configured is told, with those that are."""
    with workspace.start("send", "weekly") as process:
        _, said = process.communicate()

    assert process.returncode == 1
    assert "there is no newsletter 'weekly'" in said
    assert "daily-papers" in said


def test_a_slip_of_the_finger(tmp_path: Path) -> None:
    """A command that there is not is answered with the one that was meant; a folder that is not there is named."""
    bare = Workspace(tmp_path)

    assert "Did you mean send?" in run(bare, "sned", status=2)
    assert "No such command" in run(bare, "xyzzy", status=2)
    assert "there is no folder" in run(Workspace(tmp_path / "missing"), "runs", status=2)
    assert not (tmp_path / "missing").exists()


def test_init_keeps_what_is_there(tmp_path: Path) -> None:
    """`init` writes an example and a secret that only the owner may read, and never overwrites either."""
    bare = Workspace(tmp_path / "new")
    first = run(bare, "init")
    before = {path: path.read_text("utf-8") for path in (bare.folder / "schedules.yaml", bare.folder / ".env")}
    second = run(bare, "init")

    assert "written" in first
    assert "kept as it is" in second
    assert {path: path.read_text("utf-8") for path in before} == before
    assert (bare.folder / ".env").stat().st_mode & 0o077 == 0
    assert "good, with" in run(bare, "check", "--no-spam")


def test_a_workspace_that_was_not_prepared(tmp_path: Path) -> None:
    """Without a database, or without a secret key, the message says `newsletter init`."""
    bare = Workspace(tmp_path)
    with bare.start("runs") as empty, bare.start("collect") as keyless:
        said = [process.communicate()[1] for process in (empty, keyless)]

    assert (empty.returncode, keyless.returncode) == (1, 2)
    assert "newsletter init" in said[0]
    assert "NEWSLETTER_SECRET_KEY: is not set" in said[1]


def test_the_mailbox_keeps_mails_and_shows_them(tmp_path: Path) -> None:
    """`newsletter mailbox` takes mails until it is told to end; then it says how many, and what it did wrong."""
    bare = Workspace(tmp_path)
    refused = "rcpt:550@reader001@example.org"
    command = ("mailbox", "--port", "0", "--web", "127.0.0.1:0", "--fault", refused)
    with bare.start(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split("listening on ")[1].split(",")[0]
        page = urlsplit(process.stdout.readline().split("shown at ")[1].strip())
        sender = make_workspace(tmp_path / "sender", smtp_url=url, readers=2)
        sender.run("send", "daily-papers", status=3)
        connection = http.client.HTTPConnection(page.netloc, timeout=20)
        connection.request("GET", "/api/messages")
        shown = json.loads(connection.getresponse().read())
        connection.close()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    assert process.returncode == 0
    assert len(list((tmp_path / "mailbox" / "new").iterdir())) == shown["total"] == 1
    assert rest == (
        "going wrong on purpose: rcpt:550 5.1.1 no such user@reader001@example.org\n"
        "kept 1 mail\n"
        "went wrong 1 time: rcpt:550 5.1.1 no such user@reader001@example.org\n"
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--fault", "rctp:550@5%"], "did you mean rcpt?"),
        (["--fault", "421"], "write 421@10%"),
        (["--web", "here"], "is no [HOST:]PORT"),
        (["--web", "8025", "--no-web"], "contradict"),
    ],
)
def test_a_mailbox_that_is_asked_for_wrongly(tmp_path: Path, options: list[str], complaint: str) -> None:
    """Wrong usage is told before anything listens for good."""
    bare = Workspace(tmp_path)
    with bare.start("mailbox", "--port", "0", *options) as process:
        _, said = process.communicate()

    assert process.returncode == 2
    assert complaint in " ".join(said.split())


def test_sources_read_shows_entries(workspace: Workspace) -> None:
    """One source can be looked at, one JSON object an entry, without keeping anything."""
    listing = str(workspace.folder / "listing.txt")
    lines = run(workspace, "sources", "read", listing, "--kind", "listing", "--json").splitlines()

    first, second = map(json.loads, lines)
    assert [first["title"], second["title"]] == ["An LLM that sorts its own drawers", "Maps for walkers"]
    assert first["signals"] == {"upvotes": None, "comments": 4, "stars": None}
    assert first["published"] == "2025-11-18T00:00:00+00:00"
    assert first.keys() == second.keys()
    wanted = "key id url title summary content authors published updated tags signals"
    assert set(wanted.split()) <= first.keys()
    assert "0 entries" in run(workspace, "sources", "list")
