"""Mail straight to the servers of the readers' domains: real name server, real mail servers, all on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from ipaddress import ip_network
from typing import Any

import pytest

from newsletter.errors import ConfigError, SendError
from newsletter.mail.budget import DAY, OwnLanes
from newsletter.mail.direct import LOOKUPS_IN_A_ROW, DirectSend, open_direct
from newsletter.model import Message, Outcome, Verdict
from newsletter.networks import Guard
from tests.mail.conftest import Certificate
from tests.mail.faults import CUT, FaultServer, Script
from tests.mail.posting import Ledger, a_message, post
from tests.names import BROKEN, SILENT, Names, Records, open_names

HERE = Guard((ip_network("127.0.0.0/8"),))
NOON = 20_000 * DAY + DAY / 2
WORLD: Records = {
    "example.net": {"MX": ["10 mx1.example.net.", "20 mx2.example.net."]},
    "example.org": {"MX": ["10 mx1.example.net."]},
    "example.com": {"A": ["127.0.0.3"]},
    "null.example": {"MX": ["0 ."]},
    "mx1.example.net": {"A": ["127.0.0.2"]},
    "mx2.example.net": {"A": ["127.0.0.3"]},
    "home.example": {"MX": ["10 router.example."]},
    "router.example": {"A": ["10.0.0.1"]},
    "broken.example": BROKEN,
}


def addressed(*recipients: str) -> list[Message]:
    """A message to each, numbered from 1."""
    return [a_message(number, recipient=recipient) for number, recipient in enumerate(recipients, 1)]


def verdicts(ledger: Ledger) -> dict[int, Verdict]:
    """Delivery to verdict; fails when a message had more than one outcome."""
    assert len(ledger.outcomes) == len({outcome.delivery for outcome in ledger.outcomes})
    return {outcome.delivery: outcome.verdict for outcome in ledger.outcomes}


class Place:
    """A name server and the mail servers at 127.0.0.2 and 127.0.0.3, on one port."""

    def __init__(self, stack: ExitStack, records: Records) -> None:
        self._stack = stack
        self.names: Names = stack.enter_context(open_names(records))
        self.port = 0

    def serve(self, *scripts: Script, host: str = "127.0.0.2", **options: Any) -> FaultServer:
        """A mail server at one of the addresses."""
        server = self._stack.enter_context(FaultServer(*scripts, at=(host, self.port), **options))
        self.port = server.port
        return server

    def sender(self, options: str = "", *, guard: Guard = HERE, lanes: OwnLanes | None = None) -> DirectSend:
        """A sender that asks this name server and this port."""
        where = f"resolver={self.names.host}:{self.names.port}&port={self.port or 1}&hello=mail.example.org"
        return open_direct(f"mx:?{where}{options}").sharing(lanes or OwnLanes(), guard=guard, clock=lambda: NOON)


@pytest.fixture
def place() -> Iterator[Place]:
    """The world above."""
    with ExitStack() as stack:
        yield Place(stack, WORLD)


def test_each_domain_gets_its_mail(place: Place) -> None:
    """Every mail goes to a server of its reader's domain, under our name."""
    first, second = place.serve(), place.serve(host="127.0.0.3")
    recipients = [
        f"r{number}@{domain}" for number in range(10) for domain in ("example.net", "example.org", "example.com")
    ]
    ledger = post(place.sender(), addressed(*recipients))

    assert verdicts(ledger) == dict.fromkeys(range(1, 31), Verdict.SENT)
    assert sorted(first.taken) == sorted(name for name in recipients if not name.endswith(".com"))
    assert sorted(second.taken) == sorted(name for name in recipients if name.endswith(".com"))
    assert "EHLO mail.example.org" in first.commands
    assert place.names.asked["example.net", "MX"] == 1


def test_what_may_not_leave_after_all_is_not_waited_for(place: Place) -> None:
    """The ledger may say no to a message until its body leaves; nobody tells what became of that one."""
    place.serve()
    ledger = post(place.sender(), addressed("a@example.net", "b@example.net"), ledger=Ledger(forbidden=[1]))

    assert verdicts(ledger) == {2: Verdict.SENT}


