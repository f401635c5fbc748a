from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.store import Store
from newsletter.store.words import Held

HOSTILE = (
    *(
        '"',
        "'",
        "''",
        '""',
        "\\",
        "a'b",
        'a"b',
        "a\\b",
        "*",
        "word*",
        "^word",
        "-word",
        "words:word",
        "(word)",
        "word)",
    ),
    *(
        "OR",
        "AND",
        "NOT",
        "NEAR",
        "NEAR(a b)",
        "a & b",
        "!a",
        "a | b",
        "a:*",
        "a <-> b",
        "%",
        "_",
        ";",
        "--",
        "🙂",
        "模型",
    ),
)


def hold(store: Store, *texts: str, authors: str = "") -> None:
    """Stories 1, 2, … that hold these words."""
    with store.db.writing() as connection:
        held = {number: Held(words=text, authors=authors) for number, text in enumerate(texts, start=1)}
        store.stories.words.put(connection, held)


def test_the_latest_that_hold_a_word_come_first(store: Store) -> None:
    """Whole words as they are, no forms and no parts of them, in the text or among the authors; at most so many."""
    hold(store, "cat cat dog", "cats", "dog cat", "concat", "bird", authors="ada lovelace")

    assert store.stories.words.holding("cat", 9) == [3, 1]
    assert store.stories.words.holding("cat", 1) == [3]
    assert store.stories.words.holding("lovelace", 9) == [5, 4, 3, 2, 1]
    assert store.stories.words.holding("nothing", 9) == []


def test_words_of_every_script_stay_whole(store: Store) -> None:
    """What is held is found by exactly that, and by nothing near it."""
    hold(store, "c++ c# 模型 हिन्दी größe naïve 1e5 covid19", "grosse naive 模 型 हिन 1 e5 c", "nothing")

    whole = ("c++", "c#", "模型", "हिन्दी", "größe", "naïve", "1e5", "covid19")
    assert {word: store.stories.words.holding(word, 9) for word in whole} == {key: [1] for key in whole}
    assert store.stories.words.holding("c", 9) == [2]


def test_nothing_is_syntax(store: Store) -> None:
    """A word with quotes, operators or stars is looked for, finds what it finds, and breaks nothing."""
    hold(store, "a b word words", "nothing of the kind")

    for word in HOSTILE:
        found = {*store.stories.words.holding(word, 9), *store.stories.words.by(word, 9)}
        assert 2 not in found, word


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30))
def test_any_text_may_be_asked_for(store: Store, text: str) -> None:
    """No text is an error."""
    assert store.stories.words.holding(text, 9) == []
    assert store.stories.words.by(text, 9) == []


def test_authors_by_their_names(store: Store) -> None:
    """A last name, or several parts side by side; words of two authors are no name, nor are words of the text."""
    with store.db.writing() as connection:
        held = {
            1: Held(words="neural nets", authors="yann lecun\ngeoffrey hinton"),
            2: Held(words="lecun prize", authors="ada lovelace"),
            3: Held(words="vision", authors="yann andre lecun"),
        }
        store.stories.words.put(connection, held)

    assert store.stories.words.by("lecun", 9) == [3, 1]
    assert store.stories.words.by("yann lecun", 9) == [1]
    assert store.stories.words.by("lecun geoffrey", 9) == []
    assert store.stories.words.by("", 9) == []


def test_a_story_is_replaced_and_dropped(store: Store) -> None:
    """It holds what it was put last, and nothing once it is gone."""
    hold(store, "old", "other")
    hold(store, "new")

    assert store.stories.words.holding("old", 9) == []
    assert store.stories.words.texts([1, 2, 3]) == {1: "new ", 2: "other "}
    with store.db.writing() as connection:
        store.stories.words.drop(connection, [1, 99])
    assert store.stories.words.holding("new", 9) == []
    with store.db.writing() as connection:
        store.stories.words.clear(connection)
    assert store.stories.words.texts([1, 2]) == {}


def test_a_sample_is_of_the_latest(store: Store) -> None:
    """What the last stories hold, with their authors."""
    hold(store, *_numbered(5), authors="ada")

    assert store.stories.words.sample(2) == ["word5 ada", "word4 ada"]


def test_a_failed_change_leaves_the_words_as_they_were(store: Store) -> None:
    """The index changes with the transaction it is changed in."""
    hold(store, "kept")

    def fail() -> None:
        with store.db.writing() as connection:
            store.stories.words.put(connection, {1: Held(words="lost", authors="")})
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert store.stories.words.holding("kept", 9) == [1]
    assert store.stories.words.holding("lost", 9) == []


def _numbered(count: int) -> Iterable[str]:
    return (f"word{number}" for number in range(1, count + 1))
