"""Several mail servers as one, with real servers on the loopback interface."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest

from newsletter.errors import ConfigError, Refused, SendError
from newsletter.mail.budget import DAY, OwnLanes
from newsletter.mail.lanes import PUT_OFFS_IN_A_ROW, LanesSend, open_lanes
from newsletter.model import Lane, Message, Outcome, Verdict
from newsletter.networks import Guard
from newsletter.store import Store
from tests.mail.faults import CUT, FaultServer, Script
from tests.mail.posting import Ledger, a_message, post

NOON = 20_000 * DAY + DAY / 2
NOWHERE = "smtp://127.0.0.1:1"
GUARD = Guard((ip_network("127.0.0.0/8"),))


def messages(count: int) -> Iterable[Message]:
    """So many, each to a reader of its own."""
    return (a_message(number, recipient=f"reader{number}@example.net") for number in range(1, count + 1))


def verdicts(ledger: Ledger) -> dict[int, Verdict]:
    """Delivery to verdict; fails when a message had more than one outcome."""
    assert len(ledger.outcomes) == len({outcome.delivery for outcome in ledger.outcomes})
    return {outcome.delivery: outcome.verdict for outcome in ledger.outcomes}


def all_sent(count: int) -> dict[int, Verdict]:
    """What is expected where nothing goes wrong."""
    return dict.fromkeys(range(1, count + 1), Verdict.SENT)


def test_messages_are_shared_by_weight() -> None:
    """A server of three times the weight gets three times as many; none goes out twice."""
    with FaultServer() as heavy, FaultServer() as light:
        ledger = post(open_lanes(f"{heavy.url('?weight=3')}\n {light.url()}"), messages(80))

    assert verdicts(ledger) == all_sent(80)
    assert len({*heavy.taken, *light.taken}) == len(heavy.taken) + len(light.taken) == 80
    assert 54 <= len(heavy.taken) <= 66


REFUSING: dict[str, Script] = {
    "greeting": {"greeting": "554 5.7.1 not you"},
    "sender": {"mail": "535 5.7.8 credentials"},
    "cut": {"mail": CUT},
    "puts off": {"rcpt": "450 4.2.0 mailbox busy"},
    "throttled": {"dot": "454 4.7.0 throttling failure"},
}


@pytest.mark.parametrize("script", REFUSING.values(), ids=REFUSING.keys())
def test_what_one_server_cannot_carry_the_others_do(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is wrong with one, the other gets its share; those it refused for now stay with the ledger."""
    lanes = OwnLanes()
    with FaultServer(script) as bad, FaultServer() as good, caplog.at_level(logging.WARNING):
        send = open_lanes(f"{bad.url('?connections=1')} {good.url()}").sharing(lanes, guard=GUARD)
        ledger = post(send, messages(60))
        again = post(send, messages(10))

    late = [number for number, verdict in verdicts(ledger).items() if verdict is Verdict.DEFERRED]
    assert set(verdicts(ledger).values()) <= {Verdict.SENT, Verdict.DEFERRED}
    assert len(late) <= PUT_OFFS_IN_A_ROW + 2
    assert len(good.taken) == 60 - len(late) + len(verdicts(again)) - len(
        [verdict for verdict in verdicts(again).values() if verdict is Verdict.DEFERRED]
    )
    if "dot" not in script:
        lane = lanes.change(f"mail server 127.0.0.1:{bad.port}", lambda lane: (lane, lane))
        assert f"mail server 127.0.0.1:{bad.port}" in lane.trouble
        assert lane.failures == 1
        assert "for now it gets nothing" in caplog.text
        assert verdicts(again) == all_sent(10)


def test_no_trouble_tells_a_password(caplog: pytest.LogCaptureFixture) -> None:
    """A server that repeats what it was told, in its refusal, gives nothing away: not in the log, not in the store."""
    lanes = OwnLanes()
    script = {"ehlo": "250-x\r\n250 AUTH PLAIN", "auth": "535 5.7.8 no: hunter2 AGFubgBodW50ZXIy"}
    with FaultServer(script) as bad, FaultServer() as good, caplog.at_level(logging.WARNING):
        url = bad.url().replace("smtp://", "smtp://ann:hunter2@")
        ledger = post(open_lanes(f"{url} {good.url()}").sharing(lanes, guard=GUARD), messages(5))

    known = repr(vars(lanes))
    assert verdicts(ledger) == all_sent(5)
    assert "refused the user or password" in known
    for text in (known, caplog.text):
        assert "hunter2" not in text
        assert "AGFubgBodW50ZXIy" not in text
        assert "ann" not in text


@pytest.mark.parametrize("servers", [1, 2])
def test_what_may_not_leave_after_all_is_not_waited_for(servers: int) -> None:
    """The ledger may say no to a message until its body leaves; nobody tells what became of that one."""
    with ExitStack() as opened:
        urls = [opened.enter_context(FaultServer()).url() for _ in range(servers)]
        ledger = post(open_lanes(" ".join(urls)), messages(20), ledger=Ledger(forbidden=range(5, 21)))

    assert verdicts(ledger) == all_sent(4)


