from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.replies import LONGEST_WAIT, Phase, goes_on, read_reply
from newsletter.mail.reply_rules import RULES
from newsletter.mail.wire import Reply, ReplyReader
from newsletter.model import Verdict

FOLDER = Path(__file__).parents[1] / "data/replies"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a reply must mean, the reply itself, read as from a server, and where it was seen."""

    file: str
    seen: str
    expected: str
    reply: Reply

    def __str__(self) -> str:
        return f"{self.file}-{self.reply}"[:70]


def cases() -> list[Case]:
    """Every case in tests/data/replies."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        seen = ""
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            lines = block.splitlines()
            seen = next((line.partition(":")[2].strip() for line in lines if line.startswith("# seen:")), seen)
            expected, *said = [line for line in lines if line and not line.startswith("#")] or [""]
            if expected:
                wire = "".join(f"{line}\r\n" for line in said).encode()
                found.append(Case(file=path.stem, seen=seen, expected=expected, reply=ReplyReader().feed(wire)[0]))
    return found


@pytest.mark.parametrize("case", cases(), ids=str)
def test_case(case: Case) -> None:
    """A reply means what its case says, and nothing beside it."""
    word, step, *flags = case.expected.split()
    reply, phase = case.reply, Phase(step)
    if word == "goes-on":
        assert goes_on(reply.code, phase=phase)
        return
    assert step in {"body", "dot"} or not goes_on(reply.code, phase=phase)
    decision = read_reply(reply.code, reply.text, phase=phase)
    said = [flag for flag in ("reconnect", "lane", "refuse", "policy") if getattr(decision, flag)]
    if decision.retry_after is not None:
        said.append(f"retry_after={decision.retry_after:g}")
    assert (decision.verdict.value, sorted(said)) == (word, sorted(flags)), decision.reason


def test_there_are_cases() -> None:
    """The folder is found, and every case says where its text was seen."""
    assert len([case for case in cases() if case.file != "protocol"]) >= 200
    assert [str(case) for case in cases() if not case.seen] == []


def test_every_rule_has_a_case() -> None:
    """No rule stands in the table that no reply anybody saw comes to."""
    met = set()
    for case in cases():
        phase = Phase(case.expected.split()[1])
        code, text = case.reply.code, case.reply.text
        if 400 <= code <= 599 and phase is not Phase.RSET:
            met.add(next(index for index, rule in enumerate(RULES) if rule.matches(code, text, phase)))
    assert [rule for index, rule in enumerate(RULES) if index not in met] == []


def test_rules_name_servers_that_have_a_case() -> None:
    """What a rule names as its source beside an RFC is a server whose replies are among the cases."""
    servers = {re.split("[,;]", case.seen)[0].lower() for case in cases()} | {"every other"}
    for rule in RULES:
        named = re.split("; |, | and ", re.sub(r"RFC [^;]*", "", rule.source).lower())
        assert {name for name in named if name} <= servers, rule.source


messages = [Phase.RSET, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT]


@settings(deadline=None, max_examples=75)
@given(st.integers(0, 999), st.text(max_size=80), st.sampled_from(messages))
def test_every_reply_has_a_meaning(code: int, text: str, phase: Phase) -> None:
    """Whatever a server says: sent needs a 2xx to the dot, uncertain only comes after it, suppression needs a 5xx."""
    decision = read_reply(code, text, phase=phase)

    assert (decision.verdict is Verdict.SENT) == (phase is Phase.DOT and 200 <= code <= 299)
    assert decision.verdict is not Verdict.UNCERTAIN or phase is Phase.DOT
    if decision.verdict is Verdict.SUPPRESS:
        assert 500 <= code <= 599
        assert phase not in {Phase.MAIL, Phase.RSET}
    assert not (decision.again and decision.verdict is not Verdict.UNSENT)


@given(st.sampled_from(["5.7.1", "5.7.26", "5.7.515", "5.7.25"]), st.sampled_from(messages))
def test_policy_never_suppresses(status: str, phase: Phase) -> None:
    """A refusal of what we send says nothing about the address it was sent to, whatever else it says."""
    assert read_reply(550, f"{status} user unknown", phase=phase).verdict is not Verdict.SUPPRESS


@settings(deadline=None, max_examples=75)
@given(st.binary(max_size=200), st.sampled_from(Phase))
def test_any_bytes_have_a_meaning(octets: bytes, phase: Phase) -> None:
    """Whatever comes over the wire is judged, and nothing raises."""
    for reply in ReplyReader().feed(octets + b"\r\n550 " + octets.replace(b"\n", b" ") + b"\r\n"):
        decision = read_reply(reply.code, reply.text, phase=phase)
        assert decision.reason
        assert decision.retry_after is None or 0 < decision.retry_after <= LONGEST_WAIT


unknown = ["5.1.1 user unknown", "no such user", "mailbox not found", "Invalid recipient", "account is disabled"]
about_us = [
    "listed at zen.spamhaus.org",
    "blocked using a DNSBL",
    "due to policy",
    "DMARC failure",
    "poor reputation",
    "relay access denied",
    "too many messages",
    "sender address rejected",
    "quota exceeded",
]


@given(
    st.sampled_from(unknown), st.sampled_from(about_us), st.booleans(), st.sampled_from(messages), st.text(max_size=9)
)
def test_only_a_reply_about_the_address_alone_suppresses(
    address: str, us: str, first: bool, phase: Phase, between: str
) -> None:
    """A reply that speaks of the address and of us is not held against the address."""
    text = f"{us} {between} {address}" if first else f"{address} {between} {us}"

    assert read_reply(550, text, phase=phase).verdict is not Verdict.SUPPRESS


@settings(deadline=None)
@given(st.integers(400, 599), st.text(max_size=60), st.sampled_from(unknown), st.sampled_from(Phase))
def test_before_a_message_is_offered_none_is_to_blame(code: int, text: str, unknown: str, phase: Phase) -> None:
    """Up to AUTH whatever a server refuses is refused to us."""
    if phase in {Phase.CONNECT, Phase.GREETING, Phase.EHLO, Phase.STARTTLS, Phase.AUTH}:
        assert read_reply(code, f"{text} {unknown}", phase=phase).verdict is Verdict.UNSENT