@pytest.mark.parametrize("script", [None, {"greeting": "554 5.3.2 not me"}, {"greeting": CUT}], ids=str)
def test_the_next_server_is_asked(place: Place, script: Script | None) -> None:
    """Where the best server cannot be reached or does not want to talk, the next preference gets the mail."""
    second = place.serve(host="127.0.0.3")
    if script is not None:
        place.serve(script)
    ledger = post(place.sender(), addressed("a@example.net"))

    assert verdicts(ledger) == {1: Verdict.SENT}
    assert second.taken == ["a@example.net"]


def test_servers_of_one_owner_are_one_lane(place: Place) -> None:
    """Domains whose first servers belong to one owner have one budget; the sender's domain is in its name."""
    place.serve()
    place.serve(host="127.0.0.3")
    lanes = OwnLanes()
    recipients = [f"r{number}@{domain}" for number in range(6) for domain in ("example.net", "example.org")]
    today = post(place.sender("&warm_up=5..90/3d", lanes=lanes), addressed(*recipients, "a@example.com"))

    found = verdicts(today)
    late = [outcome for outcome in today.outcomes if outcome.put_off]
    assert list(found.values()).count(Verdict.SENT) == 6
    assert found[13] is Verdict.SENT
    assert len(late) == 7
    assert all(abs((outcome.put_off or 0) - DAY / 2) < 5 for outcome in late)
    assert "today is through (warm_up)" in late[0].text
    assert set(lanes._lanes) == {"example.org to example.net", "example.org to example.com"}


def test_no_more_connections_than_allowed(place: Place) -> None:
    """To one owner's servers so many at once, however many domains they serve."""
    first = place.serve()
    recipients = [f"r{number}@{domain}" for number in range(20) for domain in ("example.net", "example.org")]
    ledger = post(place.sender("&connections=1"), addressed(*recipients))

    assert set(verdicts(ledger).values()) == {Verdict.SENT}
    assert first.connections <= 4  # one after another


@pytest.mark.parametrize(
    ("recipient", "verdict", "words"),
    [
        ("a@null.example", Verdict.SUPPRESS, "null MX"),
        ("a@nowhere.example", Verdict.SUPPRESS, "no domain nowhere.example"),
        ("a@home.example", Verdict.REJECTED, "10.0.0.1 is a private address"),
        ("a@broken.example", Verdict.UNSENT, "no name server could say"),
    ],
)
def test_domains_without_a_server(place: Place, recipient: str, verdict: Verdict, words: str) -> None:
    """An address whose domain takes no mail is refused, one that is not known now waits; the others get theirs."""
    place.serve()
    ledger = post(place.sender(), addressed(recipient, "a@example.org"))

    assert verdicts(ledger) == {1: verdict, 2: Verdict.SENT}
    outcome = next(outcome for outcome in ledger.outcomes if outcome.delivery == 1)
    assert words in outcome.text
    assert (outcome.put_off is not None) == (verdict is Verdict.UNSENT)


_connected: list[object] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        _connected.append(arguments[1])


sys.addaudithook(_note)


def test_private_addresses_are_never_connected_to(place: Place) -> None:
    """Unless the operator allows the network, the mail of a domain that names one is refused before any connection."""
    server = place.serve()
    _connected.clear()
    ledger = post(place.sender(guard=Guard()), addressed("a@example.org", "b@example.net"))

    assert set(verdicts(ledger).values()) == {Verdict.REJECTED}
    assert "NEWSLETTER_ALLOW_NETWORKS" in ledger.outcomes[0].text
    assert server.connections == 0
    assert not [where for where in _connected if isinstance(where, tuple) and where[1] == place.port]


def test_servers_that_are_away_stop_nobody(place: Place) -> None:
    """Their mails wait, longer each time and without being tried; the other domains get theirs."""
    other = place.serve(host="127.0.0.3")
    send = place.sender()
    first = post(send, addressed("a@example.org", "b@example.org", "c@example.com"))
    again = post(send, addressed("d@example.org", "e@example.com"))

    assert verdicts(first)[3] is Verdict.SENT
    assert {verdicts(first)[1], verdicts(first)[2], verdicts(again)[1]} == {Verdict.UNSENT}
    assert "could not reach mail server mx1.example.net" in next(o.text for o in first.outcomes if o.delivery == 1)
    assert next(outcome.put_off for outcome in again.outcomes if outcome.delivery == 1) == 300
    assert other.taken == ["c@example.com", "e@example.com"]