def test_failover_while_sending() -> None:
    """A server that dies in the middle loses nobody: what it may have taken is uncertain, the rest goes elsewhere."""
    with ExitStack() as dying, FaultServer() as good:
        server = dying.enter_context(FaultServer())
        ledger = Dying(dying, after=20)
        post(open_lanes(f"{server.url('?connections=2')} {good.url('?connections=2')}"), messages(100), ledger=ledger)

    found = verdicts(ledger)
    uncertain = {number for number, verdict in found.items() if verdict is Verdict.UNCERTAIN}
    assert len(found) == 100
    assert set(found.values()) <= {Verdict.SENT, Verdict.UNCERTAIN}
    assert len(uncertain) <= 2
    arrived = [*server.taken, *good.taken]
    assert len(arrived) == len(set(arrived))
    assert {f"reader{number}@example.net" for number in set(found) - uncertain} <= set(arrived)
    assert len(good.taken) > 70


@dataclass
class Dying(Ledger):
    """Ends a server after so many outcomes."""

    end: ExitStack = field(default_factory=ExitStack)
    after: int = 0

    def __init__(self, end: ExitStack, *, after: int) -> None:
        super().__init__()
        self.end, self.after = end, after

    def record(self, outcomes: Sequence[Outcome], starts: Sequence[int]) -> Collection[int]:
        """As the ledger's own."""
        if len(self.outcomes) >= self.after:
            self.end.close()
        return super().record(outcomes, starts)


def test_a_server_comes_back() -> None:
    """After its rest a server is tried again, in the same run, and has its share from then on."""
    lanes = OwnLanes()
    with FaultServer({"greeting": "554 5.3.2 not now"}, {}) as sick, FaultServer() as well:
        urls = f"{sick.url('?connections=1')} {well.url('?connections=1&rate=200/s')}"
        ledger = post(open_lanes(urls, rest=0.0).sharing(lanes, guard=GUARD), messages(300))

    assert verdicts(ledger) == all_sent(300)
    assert len(sick.taken) > 50
    assert lanes.change(f"mail server 127.0.0.1:{sick.port}", lambda lane: (lane, lane)).trouble == ""


def test_where_all_are_away_all_are_named() -> None:
    """The error names every server; whatever was taken is unsent, and nothing began to leave."""
    with FaultServer({"greeting": "554 5.3.2 not now"}) as refusing:
        ledger = Ledger()
        with pytest.raises(SendError) as caught:
            post(open_lanes(f"{refusing.url()} {NOWHERE}"), messages(50), ledger=ledger)

    assert f"127.0.0.1:{refusing.port} refused the connection: 554" in str(caught.value)
    assert "could not reach mail server 127.0.0.1:1: connection refused" in str(caught.value)
    assert set(verdicts(ledger).values()) == {Verdict.UNSENT}
    assert len(ledger.outcomes) <= 4
    assert all(isinstance(event, Outcome) for event in ledger.events)


def test_where_all_refuse_us_it_is_a_refusal() -> None:
    """Several servers that take no mail of ours are a mistake in the settings, as one is."""
    script = {"mail": "535 5.7.8 credentials"}
    with FaultServer(script) as one, FaultServer(script) as two, pytest.raises(Refused):
        post(open_lanes(f"{one.url()} {two.url()}"), messages(5))


def test_servers_that_all_rest_are_tried_all_the_same() -> None:
    """A rest is for when there is another; a run never ends without somebody having been asked."""
    lanes = OwnLanes()
    with FaultServer() as one, FaultServer() as two:
        for server in (one, two):
            resting = Lane(failures=9, rests_until=NOON + DAY, trouble="was away")
            lanes.change(f"mail server 127.0.0.1:{server.port}", lambda _, to=resting: (to, None))  # type: ignore[misc]
        send = open_lanes(f"{one.url()} {two.url()}").sharing(lanes, guard=GUARD, clock=lambda: NOON)
        ledger = post(send, messages(20))

    assert verdicts(ledger) == all_sent(20)
    assert one.taken
    assert two.taken


def test_a_server_whose_rate_is_used_up_holds_nobody_up() -> None:
    """Where one may get a message a minute, the other gets the rest at once."""
    with FaultServer() as slow, FaultServer() as fast:
        ledger = post(open_lanes(f"{slow.url('?rate=1/m')} {fast.url()}"), messages(40))

    assert verdicts(ledger) == all_sent(40)
    assert len(slow.taken) == 1


