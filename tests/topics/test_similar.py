from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Mention, Signals, Story
from newsletter.topics.candidates import near, rarest
from newsletter.topics.particulars import Particulars, particulars
from newsletter.topics.rarity import Rarity, count
from newsletter.topics.similar import Likeness, Text, Verdict, compare
from newsletter.topics.twins import Twins, find_twins, look_up
from tests.builders import NOON, a_story

HEADLINES = Path(__file__).parents[1] / "data" / "headlines"

ABSTRACT = (
    "Long contexts make language models slow, since the cache of keys and values grows with every token that is read. "
    "We propose Sieve, which keeps only entries that later tokens are likely to attend to and merges the remaining "
    "ones into few slots. A small predictor, trained in an hour on a single accelerator, chooses the entries from "
    "their norms and positions. Across retrieval, summarisation and coding tasks Sieve halves the memory of the cache "
    "at equal accuracy, and raises throughput by a factor of three for documents of a hundred thousand tokens. We "
    "further show that the predictor transfers between models of one family without training, and release kernels."
)


@dataclass(frozen=True)
class Case:
    """Two reports, and whether they are of one event."""

    one: Story
    two: Story
    same: bool


@cache
def cases() -> tuple[Case, ...]:
    """The pairs of headlines in tests/data/headlines; `days` is how much later the second was published."""
    return tuple(
        Case(
            one=a_story(key=f"url:https://one.example/{path.stem}/{number}", published=NOON, **case["one"]),
            two=a_story(
                key=f"url:https://two.example/{path.stem}/{number}",
                published=NOON + timedelta(days=case.get("days", 0)),
                **case["two"],
            ),
            same=case["same"],
        )
        for path in sorted(HEADLINES.glob("*.yaml"))
        for number, case in enumerate(yaml.safe_load(path.read_text("utf-8")))
    )


def judged(one: Story, two: Story, rarity: Rarity | None = None) -> Likeness:
    """What two stories are to each other, on a fresh install unless told otherwise."""
    return compare(Text(one), Text(two), rarity or Rarity())


def a_paper(number: int = 1, **changes: Any) -> Story:
    """A paper with an abstract of a usual length, known by its address."""
    values: dict[str, Any] = {
        "key": f"url:https://lab{number}.example/paper",
        "title": "Sieve: Keeping What Attention Needs",
        "summary": ABSTRACT,
        "mentions": (Mention(source=f"lab{number}", url=f"https://lab{number}.example/paper"),),
    }
    return a_story(number, **{**values, **changes})


