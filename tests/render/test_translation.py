from __future__ import annotations

from dataclasses import replace

from newsletter.language import speak
from newsletter.model import Issue, Section
from newsletter.render import phrases
from newsletter.render.translation import translated
from tests.builders import a_slot, a_story


def an_issue(*, preheader: str = "", rest: str = "More stories") -> Issue:
    """An English one of two sections, with its own preheader unless one is given."""
    sections = (
        Section(topic="robots", title="Robots", stories=(a_story(1, title="Hands", again="rising again"),)),
        Section(topic=phrases.REST, title=rest, stories=(a_story(2),), more=3),
    )
    told = phrases.preheader(speak("en"), sections, "story")
    return Issue(slot=a_slot(), title="News", preheader=preheader or told, intro=("Hello.",), sections=sections)


def test_only_the_words_of_the_program_are_others() -> None:
    """The preheader and the title of what fits no topic; there and back again nothing has changed."""
    issue = an_issue()
    german = translated(issue, "de", noun="story")

    assert german.language == "de"
    assert german.preheader == phrases.preheader(speak("de"), issue.sections, "story") != issue.preheader
    assert [section.title for section in german.sections] == ["Robots", speak("de").gettext("More stories")]
    assert german.stories == issue.stories
    assert (german.title, german.intro) == (issue.title, issue.intro)
    assert translated(german, "en", noun="story") == issue


def test_what_somebody_wrote_stays() -> None:
    """A preheader and a title of their own, in whatever language."""
    issue = an_issue(preheader="Read this first.", rest="Odds and ends")

    assert translated(issue, "ar", noun="story") == replace(issue, language="ar")