# --- warm-up --------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_today_waits_for_tomorrow() -> None:
    """The first day's share goes out, the rest is put off until the next day begins; then the next share goes."""
    lanes = OwnLanes()
    with FaultServer() as server:
        text = server.url("?warm_up=10..90/3d")
        today = post(open_lanes(text).sharing(lanes, guard=GUARD, clock=lambda: NOON), messages(60))
        later = post(open_lanes(text).sharing(lanes, guard=GUARD, clock=lambda: NOON + 60), messages(5))
        tomorrow = post(open_lanes(text).sharing(lanes, guard=GUARD, clock=lambda: NOON + DAY), messages(60))
        connections = server.connections

    put_off = [outcome for outcome in today.outcomes if outcome.put_off]
    assert [list(verdicts(run).values()).count(Verdict.SENT) for run in (today, later, tomorrow)] == [10, 0, 30]
    assert len(put_off) == 50
    assert all(DAY / 2 - 5 <= (outcome.put_off or 0) <= DAY / 2 for outcome in put_off)
    assert "may get today is through (warm_up)" in put_off[0].text
    assert sum(isinstance(event, int) for event in today.events) == 10  # so many bodies began to leave
    assert connections <= 8  # none for what was put off


def test_another_server_carries_what_one_may_not() -> None:
    """A server that is warmed up gets its few, the other everything else."""
    with FaultServer() as new, FaultServer() as known:
        ledger = post(open_lanes(f"{new.url('?warm_up=5..90/3d&weight=9')} {known.url()}"), messages(60))

    assert verdicts(ledger) == all_sent(60)
    assert (len(new.taken), len(known.taken)) == (5, 55)


# --- the caller -----------------------------------------------------------------------------------------------------


class LedgerLost(Exception):
    """Stands for a database that is gone."""


@pytest.mark.parametrize("broken", ["messages", "record", "stop"])
def test_a_callers_own_error_is_loud(broken: str) -> None:
    """It comes out as it is, and every message taken has had one outcome."""
    ledger, taken, calls = Ledger(), [], 0

    def failing(name: str) -> None:
        nonlocal calls
        calls += name == broken
        if name == broken and calls == 9:
            raise LedgerLost

    def numbered() -> Iterable[Message]:
        for message in messages(50):
            failing("messages")
            taken.append(message.delivery)
            yield message

    def record(outcomes: Sequence[Outcome], starts: Sequence[int]) -> Collection[int]:
        failing("record")
        return ledger.record(outcomes, starts)

    def stop() -> bool:
        failing("stop")
        return False

    with FaultServer() as one, FaultServer() as two, pytest.raises(LedgerLost):
        open_lanes(f"{one.url()} {two.url()}")(numbered(), record=record, stop=stop)

    assert sorted(verdicts(ledger)) == taken


def test_stop_gives_everything_back() -> None:
    """Once `stop()` is true nothing further is taken, and every message taken has an outcome."""
    ledger, taken = Ledger(), []

    def numbered() -> Iterable[Message]:
        for message in messages(200):
            taken.append(message.delivery)
            yield message

    with FaultServer() as one, FaultServer() as two:
        post(open_lanes(f"{one.url()} {two.url()}"), numbered(), ledger=ledger, stop=lambda: len(ledger.outcomes) >= 20)

    assert sorted(verdicts(ledger)) == taken
    assert len(taken) <= 40


def test_mistakes_in_several_addresses() -> None:
    """All at once, each with the number of its address; one server named twice is a mistake too."""
    with pytest.raises(ConfigError) as caught:
        open_lanes("smtp://a.example.org?weight=0 smtp://b.example.org smtp://u:sec/ret@c.example.org?rate=x")
    said = str(caught.value)
    with pytest.raises(ConfigError, match="names mail server a.example.org:25 twice"):
        open_lanes("smtp://a.example.org smtp://a.example.org?weight=2")

    assert "address 1 weight is a number from 1 to 1000, not '0'" in said
    assert "address 3 is not a URL" in said
    assert "address 2" not in said
    assert "ret@" not in said


def test_two_accounts_of_one_server_are_two_lanes() -> None:
    """Who we are to a server counts, and is not to be read in the lane's name."""
    send = open_lanes("smtp://ann:x@a.example.org smtp://bob:x@a.example.org")

    assert isinstance(send, LanesSend)
    names = {sender.relay.name for sender in send._senders}
    assert len(names) == 2
    assert not any("ann" in name or "bob" in name for name in names)


def test_workers_share_what_they_know(store: Store) -> None:
    """What one worker learned of a server, and took of its day, the next one goes by."""
    with FaultServer({"greeting": "554 5.3.2 not now"}) as sick, FaultServer() as well:
        text = f"{sick.url()} {well.url('?warm_up=30..90/3d')}"
        first = post(open_lanes(text).sharing(store.lanes, guard=GUARD), messages(20))
        asked = sick.connections
        second = post(open_lanes(text).sharing(store.lanes, guard=GUARD), messages(20))

    assert verdicts(first) == all_sent(20)
    assert list(verdicts(second).values()).count(Verdict.SENT) == 10
    assert sick.connections == asked
    lane = store.lanes.list()[f"mail server 127.0.0.1:{well.port}"]
    assert lane.day_count == 30
