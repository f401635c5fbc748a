from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import Preferences
from newsletter.roster import Refused, Roster, written
from newsletter.sheets import open_sheet
from newsletter.store.enrolment import Entrant
from newsletter.store.subscribers import Subscriber
from tests.builders import NOON

CASES = sorted(path.parent for path in (Path(__file__).parent / "data" / "imports").glob("*/expected.json"))
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


def roster(data: bytes, file: str = "people.csv", **options: Any) -> Roster:
    """A list of readers with that content."""
    return Roster(open_sheet(io.BytesIO(data)), file=file, **options)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_lists_from_elsewhere(case: Path) -> None:
    """Each file gives the people, refusals and columns that are written beside it."""
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    with (case / expected["file"]).open("rb") as file:
        sheet = open_sheet(file)
        read_from = Roster(sheet, file=expected["file"], **expected["options"])
        rows = list(read_from.read())
    people = [row for row in rows if isinstance(row, Entrant)]
    refused = [row for row in rows if isinstance(row, Refused)]

    assert (sheet.encoding, sheet.delimiter) == (expected["encoding"], expected["delimiter"])
    assert read_from.ignored == expected["ignored"]
    for who, wanted in zip(people, expected["people"], strict=True):
        defaults = {"name": "", "timezone": "", "cadence": "daily", "state": "", "suppressed": ""}
        found = {field: getattr(who, field) for field in (*defaults, *wanted)}
        assert found == {**defaults, **wanted}
    for row, (line, value, reason) in zip(refused, expected["refused"], strict=True):
        assert (row.line, row.value) == (line, value)
        assert reason in row.reason


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "nothing in it"),
        (b"\n\n", "nothing in it"),
        (b"Kontakt,Name\na@example.org,Ann\n", r"no column is called email, but: 'Kontakt', 'Name'; --map"),
        (b"First,Second\n1,2\n", "no column is called email"),
    ],
)
def test_no_column_of_addresses(data: bytes, told: str) -> None:
    """A file whose column of addresses has no usual name is refused with the headers it has."""
    with pytest.raises(ValueError, match=told):
        roster(data)


def test_a_column_that_is_not_there() -> None:
    """Naming a header that the file lacks says which there are."""
    with pytest.raises(ValueError, match="it has no column 'Mail 2' for email, but: 'Mail'"):
        roster(b"Mail\na@example.org\n", columns={"email": "Mail 2"})


def test_people_who_never_subscribed() -> None:
    """Mailchimp's file of contacts that agreed to nothing is not taken."""
    with pytest.raises(ValueError, match="never subscribed"):
        roster(b"email\na@example.org\n", file="nonsubscribed_email_audience_export.csv")


def test_a_quote_that_is_never_closed() -> None:
    """What swallows the rest of a file is told with its line, after the rows before it."""
    read = roster(b'email,name\na@example.org,Ann\nb@example.org,"Bob\n' + b"x@example.org,\n" * 20000).read()

    assert isinstance(next(read), Entrant)
    with pytest.raises(ValueError, match="line 3: .*a quote is open"):
        next(read)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Whatever a file holds, it is read or refused in words."""
    try:
        rows = list(roster(data).read())
    except ValueError:
        return
    assert all(isinstance(row, Entrant | Refused) for row in rows)


WORDS = st.lists(
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1, max_size=10), unique=True
).map(tuple)
CHOSEN = st.builds(
    Preferences,
    topics=WORDS,
    include=WORDS,
    exclude=WORDS,
    authors=WORDS,
    hour=st.none() | st.integers(0, 23),
    language=st.sampled_from(["", "de", "en-US"]),
    stories=st.none() | st.integers(1, 50),
    paused_until=st.none() | st.dates(),
)


@given(
    st.lists(
        st.builds(
            Subscriber,
            id=st.just(1),
            email=st.sampled_from(["a@example.org", "+b@example.org", "=c@example.org", "-d@example.org"]),
            name=TEXT,
            timezone=st.sampled_from(["", "Europe/Paris"]),
            cadence=st.sampled_from(["daily", "weekly", "monthly"]),
            state=st.sampled_from(["pending", "confirmed", "left"]),
            suppressed=st.sampled_from(["", "no such user", "=1", "550 5.1.1 gone, for good"]),
            since=st.just(NOON),
        )
    ),
    CHOSEN,
)
def test_what_is_written_is_read_again(readers: list[Subscriber], chosen: Preferences) -> None:
    """An export gives back the same readers and choices, whatever their words hold, and no cell of it is a formula."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(written((who, chosen) for who in readers))
    cells = [cell for row in csv.reader(io.StringIO(out.getvalue(), newline="")) for cell in row]
    rows = list(roster(out.getvalue().encode()).read())

    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert len(rows) == len(readers)
    for row, who in zip(rows, readers, strict=True):
        assert isinstance(row, Entrant)
        state = "" if who.state == "confirmed" else who.state
        kept = (who.email, who.name, who.timezone, who.cadence, state, who.suppressed)
        assert (row.email, row.name, row.timezone, row.cadence, row.state, row.suppressed) == kept
        assert row.chosen == chosen


def test_an_export_of_an_earlier_release_is_read() -> None:
    """It has no choices in it, and its names are kept to the letter."""
    (who,) = roster(b"email,name,timezone,cadence,state,since,suppressed\na@example.org, Ann ,,weekly,left,,\n").read()

    assert isinstance(who, Entrant)
    assert (who.name, who.cadence, who.state, who.chosen) == (" Ann ", "weekly", "left", Preferences())


def test_choices_of_another_list_are_named_by_the_importer() -> None:
    """A column of that name means something else elsewhere, so it is left out unless it is asked for."""
    data = b'email,Topics,hour\na@example.org,"vision, systems",noon\n'
    (unasked,) = roster(data).read()
    (asked,) = roster(data, columns={"topics": "Topics"}).read()

    assert isinstance(unasked, Entrant)
    assert isinstance(asked, Entrant)
    assert (unasked.chosen, asked.chosen) == (Preferences(), Preferences(topics=("vision", "systems")))


@pytest.mark.parametrize(
    ("field", "cell", "told"),
    [
        ("hour", "24", "no number from 0 to 23"),
        ("stories", "0", "no number from 1"),
        ("language", "../etc", "named like en or pt-BR"),
        ("paused_until", "soon", "no day; they are written like 2026-12-24"),
        ("exclude", "x" * 81, "more than 80 characters"),
        ("include", ",".join(str(number) for number in range(51)), "more than 50"),
        ("authors", "a\u202eb", "nobody sees"),
    ],
)
def test_choices_that_nobody_can_make_refuse_the_row(field: str, cell: str, told: str) -> None:
    """With the column and what stands there."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["email", "Choice"], ["a@example.org", cell]])
    (row,) = roster(out.getvalue().encode(), columns={field: "Choice"}).read()

    assert isinstance(row, Refused)
    assert row.reason.startswith(f"{field}: ")
    assert told in row.reason
