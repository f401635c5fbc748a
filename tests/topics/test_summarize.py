from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import summaries
from newsletter.topics.sentences import sentences
from newsletter.topics.summarize import readable, summarize
from newsletter.topics.tex import plain
from newsletter.topics.tldr import LIMIT, accept
from tests.builders import a_story

EXAMPLES = Path(__file__).parents[2] / "docs" / "summaries.md"
LEANING = re.compile(r"(?:It|They|These|Those|Its|Their|This(?! (?:paper|work|study|survey)))\b")


# --- the examples of the documents --------------------------------------------------------------------------------


def examples(document: str) -> dict[str, Mapping[str, str]]:
    """What goes in, by the headings of the examples."""
    found: dict[str, Mapping[str, str]] = {}
    for part in document.partition("<!-- begin examples -->")[2].split("\n## ")[1:]:
        fields = dict(re.findall(r"^> \*\*(title|abstract|tldr)\*\* ?(.*)$", part, re.MULTILINE))
        found[part.partition("\n")[0]] = fields
    return found


def written(document: str) -> str:
    """The document with what the program makes of each example."""
    given = examples(document)
    parts = (_filled(part, given.get(part.partition("\n")[0])) for part in document.split("\n## "))
    return "\n## ".join(parts)


def _filled(part: str, given: Mapping[str, str] | None) -> str:
    if given is None:
        return part
    summary = summarize(**given)
    line = "the same" if summary.line and summary.line == summary.text else summary.line
    for name, text in (("after", summary.text), ("small card", line)):
        head = f"**{name}:**"
        part = re.sub(f"{re.escape(head)}.*", f"{head} {text}".rstrip().replace("\\", r"\\"), part)
    return part


def test_the_examples_are_what_the_program_makes_of_them() -> None:
    """Twenty examples stand in the documents, and under each the summary that a reader would get."""
    document = EXAMPLES.read_text("utf-8")
    if os.environ.get("UPDATE_GOLDEN"):
        EXAMPLES.write_text(written(document), encoding="utf-8")

    assert len(examples(document)) == 20
    assert EXAMPLES.read_text("utf-8") == written(document)


# --- rules --------------------------------------------------------------------------------------------------------


@given(st.text(max_size=400), st.text(max_size=1500), st.text(max_size=400))
def test_a_summary_is_short_whatever_comes(title: str, abstract: str, tldr: str) -> None:
    """At most two sentences and 320 characters; where there is a summary there is a line."""
    summary = summarize(title, abstract, tldr=tldr)

    assert len(summary.text) <= LIMIT
    assert len(summary.line) <= LIMIT
    assert len(sentences(summary.text)) <= 2 or accept(tldr)
    assert bool(summary.text) == bool(summary.line)


def test_sentences_are_shown_as_they_are() -> None:
    """Each sentence of a summary stands in the abstract, word for word, in the order of the abstract."""
    abstract = "Old ways are slow. We propose a new way. It is new. Experiments show that it is 3 times faster. Enjoy."

    summary = summarize("A new way", abstract)

    assert summary.text == "We propose a new way. Experiments show that it is 3 times faster."
    assert summary.line == "We propose a new way."


@pytest.mark.parametrize(
    "abstract",
    [
        "It is known that maps fold. These maps are long. Folding takes time and space.",
        "These results hold. They show that we propose much. In this paper, folding is studied.",
    ],
)
def test_no_sentence_leans_on_one_that_is_not_shown(abstract: str) -> None:
    """A sentence that opens with "It" or "These" is passed over where another is left."""
    assert not any(LEANING.match(sentence) for sentence in sentences(summarize("Folding", abstract).text))


def test_where_every_sentence_leans_one_is_shown() -> None:
    """A summary that leans is better than none."""
    assert summarize("Folding", "It folds. They fold.").text == "It folds. They fold."


def test_a_megabyte_is_read_as_far_as_it_matters() -> None:
    """A huge abstract costs what its beginning costs."""
    assert summarize("A map", "We propose a map of all maps. " * 35_000).text.startswith(
        "We propose a map of all maps."
    )


def test_one_endless_word_is_cut_between_letters() -> None:
    """Text without a space is cut where a letter ends, its accents with it."""
    cut = summarize("", "e\u0301" * 1000).text

    assert len(cut) <= LIMIT
    assert cut.endswith("\u0301…")


def test_the_sources_own_summary_goes_first() -> None:
    """What a source says in a sentence is taken instead of the abstract; unfit, it is as if it were not there."""
    abstract = "We propose a way of folding maps."

    assert (
        summarize("Maps", abstract, tldr="**TL;DR:** Maps fold by themselves now.").text
        == "Maps fold by themselves now."
    )
    assert summarize("Maps", abstract, tldr="See https://example.org for more of it.").text == abstract
    assert summarize("Maps", abstract, tldr="word " * 100).text == abstract


def test_a_story_is_made_readable() -> None:
    """A story gets its title in plain text, a summary and a line; its abstract stays as it came."""
    story = a_story(title=r"$k$-armed \emph{kettles}", summary=r"We propose $k$ kettles. It works.", tldr="")

    assert readable(story) == replace(
        story, title="k-armed kettles", brief="We propose k kettles.", line="We propose k kettles."
    )


# --- figures ------------------------------------------------------------------------------------------------------


@pytest.mark.shared
def test_summaries_hold_their_quality(shared_data: Path) -> None:
    """Ours is nearer to the summaries of others than the first sentences are; floors below what was measured."""
    cases = list(summaries.read(shared_data / "huggingface_daily"))[::5]
    score = {
        name: fmean(summaries.rouge(summaries.METHODS[name](case), case.reference) for case in cases)
        for name in ("first two sentences (baseline)", "ours, one sentence", "ours, at most two sentences")
    }

    assert score["ours, one sentence"] > 0.35
    assert score["ours, at most two sentences"] > 0.34
    assert score["first two sentences (baseline)"] < 0.30


@pytest.mark.shared
def test_real_abstracts_give_whole_sentences(shared_data: Path) -> None:
    """Of real abstracts every summary ends as a sentence does, says nothing of code and leans on nothing."""
    cases = list(summaries.read(shared_data / "huggingface_daily"))
    shown = [(case, summarize(case.title, case.abstract).text) for case in cases[::5]]

    for case, text in shown:
        assert text[-1] in ".!?”)…"
        assert "http" not in text
        assert all(part in plain(case.abstract) for part in sentences(text)) or text.endswith("…")
        assert not any(LEANING.match(part) for part in sentences(text))