def lines(path: Path) -> list[dict[str, str]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@cache
def as_read(data: Path) -> tuple[list[Story], list[Story], list[Story]]:
    """Papers of the pool, and of papers listed twice the first and the second version, without their ids."""
    versions = lines(data / "arxiv" / "arxiv_versions_dev.jsonl")
    twice = {version["id"] for version in versions}
    pool = [paper for paper in lines(data / "arxiv" / "pool_dev.jsonl") if paper["id"] not in twice]
    return (
        [a_story(key=f"url:p{n}", title=paper["title"], summary=paper["abstract"]) for n, paper in enumerate(pool)],
        [a_story(key=f"url:a{n}", title=version["t1"], summary=version["a1"]) for n, version in enumerate(versions)],
        [a_story(key=f"url:b{n}", title=version["t2"], summary=version["a2"]) for n, version in enumerate(versions)],
    )


# --- the decision -----------------------------------------------------------------------------------------------------


def test_another_version_is_the_same() -> None:
    """A new title and a revised abstract do not make a new paper, nor do a lost subtitle, typos or a mere beginning."""
    paper = a_paper(1)
    sentences = ABSTRACT.split(". ")
    versions = (
        a_paper(2, title="Sieve: Smaller Caches by Keeping What Attention Needs", summary=". ".join(sentences[1:])),
        a_paper(2, title="Keeping What Attention Needs"),
        a_paper(2, title="[2611.01234] Seive: keeping what attention neads"),
        a_paper(2, summary=ABSTRACT[:220] + "…"),
        a_paper(2, summary=""),
    )

    assert {judged(paper, version).verdict for version in versions} == {Verdict.SAME}


@pytest.mark.parametrize(
    "other",
    [
        "Overview of the Deep Learning Track 2022",
        "Overview of the Deep Learning Track",
        "Overview of the Deep Learning Track 2021, Part II",
    ],
)
def test_titles_that_differ_in_numbers_are_a_series(other: str) -> None:
    """However alike their texts, parts and years of a series stay apart; they are related."""
    found = judged(a_paper(1, title="Overview of the Deep Learning Track 2021"), a_paper(2, title=other))

    assert found.verdict is Verdict.RELATED
    assert found.why.endswith("of a series")


def test_roman_numerals_are_numbers() -> None:
    """Part I and Part V are two parts; a word that looks like a number in a title of other words does not matter."""
    assert judged(
        a_paper(1, title="Notes on Caching, Part I"), a_paper(2, title="Notes on Caching, Part V")
    ).verdict is (Verdict.RELATED)
    assert judged(
        a_paper(1, title="What I Learned of Caching"), a_paper(2, title="What We Learned of Caching")
    ).verdict is (Verdict.SAME)


def test_two_arxiv_ids_are_two_papers() -> None:
    """What arXiv calls two is never one, but related."""
    found = judged(a_paper(1, key="arxiv:2611.00001"), a_paper(2, key="arxiv:2611.00002"))

    assert (found.verdict, found.score) == (Verdict.RELATED, 1.0)


def test_a_publisher_lists_a_thing_once() -> None:
    """Two entries of one source on one host are two things, like as they are; a list of links is none."""

    def listed(number: int, url: str) -> Story:
        return a_paper(number, mentions=(Mention(source="feed", url=url),))

    assert judged(listed(1, "https://pod.example/1"), listed(2, "https://www.pod.example/2")).verdict is Verdict.RELATED
    assert judged(listed(1, "https://a.example/1"), listed(2, "https://b.example/2")).verdict is Verdict.SAME


def test_what_came_of_it_is_related() -> None:
    """Reports that agree on names and numbers and lie days apart are of two events."""
    strike = a_story(
        key="url:https://a.example",
        title="Ferry strike halts traffic to Gotland",
        summary="Destination Gotland cancelled 14 trips.",
    )
    later = a_story(
        key="url:https://b.example",
        title="Gotland ferries sail again",
        summary="Destination Gotland resumed 14 trips to Visby.",
    )

    at_once = judged(replace(strike, published=NOON), replace(later, published=NOON + timedelta(days=1)))
    in_a_week = judged(replace(strike, published=NOON), replace(later, published=NOON + timedelta(days=7)))

    assert (at_once.verdict, in_a_week.verdict) == (Verdict.SAME, Verdict.RELATED)


def test_likeness_has_no_direction() -> None:
    """Which of two stories comes first does not matter."""
    for case in cases():
        assert judged(case.one, case.two) == judged(case.two, case.one)


@pytest.mark.parametrize("title", ["", "🚀🚀🚀", "Update", "…", "\x00", "x" * 1_000_000])
def test_titles_that_say_nothing_make_nothing_one(title: str) -> None:
    """Without a summary a title has to say something before two stories of that title are one."""
    assert judged(a_paper(1, title=title, summary=""), a_paper(2, title=title, summary="")).verdict is Verdict.APART


def test_scripts_without_spaces_or_capitals_are_compared() -> None:
    """Chinese and Arabic texts are one where they say the same."""
    chinese = "大语言模型的长上下文推理需要大量内存,本文提出一种压缩键值缓存的方法,在保持准确率的同时将内存减半。"
    arabic = "تقترح هذه الورقة طريقة لضغط ذاكرة التخزين المؤقت في النماذج اللغوية الكبيرة دون فقدان الدقة"

    for text in (chinese, arabic):
        title = text[:24]
        assert (
            judged(a_paper(1, title=title, summary=text), a_paper(2, title=title, summary=text)).verdict is Verdict.SAME
        )
    assert judged(a_paper(1, title=chinese[:9], summary=chinese), a_paper(2, summary=arabic)).verdict is Verdict.APART


# --- names and numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "summary", "expected"),
    [
        (
            "Quake of 6.4 off Sumatra",
            "The agency BMKG said so.",
            Particulars(frozenset({"sumatra", "bmkg"}), frozenset({"6.4"})),
        ),
        ("Toyota Recalls 1.1m Cars Over Airbag", "", Particulars(frozenset(), frozenset({"1.1e+06"}))),
        ("recall of 1,100,000 cars", "In it: iPhones.", Particulars(frozenset({"iphones"}), frozenset({"1.1e+06"}))),
        ("47.6C", "It was hot. Spain said so", Particulars(frozenset(), frozenset({"47.6"}))),
        (
            "PostgreSQL 17.2.1, 2 billion rows",
            "",
            Particulars(frozenset({"postgresql"}), frozenset({"17.2.1", "2e+09"})),
        ),
        ("嫦娥七号", "", Particulars(frozenset(), frozenset())),
    ],
)
def test_particulars(title: str, summary: str, expected: Particulars) -> None:
    """A capital makes a name where nothing else asks for one; numbers are written out, whatever the spelling."""
    assert particulars(title, summary) == expected


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80), st.text(max_size=200))
def test_any_text_has_particulars(title: str, summary: str) -> None:
    """Nothing is too strange to be read, and a text agrees with itself."""
    story = a_story(title=title, summary=summary)

    assert judged(story, story).score <= 1 + 1e-9
    assert particulars(title, summary) == particulars(title, summary)


