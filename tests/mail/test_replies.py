from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.replies import Phase, goes_on, read_reply
from newsletter.mail.wire import Reply, ReplyReader
from newsletter.model import Verdict

FOLDER = Path(__file__).parents[1] / "data/replies"


def cases() -> list[tuple[str, Reply]]:
    """Every case in tests/data/replies: its expectations and the reply, read as from a server."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            lines = [line for line in block.splitlines() if line and not line.startswith("#")]
            if lines:
                wire = "".join(f"{line}\r\n" for line in lines[1:]).encode()
                found.append((lines[0], ReplyReader().feed(wire)[0]))
    return found


@pytest.mark.parametrize(("expected", "reply"), cases(), ids=lambda value: str(value)[:60])
def test_case(expected: str, reply: Reply) -> None:
    """A reply means what its case says, and nothing beside it."""
    word, step, *flags = expected.split()
    if word == "goes-on":
        assert goes_on(reply.code, phase=Phase(step))
        return
    assert step in {"body", "dot"} or not goes_on(reply.code, phase=Phase(step))
    decision = read_reply(reply.code, reply.text, phase=Phase(step))
    said = [flag for flag in ("reconnect", "lane", "refuse") if getattr(decision, flag)]
    if decision.retry_after is not None:
        said.append(f"retry_after={decision.retry_after:g}")
    assert (decision.verdict.value, sorted(said)) == (word, sorted(flags)), decision.reason


def test_there_are_cases() -> None:
    """The folder of cases is found."""
    assert len(cases()) >= 80


messages = [Phase.RSET, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT]


@settings(deadline=None, max_examples=300)
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