def test_tls_is_used_where_it_works(place: Place, certificate: Certificate) -> None:
    """STARTTLS where it is offered, whoever signed the certificate; clear text where it is offered and fails."""
    good = place.serve(tls=certificate.server)
    bad = place.serve({"ehlo": "250-x\r\n250 STARTTLS", "starttls": "220 go\r\nnonsense"}, {}, host="127.0.0.3")
    ledger = post(place.sender(), addressed("a@example.org", "b@example.com"))

    assert verdicts(ledger) == {1: Verdict.SENT, 2: Verdict.SENT}
    assert "STARTTLS" in good.commands or good.taken
    assert bad.taken == ["b@example.com"]


def test_without_a_name_server_nothing_goes() -> None:
    """Where our own name server is silent it is nobody's fault: everything stays queued, and the error says why."""
    domains = [f"d{number}.example" for number in range(3 * LOOKUPS_IN_A_ROW)]
    with ExitStack() as stack:
        place = Place(stack, dict.fromkeys(domains, BROKEN))
        ledger = Ledger()
        with pytest.raises(SendError, match="lookups in a row failed"):
            post(place.sender(), addressed(*(f"a@{domain}" for domain in domains)), ledger=ledger)

    assert set(verdicts(ledger).values()) == {Verdict.UNSENT}
    assert SILENT not in WORLD.values()


def test_a_rate_is_kept_for_each_owner(place: Place) -> None:
    """What has no turn soon is put off by about its turn, instead of being held."""
    place.serve()
    ledger = post(place.sender("&rate=1/h"), addressed(*(f"r{number}@example.org" for number in range(5))))

    found = list(verdicts(ledger).values())
    assert found.count(Verdict.SENT) == 1
    assert all(30 <= (outcome.put_off or 0) <= 900 for outcome in ledger.outcomes if outcome.verdict is Verdict.UNSENT)


class LedgerLost(Exception):
    """Stands for a database that is gone."""


def test_a_callers_own_error_is_loud(place: Place) -> None:
    """It comes out as it is, and what was taken has had one outcome."""
    place.serve()
    ledger, taken = Ledger(), []

    def messages() -> Iterator[Message]:
        for message in addressed(*(f"r{number}@example.org" for number in range(9))):
            taken.append(message.delivery)
            yield message
        raise LedgerLost

    with pytest.raises(LedgerLost):
        post(place.sender(), messages(), ledger=ledger)

    assert sorted(verdicts(ledger)) == taken


def test_stop_gives_everything_back(place: Place) -> None:
    """Once `stop()` is true nothing more is taken, and every message has an outcome."""
    place.serve()
    ledger, taken = Ledger(), []

    def messages() -> Iterator[Message]:
        for message in addressed(*(f"r{number}@example.org" for number in range(300))):
            taken.append(message.delivery)
            yield message

    def outcomes() -> Sequence[Outcome]:
        return ledger.outcomes

    post(place.sender(), messages(), ledger=ledger, stop=lambda: len(outcomes()) >= 20)

    assert sorted(verdicts(ledger)) == taken


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("mx://mail.example.org", "stands alone and names no server"),
        ("mx: smtp://a.example.org", "stands alone and names no server"),
        ("mx:?hullo=x", "has no option 'hullo'"),
        ("mx:?hello=a b", "stands alone"),
        ("mx:?hello=a%0Ab.example.org", "is no name of a host"),
        ("mx:?port=0", "a port is a number"),
        ("mx:?resolver=127.0.0.1:x", "a port is a number"),
        ("mx:?rate=fast", "rate is messages a second"),
        ("mx:?warm_up=1", "warm_up"),
        ("mx:?weight=2", "has no option 'weight'"),
    ],
)
def test_mistakes_in_the_address(url: str, what: str) -> None:
    """Each is named."""
    with pytest.raises(ConfigError, match=what):
        open_direct(url)