# --- the headlines ----------------------------------------------------------------------------------------------------


def test_headlines() -> None:
    """Of pairs of headlines written to be hard, what is called one event is one, and two in three are found."""
    known = count([Text(story).words for case in cases() for story in (case.one, case.two)])
    for rarity in (Rarity(), known):
        found = [case for case in cases() if judged(case.one, case.two, rarity).verdict is Verdict.SAME]
        right = sum(case.same for case in found)
        assert right / len(found) >= 0.92
        assert right / sum(case.same for case in cases()) >= 0.62


def test_the_headlines_are_many_and_hard() -> None:
    """There are sixty pairs and more, as many of two events as of one; by their words alone nobody could tell."""
    same = [judged(case.one, case.two).score for case in cases() if case.same]
    not_same = [judged(case.one, case.two).score for case in cases() if not case.same]

    assert min(len(same), len(not_same)) >= 60


# --- among many -------------------------------------------------------------------------------------------------------


def test_one_event_is_one_story_with_every_source() -> None:
    """What several sources tell is one story: the strongest identity leads, the others are listed under it."""
    agency = a_story(
        1,
        title="Earthquake off Sumatra",
        summary="A quake of magnitude 6.4 shook the Indonesian province of Aceh on Tuesday, the agency BMKG said.",
        signals=Signals(upvotes=3),
        mentions=(Mention(source="agency", url="https://a.example/1"),),
    )
    daily = a_story(
        2,
        key="url:https://b.example/2",
        title="Strong shaking scares Aceh",
        summary="Residents of Banda Aceh ran out on Tuesday. BMKG put the magnitude of the earthquake at 6.4.",
        signals=Signals(comments=9),
        mentions=(Mention(source="daily", url="https://b.example/2"),),
    )

    found = find_twins([a_paper(3), daily, agency])

    assert [story.key for story in found.stories] == [a_paper(3).key, agency.key]
    story = found.stories[1]
    assert [mention.source for mention in story.mentions] == ["agency", "daily"]
    assert story.signals == Signals(upvotes=3, comments=9)
    assert story.aliases == (daily.key,)
    assert [match.other for match in found.joined[agency.key]] == [daily]


def test_what_was_told_is_known() -> None:
    """A story that is one with an archived one is named, and so is a related one; neither is joined."""
    old = a_paper(1, title="Sieve: Caches That Keep What Attention Needs")
    part = a_paper(2, title="Sieve: Keeping What Attention Needs, Part 2")
    new = a_paper(3)

    found = find_twins([new], archive=[old, part])

    assert found.stories == (new,)
    assert [match.other for match in found.told[new.key]] == [old]
    assert [match.other for match in found.related[new.key]] == [part]


def test_a_story_is_not_its_own_twin() -> None:
    """What was told under the same name, or an alias, is known by that: it is neither a twin nor related."""
    told = a_paper(1, aliases=("doi:10.1/x",))

    found = find_twins([a_paper(1), a_paper(2, key="doi:10.1/x")], archive=[told])

    assert (found.told, found.related) == ({}, {})


def test_preprint_and_journal_are_one() -> None:
    """A paper with an arXiv id and one with a DOI are one where their texts are; that the titles agree is no name."""
    preprint = a_paper(1, key="arxiv:2611.00001", aliases=("title:sieve keeping what attention needs",))
    journal = a_paper(2, key="doi:10.1/x", aliases=("title:sieve keeping what attention needs",))

    assert [story.key for story in find_twins([journal, preprint]).stories] == [preprint.key]


