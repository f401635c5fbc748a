from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.dates import read_date

MONTHS = {
    "English": "January February March April May June July August September October November December",
    "short": "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec",
    "German": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "French": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "Spanish": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "Italian": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "Portuguese": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "Dutch": "januari februari maart april mei juni juli augustus september oktober november december",
    "Danish": "januar februar marts april maj juni juli august september oktober november december",
    "Hungarian": "január február március április május június július augusztus szeptember október november december",
    "Polish": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "Czech": "ledna února března dubna května června července srpna září října listopadu prosince",
    "Turkish": "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
    "Russian": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "Ukrainian": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "Bulgarian": "януари февруари март април май юни юли август септември октомври ноември декември",
    "Greek": "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου "
    "Νοεμβρίου Δεκεμβρίου",
}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # ISO 8601 and RFC 3339
        ("2026-02-05T10:00:00Z", "2026-02-05T10:00:00"),
        ("2026-02-05T10:00:00.123456789+05:30", "2026-02-05T04:30:00"),
        ("2026-02-05t10:00z", "2026-02-05T10:00:00"),
        ("2026-02-05 10:00:00 +0200", "2026-02-05T08:00:00"),
        ("2026-02-05T10:00:00-0500", "2026-02-05T15:00:00"),
        ("2026-02-05T10:00:00 -05:00", "2026-02-05T15:00:00"),
        ("2026-02-05", "2026-02-05T00:00:00"),
        ("2026-02-05+02:00", "2026-02-05T00:00:00"),
        ("2026-02", "2026-02-01T00:00:00"),
        ("2026", "2026-01-01T00:00:00"),
        ("20260205T101112Z", "2026-02-05T10:11:12"),
        ("20260205T1011", "2026-02-05T10:11:00"),
        ("20260205", "2026-02-05T00:00:00"),
        ("2026-W06-4", "2026-02-05T00:00:00"),
        ("2026W06", "2026-02-02T00:00:00"),
        ("2026-036T12:00Z", "2026-02-05T12:00:00"),
        ("2026036", "2026-02-05T00:00:00"),
        ("2026-02-05T24:00:00Z", "2026-02-06T00:00:00"),
        ("2026-12-31T24:00:00+01:00", "2026-12-31T23:00:00"),
        ("2026-02-05T23:59:60Z", "2026-02-05T23:59:59"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00"),
        # RFC 822 and what people make of it
        ("Thu, 05 Feb 2026 10:00:00 GMT", "2026-02-05T10:00:00"),
        ("Thu, 05 Feb 26 10:00 EST", "2026-02-05T15:00:00"),
        ("05 Feb 97 10:00:00 PDT", "1997-02-05T17:00:00"),
        ("Thu,5 Feb 2026 10:00:00 +0530", "2026-02-05T04:30:00"),
        ("Thu, 05 Feb 2026 10:00:00 GMT+2", "2026-02-05T08:00:00"),
        ("Thu, 05 Feb 2026 10:00:00 UTC-05:00", "2026-02-05T15:00:00"),
        ("Thu, 05 Feb 2026 10:00:00 (PST)", "2026-02-05T18:00:00"),
        ("Thu, 05 Feb 2026 10:00:00 -0800 (PST)", "2026-02-05T18:00:00"),
        ("Thu, 05 Feb 2026 10:00:00 CEST", "2026-02-05T08:00:00"),
        ("Thu, 05 Feb 2026 10:00:00 ACST", "2026-02-05T00:30:00"),
        ("Thu, 05 Feb 2026 10:00:00 A", "2026-02-05T10:00:00"),
        ("Thu, 05 Feb 2026 10:00:00 nowhere", "2026-02-05T10:00:00"),
        ("Thu, 05 Feb 2026 10:00:00", "2026-02-05T10:00:00"),
        ("Thu, 05 Feb 2026 99:99:99 GMT", "2026-02-05T00:00:00"),
        ("Thu, 05 Feb 2026", "2026-02-05T00:00:00"),
        ("February 5, 2026", "2026-02-05T00:00:00"),
        ("Feb 5, 2026 3:04 PM", "2026-02-05T15:04:00"),
        ("Feb 5, 2026 12:04 a.m.", "2026-02-05T00:04:00"),
        ("2026-Feb-05", "2026-02-05T00:00:00"),
        ("February 2026", "2026-02-01T00:00:00"),
        # asctime, and what programs write that have a calendar of their own
        ("Thu Feb  5 10:00:00 2026", "2026-02-05T10:00:00"),
        ("Thu Feb  5 10:00:00 EST 2026", "2026-02-05T15:00:00"),
        ("Thu Feb  5 10:00:00 2026 -0500", "2026-02-05T15:00:00"),
        ("Thu Feb 05 2026 10:00:00 GMT+0100 (CET)", "2026-02-05T09:00:00"),
        ("Thu, 2026/02/05 10:00:00 EDT", "2026-02-05T14:00:00"),
        ("1770285600", "2026-02-05T10:00:00"),
        ("1770285600123", "2026-02-05T10:00:00"),
        # figures only
        ("05.02.2026 10:00", "2026-02-05T10:00:00"),
        ("5-2-2026", "2026-02-05T00:00:00"),
        ("25/02/2026", "2026-02-25T00:00:00"),
        ("02/25/2026", "2026-02-25T00:00:00"),
        ("2/5/2026 10:00:00 PM", "2026-02-05T22:00:00"),
        # elsewhere
        ("5 février 2026 à 14h30", "2026-02-05T14:30:00"),
        ("mar. 3 févr. 2026 10:00:00 +0100", "2026-02-03T09:00:00"),
        ("Чт, 05 фев 2026 10:00:00 +0300", "2026-02-05T07:00:00"),
        ("2026年2月5日 10:00", "2026-02-05T10:00:00"),
        ("2026년 2월 5일 10:00:00", "2026-02-05T10:00:00"),
        ("3 Şubat 2026 Pazartesi", "2026-02-03T00:00:00"),
    ],
)
def test_dates_are_read(text: str, moment: str) -> None:
    """In UTC; without a zone in UTC already."""
    assert read_date(text) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "10:00",
        "5 Feb",
        "Thu, 31 Feb 2026 10:00:00 GMT",
        "03/04/2026",
        "2026-13-01",
        "12",
        "2026-W60",
        "99999999999",
        "9999-12-31T23:59:59-12:00",
        "0000-00-00 00:00:00",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    """Days that no calendar has, dates that lack a part, and those that could be either of two."""
    assert read_date(text) is None


@pytest.mark.parametrize("language", MONTHS)
def test_months_have_names_in_many_languages(language: str) -> None:
    """All twelve, with a day before and a year behind."""
    names = MONTHS[language].split()
    told = [read_date(f"5 {name} 2026 10:00") for name in names]
    assert told == [datetime(2026, month, 5, 10, tzinfo=UTC) for month in range(1, 13)]


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - both are UTC
def test_what_programs_write_is_read_back(moment: datetime) -> None:
    """RFC 3339, RFC 822 and asctime, to the second."""
    told = moment.replace(microsecond=0, tzinfo=UTC)
    assert read_date(told.isoformat()) == told
    assert read_date(f"{told:%a, %d %b %Y %H:%M:%S} +0000") == told
    assert read_date(told.ctime()) == told


@given(st.text(max_size=150) | st.text("0123456789-/.:, TWZjanfebGMT+年月日", max_size=120))
def test_no_text_is_too_odd(text: str) -> None:
    """Whatever stands there is a moment in UTC or none."""
    told = read_date(text)
    assert told is None or told.tzinfo is UTC
