"""Issues to look at: every theme is filled with each of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from newsletter.model import Issue, Link, Mention, Part, Section, Signals, Slot, Story

_AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
_AUTHORS = ("First Author", "Second Author", "Third Author", "Fourth Author", "Fifth Author")
_TOPICS = ("Language models", "Images and video", "Robots", "Systems")
_TOLD = json.loads((Path(__file__).parent / "stories.json").read_text(encoding="utf-8"))


def _story(number: int) -> Story:
    told = _TOLD[number % len(_TOLD)]
    part = number // len(_TOLD) + 1
    return Story(
        key=f"arxiv:2611.{number:05d}",
        title=told["title"] if part == 1 else f"{told['title']}, Part {part}",
        url=f"https://papers.example.org/abs/2611.{number:05d}",
        summary=told["summary"],
        authors=_AUTHORS[: number % 5 + 1],
        author_count=(number % 5 + 1) if number % 3 else 12,
        organisations=("Example University",) if number % 4 == 0 else (),
        published=_AT,
        first_seen=_AT,
        signals=Signals(
            upvotes=260 - 4 * number, comments=25 - number % 25, stars=3400 - number if number % 2 else None
        ),
    )


def _rich(number: int) -> Story:
    """A story with something in every field."""
    plain = _story(number)
    return replace(
        plain,
        brief=plain.summary,
        line=plain.title + " in a sentence.",
        image=f"https://pictures.example.org/2611.{number:05d}.png",
        tags=("attention", "long context"),
        links=(
            Link(rel="code", url=f"https://code.example.org/{number}"),
            Link(rel="pdf", url=f"https://papers.example.org/pdf/2611.{number:05d}"),
            Link(rel="project", url=f"https://project.example.org/{number}"),
        ),
        mentions=(
            Mention(source="Hugging Face papers", url=f"https://daily.example.org/papers/2611.{number:05d}"),
            Mention(source="A weblog", url=f"https://weblog.example.org/{number}"),
        ),
        parts=(Part(name="signals", points=69, words="much liked elsewhere"),),
        standing=96,
        why=("much liked elsewhere", "a topic with few stories today"),
        again="Told on 12 November; since then its code was published.",
    )


def _section(title: str, *stories: Story, more: int = 0) -> Section:
    return Section(topic=title.lower().replace(" ", "-"), title=title, stories=stories, more=more)


def _issue(*sections: Section, preheader: str) -> Issue:
    slot = Slot(newsletter="daily-papers", schedule="weekday-morning", date=date(2026, 11, 20), at=_AT)
    stories = [story for section in sections for story in section.stories]
    return Issue(
        slot=slot,
        title="Daily Papers, 20 November 2026",
        preheader=preheader,
        headline=stories[0].title if stories else "",
        sections=sections,
    )


def quiet() -> Issue:
    """A day of one story."""
    return _issue(_section("Systems", _story(9)), preheader="Two hundred adapters on one accelerator, and no more.")


def weekday() -> Issue:
    """Twelve stories in four topics: links, signals, mentions, one told again, one without any of it."""
    bare = Story(key="url:https://example.org/bare", title="A Note Without Anything", url="https://example.org/bare")
    stories = [_rich(0), *(_story(number) for number in range(1, 10)), _rich(10), bare]
    sections = [_section(title, *stories[3 * n : 3 * n + 3], more=n) for n, title in enumerate(_TOPICS)]
    return _issue(*sections, preheader="Attention that remembers, relit photographs, and ten more papers in 4 topics.")


def two_topics() -> Issue:
    """Three stories in two topics: enough to see a theme whole in a small picture."""
    return _issue(
        _section("Language models", _rich(0), _story(1), more=4),
        _section("Robots", _story(6)),
        preheader="Attention that remembers, and two more papers in 2 topics.",
    )


def empty() -> Issue:
    """Nothing new."""
    return _issue(preheader="Nothing new in your topics this time.")


def arabic() -> Issue:
    """An issue in a language that is written from right to left; one title is in English."""
    stories = (
        replace(
            _rich(0),
            title="انتباه متناثر يتذكر المفاتيح المفيدة",
            brief="النصوص الطويلة مكلفة القراءة.",
            line="",
            again="",
        ),
        replace(_story(6), summary="ذراع آلية تتعلم من أخطائها."),
    )
    issue = _issue(_section("نماذج اللغة", *stories), preheader="انتباه متناثر يتذكر المفاتيح المفيدة، وورقة أخرى.")
    return replace(issue, title="أوراق اليوم", language="ar")


def hostile() -> Issue:
    """Text and addresses that would like to be more than text and addresses."""
    breaking_out = 'A "quoted" title\' onmouseover="alert(1)" </a></h3></td></tr></table><script>alert(1)</script>'
    stories = (
        replace(
            _rich(0), title=breaking_out, summary="<b>Bold</b> & <i>brave</i>: 1 < 2 > 0 &amp; &lt;p&gt;", brief=""
        ),
        replace(
            _story(1), title="{{ 7*7 }} {% raw %} {# gone #} [[slot]] ${jndi} %s", brief="{{ 7*7 }} is what it says."
        ),
        replace(
            _story(2), title="--> <![endif]--> <!--[if mso]> ]]> <mj-text> &", authors=("<First>", "\"Second\" 'x'")
        ),
        replace(
            _story(3), title="مجموعة بيانات عربية للتعرف على الكلام", authors=("المؤلف الأول",), summary="نقدم مجموعة."
        ),
        replace(_story(4), title="זיהוי דיבור \u202eבעברית עם (סוגריים) ו-ABC 123", authors=()),
        replace(_story(5), title="W" * 300, summary="x" * 300 + " and " + "y" * 300, authors=("Z" * 300,), brief=""),
        replace(_story(6), title="深度学习：标题没有空格" * 8, authors=("第一作者", "第二作者")),
        replace(
            _story(7),
            title="👩\u200d🔬 e\u0301a\u0308\u0300 \xa0 new\nline\ttab \x85 \x92 \x00",
            url='https://papers.example.org/?q="><script>&a=b c#{{x}}',
            links=(
                Link(rel='"><b', url="javascript:alert(1)"),
                Link(rel="<code>", url="https://code.example.org/'\"<"),
            ),
            mentions=(Mention(source="<img src=x onerror=alert(1)>", url="https://weblog.example.org/<script>"),),
            again='"Again" <b>and</b> & again {{ again }}',
            topic="<topic>",
        ),
    )
    return _issue(
        _section('<Topic> "one" & {{ two }}', *stories[:4], more=3),
        _section("T" * 80, *stories[4:]),
        preheader='Quotes " and <tags>, {{ 7*7 }}, and seven more.',
    )


def sixty() -> Issue:
    """More than a mail may hold: it is cut."""
    stories = [_rich(number) for number in range(60)]
    sections = [_section(title, *stories[15 * n : 15 * n + 15]) for n, title in enumerate(_TOPICS)]
    return _issue(*sections, preheader="Attention that remembers, relit photographs, and 58 more papers in 4 topics.")


SAMPLES: dict[str, Callable[[], Issue]] = {
    "quiet": quiet,
    "weekday": weekday,
    "two-topics": two_topics,
    "empty": empty,
    "arabic": arabic,
    "hostile": hostile,
    "sixty": sixty,
}
