from __future__ import annotations

from newsletter.model import Collected, Composed, Run, SourceReport
from newsletter.store import Store
from tests.builders import HOUR, NOON, a_slot


def test_reports_come_back_newest_first(store: Store) -> None:
    """The report of every run is kept, also of those that sent nothing, and found by newsletter and slot."""
    empty = Run(slot=a_slot(), composed=Composed(issue=None, reason="nothing new", left_out={"already sent": 3}))
    failed = Run(
        slot=a_slot(schedule="evening"),
        collected=Collected(sources=(SourceReport(source="feed", error="503"),)),
        error="template broken",
    )
    store.runs.add(empty, now=NOON)
    store.runs.add(failed, now=NOON + HOUR)

    assert [ended.run for ended in store.runs.list("daily-papers")] == [failed, empty]
    assert [ended.run for ended in store.runs.list(slot=empty.slot.key)] == [empty]
    assert store.runs.list("another") == []
