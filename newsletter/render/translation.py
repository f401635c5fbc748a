"""An issue for readers of another language: other words for what the program says in it, the same for all the rest.

The words that are rendered follow from the issue's language; these stand in the issue itself.
"""

from __future__ import annotations

from dataclasses import replace

from newsletter.language import speak
from newsletter.model import Issue
from newsletter.render import phrases


def translated(issue: Issue, language: str, *, noun: str) -> Issue:
    """The issue in a language, by its BCP 47 tag: what its sources, its operator and its editor wrote stays.

    A preheader and the title of the section of what fits no topic are the program's where they say what it says.
    """
    own, other = speak(issue.language), speak(language)
    told, rest = phrases.preheader(own, issue.sections, noun), (phrases.REST, phrases.rest(own, noun))
    sections = tuple(
        replace(section, title=phrases.rest(other, noun) if (section.topic, section.title) == rest else section.title)
        for section in issue.sections
    )
    preheader = phrases.preheader(other, sections, noun) if issue.preheader == told else issue.preheader
    return replace(issue, preheader=preheader, sections=sections, language=language)
