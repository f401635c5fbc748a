"""Languages: dates, figures and catalogues."""

from __future__ import annotations

import re
from datetime import date

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from newsletter.language import CATALOGUES, ENGLISH, languages, others, speak
from tools.messages import messages

FRIDAY = date(2026, 11, 20)


def test_a_date_is_written_out() -> None:
    """A date has its weekday and the month's name, in the manner of the language and its country."""
    assert ENGLISH.full_date(FRIDAY) == "Friday, 20 November 2026"
    assert speak("en-US").full_date(FRIDAY) == "Friday, November 20, 2026"
    assert speak("de").full_date(FRIDAY) == "Freitag, 20. November 2026"
    assert speak("fr").short_date(FRIDAY) == "20 nov."


@pytest.mark.parametrize(
    ("number", "short"),
    [
        (0, "0"), (999, "999"), (1000, "1k"), (3412, "3.4k"), (9949, "9.9k"), (9960, "10k"), (12_345, "12k"),
        (999_499, "999k"), (999_500, "1M"), (1_234_567, "1.2M"),
    ],
)  # fmt: skip
def test_large_figures_are_short(number: int, short: str) -> None:
    """From a thousand on a figure has at most four characters, and rounding never gives 1000k."""
    assert ENGLISH.compact(number) == short


def test_what_has_no_catalogue_speaks_english() -> None:
    """In the direction of its own script; what is no tag is English altogether."""
    hebrew = speak("he")

    assert (hebrew.tag, hebrew.direction, hebrew.gettext("Unsubscribe")) == ("he", "rtl", "Unsubscribe")
    assert hebrew.full_date(FRIDAY) == "Friday, 20 November 2026"
    for tag in ("", "x y", "zz-ZZ", "../../etc", "a" * 500):
        assert (speak(tag).tag, speak(tag).direction) == ("en", "ltr")


def test_other_languages_are_those_that_are_spoken() -> None:
    """Not that of the newsletter, whatever its country, and none without a catalogue."""
    assert others({"fr", "de", "en", "he", "", "../../etc"}, "de-AT") == ["en", "fr"]
    assert others({"en", "en-US"}, "en") == []
    assert others({"en", "ar"}, "he") == ["ar", "en"]


def test_there_are_languages_of_both_directions() -> None:
    """English and two more, and one that is read from right to left."""
    assert len(languages()) >= 4
    assert {speak(tag).direction for tag in languages()} == {"ltr", "rtl"}


@pytest.mark.parametrize("tag", languages()[1:])
def test_a_catalogue_says_everything(tag: str) -> None:
    """Each message of code and templates is there in every plural form, with the same names in it, and no other is."""
    with (CATALOGUES / tag / "LC_MESSAGES" / "newsletter.po").open("rb") as file:
        catalogue = read_po(file, locale=tag)
    said = {message.id: message for message in catalogue if message.id}

    assert said.keys() == {message.id for message in messages() if message.id}, "`make messages` brings them up to date"
    assert [message.id for message in said.values() if message.fuzzy or not all(_forms(message))] == []
    assert [message.id for message in said.values() if not _fits(message)] == []


def _forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def _fits(message: Message) -> bool:
    """Whether no form has a name that the message lacks, and the last, which stands for most numbers, has all."""
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    names = set(re.findall(r"%\((\w+)\)s", ids[-1]))
    forms = [set(re.findall(r"%\((\w+)\)s", form)) for form in _forms(message)]
    return forms[-1] == names and all(found <= names for found in forms)
