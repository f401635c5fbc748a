"""The messages as they travel: SpamAssassin, and Python's own reader of mail."""

from __future__ import annotations

import email
import mailbox
import re
from collections.abc import Mapping
from contextlib import closing
from email.message import EmailMessage
from email.policy import default

import pytest
from bs4 import BeautifulSoup

from tests.outside import tools
from tests.outside.mails import NAMES, Mail

pytestmark = pytest.mark.long

_SUSPICIOUS = 0.5  # points; most servers file a mail as spam from 5
# What every filter of spam takes for spam, so that it can be tried: https://spamassassin.apache.org/gtube/
_SPAM = b"Subject: test\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"


def _parts(mail: Mail) -> tuple[str, str]:
    """The text and the HTML part, decoded."""
    message = email.message_from_bytes(mail.eml, policy=default)
    assert isinstance(message, EmailMessage)
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return str(text.get_content()), str(html.get_content())


@pytest.fixture(scope="session")
def verdicts(mails: Mapping[str, Mail], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What SpamAssassin's local tests say of each mail: its X-Spam-Status."""
    spamassassin = tools.command("spamassassin", package="spamassassin")
    folder = tmp_path_factory.mktemp("spam")
    with closing(mailbox.mbox(folder / "mbox")) as box:
        for name, data in [*((name, mail.eml) for name, mail in mails.items()), ("spam", _SPAM)]:
            message = mailbox.mboxMessage(data)
            message["X-Sample"] = name
            box.add(message)
    options = ("--local", "--nocreate-prefs", "--prefspath=/dev/null", "--mbox")
    settings = ("--cf=use_bayes 0", "--cf=fold_headers 0", "--cf=report_safe 0")
    home = {"HOME": str(folder)}
    done = tools.run(spamassassin, *options, *settings, folder / "mbox", environment=home)
    (folder / "marked").write_bytes(done.stdout)
    with closing(mailbox.mbox(folder / "marked")) as marked:
        return {str(message["X-Sample"]): str(message["X-Spam-Status"]) for message in marked}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_not_suspicious(name: str, verdicts: Mapping[str, str]) -> None:
    """SpamAssassin gives it hardly a point."""
    assert _score(verdicts[name]) < _SUSPICIOUS, verdicts[name]


def test_spam_is_suspicious(verdicts: Mapping[str, str]) -> None:
    """SpamAssassin finds what it is meant to find."""
    assert _score(verdicts["spam"]) >= 1000


def _score(verdict: str) -> float:
    found = re.search(r"score=(-?[\d.]+)", verdict)
    assert found is not None, verdict
    return float(found[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_snippet_is_the_preheader(name: str, mails: Mapping[str, Mail]) -> None:
    """What a list of mails shows beside the subject, the beginning of the text, is the preheader."""
    text, _ = _parts(mails[name])

    assert " ".join(text.split()).startswith(mails[name].preheader)


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_short(name: str, mails: Mapping[str, Mail]) -> None:
    """Encoded lines have 76 columns at most (RFC 2045 section 6.7), headers 998 (RFC 5322 section 2.1.1)."""
    head, _, body = mails[name].eml.partition(b"\r\n\r\n")

    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("name", NAMES)
def test_text_and_html_lead_to_the_same_places(name: str, mails: Mapping[str, Mail]) -> None:
    """Who reads the text misses no link, and gets none that the page has not."""
    text, html = _parts(mails[name])
    links = {str(link["href"]) for link in BeautifulSoup(html, "html.parser").find_all("a", href=True)}

    assert set(re.findall(r"https?://\S+", text)) == {link for link in links if not link.startswith("#")}


def test_sixty_stories_are_cut(mails: Mapping[str, Mail]) -> None:
    """The largest sample is more than a mail may hold, so that the others' checks see a mail that was cut."""
    sixty = {name: mail for name, mail in mails.items() if name.endswith("-sixty")}

    assert sixty
    for mail in sixty.values():
        assert 0 < mail.shown < mail.stories
        assert len(mail.html.encode()) <= 95_000