def test_groups_do_not_depend_on_order(shared_data: Path) -> None:
    """However the stories of a day arrive, the same ones are together."""
    _, first, second = as_read(shared_data)
    day = [*first[:60], *second[:60]]
    shuffled = random.Random(7).sample(day, len(day))  # noqa: S311

    def together(found: Twins) -> dict[str, list[str]]:
        return {key: [match.other.key for match in matches] for key, matches in sorted(found.joined.items())}

    assert together(find_twins(day)) == together(find_twins(shuffled))


def test_a_chain_joins_nothing() -> None:
    """Everyone in a group is like its leader: a story like the second only stays beside it."""
    words = [f"{chr(97 + number // 26)}{chr(97 + number % 26)}x" for number in range(220)]

    def a_text(number: int, start: int) -> Story:
        return a_paper(
            number,
            title=f"Title {words[start]} {words[start + 1]} {words[start + 2]}",
            summary=" ".join(words[start : start + 100]),
        )

    found = find_twins([a_text(1, 0), a_text(2, 35), a_text(3, 70)])

    assert len(found.stories) == 2


def test_nothing_is_no_problem() -> None:
    """No stories, one, and stories without a word."""
    assert find_twins([]) == Twins()
    empty = [a_story(number, title="", summary="") for number in range(3)]
    assert find_twins(empty[:1]).stories == tuple(empty[:1])
    assert find_twins(empty).stories == tuple(empty)


def test_a_long_abstract_is_read_in_part() -> None:
    """Of a megabyte the beginning is compared."""
    long = a_paper(1, summary=ABSTRACT + " tail" * 200_000)

    assert find_twins([long, a_paper(2, summary=ABSTRACT + " end" * 200_000)]).joined


@pytest.mark.parametrize("summary", ["", "The same boilerplate under every episode of this show.", ABSTRACT])
def test_thousands_of_one_title_take_linear_time(summary: str) -> None:
    """Of five thousand stories with one title each is compared with the first only."""
    stories = [a_story(number, title="Weekly open thread for everybody", summary=summary) for number in range(1, 5_001)]

    pairs, _ = near([Text(story) for story in stories], new=len(stories))

    assert len(pairs) == 4_999


def test_papers_in_two_versions(shared_data: Path) -> None:
    """Of papers whose text was revised 97 in 100 are found among others, and none is taken for another."""
    pool, first, second = as_read(shared_data)

    found = find_twins(second, archive=[*first, *pool[:1_000]])

    right = [key for key, matches in found.told.items() if [m.other.key[5:] for m in matches] == [key[5:]]]
    assert len(right) / len(second) >= 0.965
    assert len(right) == len(found.told)
    assert not found.joined


def test_papers_of_their_own_stay_apart(shared_data: Path) -> None:
    """Among two thousand papers of one half year no more than two are taken for one."""
    pool, *_ = as_read(shared_data)

    assert sum(map(len, find_twins(pool[:2_000]).joined.values())) <= 2


# --- an archive that is asked -----------------------------------------------------------------------------------------


def test_an_archive_is_asked_for_the_rarest_words() -> None:
    """The words of a query are the rarest that the archive has, eight of the title and twelve of the summary."""
    rarity = Rarity(1_000, {**{f"title{n}": n + 1 for n in range(20)}, **{f"text{n}": n + 1 for n in range(20)}})
    story = a_story(
        title=" ".join(f"title{n}" for n in range(20)), summary="unheard " + " ".join(f"text{n}" for n in range(20))
    )

    asked = rarest(Text(story), rarity)

    assert asked == (*(f"title{n}" for n in range(8)), *(f"text{n}" for n in range(12)))


def test_looking_up() -> None:
    """What the archive answers is judged: the same first, the related after it, the rest is left out."""
    archive: Sequence[Story] = [
        a_story(9),
        a_paper(2, title="Sieve: Keeping What Attention Needs II"),
        a_paper(3),
        a_paper(1),
    ]

    found = look_up(
        a_paper(1),
        find=lambda asked: archive if "sieve" in asked else (),
        rarity=count([Text(s).words for s in archive]),
    )

    assert [(match.other.key, match.likeness.verdict) for match in found] == [
        (archive[2].key, Verdict.SAME),
        (archive[1].key, Verdict.RELATED),
    ]
