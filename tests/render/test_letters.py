"""The mails beside the issues."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import RenderError
from newsletter.language import languages, speak
from newsletter.mail.headers import parse_mailbox
from newsletter.mail.message import Letterhead, compile_issue
from newsletter.model import Newsletter, Recipient
from newsletter.render.issue import Render, open_render
from newsletter.render.letter import Letter, LetterContext, Occasion
from newsletter.render.plain import WIDTH, columns
from tests.builders import NOON

ACTION, REFUSE = "https://papers.example.org/confirm/abc?a=1&b=2", "https://papers.example.org/never/abc"


def a_letter(occasion: Occasion, **changes: object) -> Letter:
    """A letter with something in every field."""
    values: dict[str, object] = {
        "action_url": ACTION,
        "refuse_url": REFUSE,
        "next": "Monday",
        "title": "arxiv-ai is silent",
        "lines": ("It gave nothing for 3 days.", "Its server answers 503."),
    }
    return Letter(occasion=occasion, **{**values, **changes})  # type: ignore[arg-type]


def parts(render: Render, newsletter: Newsletter, letter: Letter, language: str = "") -> tuple[str, str]:
    """The HTML and the text."""
    return render.preview(render.letter(letter, newsletter=newsletter, language=language), {})


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("occasion", Occasion)
def test_both_parts_lead_to_the_same_places(
    occasion: Occasion, language: str, render: Render, newsletter: Newsletter
) -> None:
    """The button and the way out, in the HTML and alone on a line of the text, in every language."""
    html, text = parts(render, newsletter, a_letter(occasion), language)
    page = BeautifulSoup(html, "html.parser")
    links = {str(link["href"]) for link in page.find_all("a")}
    lines = {line for line in text.split("\n") if line.startswith("https://")}

    assert links == lines
    assert ACTION in links
    assert (REFUSE in links) is (occasion not in {Occasion.ACCOUNT, Occasion.NOTICE, Occasion.ALARM})
    assert all(link.get_text(strip=True) for link in page.find_all("a"))
    assert all(columns(line) <= WIDTH for line in text.split("\n") if not line.startswith("https://"))
    html_element = page.find("html")
    assert html_element is not None
    assert (html_element["lang"], html_element["dir"]) == (language, speak(language).direction)
    assert [heading.name for heading in page.find_all(["h1", "h2", "h3"])] == ["h1"]


@pytest.mark.parametrize("occasion", Occasion)
def test_the_text_begins_with_the_preheader(occasion: Occasion, render: Render, newsletter: Newsletter) -> None:
    """What a client shows beside the subject is the same whichever part it reads, and is not the subject."""
    html, text = parts(render, newsletter, a_letter(occasion))
    hidden = BeautifulSoup(html, "html.parser").find("div", style=lambda style: "display:none" in (style or ""))

    assert hidden is not None
    assert text.split("\n", 1)[0] == hidden.get_text()
    assert hidden.get_text() != render.letter(a_letter(occasion), newsletter=newsletter).subject


def test_a_confirmation_repeats_nothing_that_was_typed(render: Render, newsletter: Newsletter) -> None:
    """Whoever types a stranger's address cannot say anything to them: all that differs is the two links."""
    plain = a_letter(Occasion.CONFIRMATION)
    loud = replace(plain, next="BUY", title="BUY", lines=("BUY",))

    assert parts(render, newsletter, plain) == parts(render, newsletter, loud)


def test_a_letter_is_a_message(render: Render, newsletter: Newsletter) -> None:
    """It is assembled as an issue is."""
    rendered = render.letter(a_letter(Occasion.CONFIRMATION), newsletter=newsletter, language="de")
    letterhead = Letterhead(sender=parse_mailbox(newsletter.sender), date=NOON, auto_generated=True)
    recipient = Recipient(delivery=1, subscriber=1, email="reader@example.org", message_id="<1@example.org>")
    message = compile_issue(rendered, letterhead).message(recipient, tokens={}, unsubscribe_url=REFUSE)

    assert b"Auto-Submitted: auto-generated" in message.data
    assert b"=?utf-8?" in message.data.lower().partition(b"\r\n\r\n")[0] or b"Bitte" in message.data


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80))
def test_an_alarm_shows_any_text_as_text(text: str, render: Render, newsletter: Newsletter) -> None:
    """What a server answered may hold anything."""
    html, _ = parts(render, newsletter, a_letter(Occasion.ALARM, title=text or "x", lines=(f"<b>{text}", "{{ 7*7 }}")))

    assert "{{ 7*7 }}" in html
    assert BeautifulSoup(html, "html.parser").find("b") is None


def test_an_address_that_is_none_is_no_link(render: Render, newsletter: Newsletter) -> None:
    """A button never runs a script."""
    html, _ = parts(render, newsletter, a_letter(Occasion.WELCOME, action_url="javascript:alert(1)"))

    assert "javascript" not in html


def test_an_operator_writes_letters_of_their_own(tmp_path: Path, newsletter: Newsletter) -> None:
    """A template in the operator's folder stands for the bundled one; a mistake in it is told with its place."""
    folder = tmp_path / "email" / "letters"
    folder.mkdir(parents=True)
    (folder / "notice.txt.j2").write_text("Bye.\n{{ nobody }}")

    with pytest.raises(RenderError, match=r"email/letters/notice\.txt\.j2:2"):
        open_render([tmp_path], base_url="https://x.example/").letter(a_letter(Occasion.NOTICE), newsletter=newsletter)


def test_every_variable_has_its_help() -> None:
    """Whoever writes a letter can read what each variable stands for."""
    assert all(each.metadata["help"] for each in fields(LetterContext))
