"""Papers listed twice under different texts: are they found, and are papers of their own left alone?

The pairs are papers that arXiv listed in two versions; their ids are hidden. Each second version is compared with all
first versions and the papers of the pool, as `compose` does with what was told before. A false merge is a paper taken
for another one; it is counted over papers that are all different.
"""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks.quality import Row, lines
from benchmarks.quality._papers import files
from newsletter.model import Story
from newsletter.topics.candidates import holders
from newsletter.topics.rarity import Rarity, count
from newsletter.topics.similar import Text, Verdict
from newsletter.topics.twins import Find, find_twins, look_up

_DATA = "arXiv, two versions"
_ARCHIVE = 100_000
_ASKED = 200
_RECALL, _FALSE, _MILLISECONDS = 0.96, 1.0, 20.0


def rows(data: Path) -> list[Row]:
    """Recall and false merges of `find_twins`, of equal titles, and of an archive of 100,000 that is asked."""
    pool, first, second = read(data)
    found = find_twins(second, archive=[*first, *pool])
    told = {key: [match.other.key for match in matches] for key, matches in found.told.items()}
    alone = find_twins([*first, *pool])
    merged = sum(map(len, alone.joined.values()))
    keys = {_title(story): story.key for story in first}
    by_title = sum(_counterpart(story) == keys.get(_title(story)) for story in second)
    recall = sum(_counterpart(story) in told.get(story.key, ()) for story in second) / len(second)
    wrong = sum(any(other != _counterpart(story) for other in told.get(story.key, ())) for story in second)
    per_thousand = 1_000 / (len(first) + len(pool))
    return [
        _row("recall", "equal titles (baseline)", by_title / len(second)),
        _row("recall", "titles and words", recall, _RECALL),
        _row("false merges per 1,000", "titles and words", merged * per_thousand, _FALSE, less=True),
        _row("taken for another paper", "titles and words", wrong, 0, less=True, digits=0),
        *_asked(pool, first, second),
    ]


def read(data: Path) -> tuple[list[Story], list[Story], list[Story]]:
    """The papers of the pool, and of those that were listed twice the first and the second version."""
    versions = [paper for path in files(data, "arxiv_versions_*.jsonl") for paper in lines(path)]
    twice = {paper["id"] for paper in versions}
    papers = (paper for path in files(data, "pool_*.jsonl") for paper in lines(path))
    pool = [paper for paper in papers if paper["id"] not in twice]
    return (
        [_story(f"pool:{number}", paper["title"], paper["abstract"]) for number, paper in enumerate(pool)],
        [_story(f"first:{number}", paper["t1"], paper["a1"]) for number, paper in enumerate(versions)],
        [_story(f"second:{number}", paper["t2"], paper["a2"]) for number, paper in enumerate(versions)],
    )


def _asked(pool: Sequence[Story], first: Sequence[Story], second: Sequence[Story]) -> list[Row]:
    """An archive of 100,000, of which a full-text index keeps the words; most of it is made up from the pool."""
    rarity = count(Text(story).words for story in pool)
    archive = [*islice(_made_up(pool), _ARCHIVE - len(first)), *first]
    new = [*second[:_ASKED], *pool[:_ASKED]]
    took, found = _timed(new, _find(archive, rarity), rarity)
    recall = sum(_counterpart(story) in found[story.key] for story in second[:_ASKED]) / len(second[:_ASKED])
    method = f"asking an archive of {_ARCHIVE:,}"
    return [
        _row("recall", method, recall),
        _row("CPU ms per story, median", method, median(took), _MILLISECONDS, less=True, digits=1),
        _row("CPU ms per story, p95", method, sorted(took)[len(took) * 95 // 100], _MILLISECONDS, less=True, digits=1),
    ]


def _find(archive: Sequence[Story], rarity: Rarity) -> Find:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE held USING fts5(words, content='', detail=none)")
    database.executemany(
        "INSERT INTO held (rowid, words) VALUES (?, ?)",
        ((number, " ".join(Text(story).words)) for number, story in enumerate(archive)),
    )

    def holding(word: str, most: int) -> Sequence[int]:
        query = "SELECT rowid FROM held WHERE held MATCH ? ORDER BY rowid DESC LIMIT ?"
        return [number for (number,) in database.execute(query, (f'"{word}"', most))]

    return lambda asked: [archive[number] for number in holders(asked, holding=holding, rarity=rarity)]


def _timed(stories: Sequence[Story], find: Find, rarity: Rarity) -> tuple[list[float], dict[str, set[str]]]:
    """Milliseconds for each story, and the keys it was found to be the same as."""
    took, found = [], {}
    for story in stories:
        began = time.process_time()
        matches = look_up(story, find=find, rarity=rarity)
        took.append((time.process_time() - began) * 1_000)
        found[story.key] = {match.other.key for match in matches if match.likeness.verdict is Verdict.SAME}
    return took, found


def _made_up(pool: Sequence[Story]) -> Iterable[Story]:
    """Papers whose words are as common as real ones': half of the title and of the sentences of each of two."""
    rng = random.Random(7)  # noqa: S311
    number = 0
    while True:
        one, two = rng.choice(pool), rng.choice(pool)
        title = [*one.title.split()[::2], *two.title.split()[1::2]]
        sentences = [*one.summary.split(". ")[::2], *two.summary.split(". ")[1::2]]
        yield _story(f"made-up:{number}", " ".join(title), ". ".join(sentences))
        number += 1


def _story(key: str, title: str, summary: str) -> Story:
    return Story(key=key, title=title, url="", summary=summary)


def _title(story: Story) -> str:
    return " ".join(re.findall(r"\w+", story.title.casefold()))


def _counterpart(story: Story) -> str:
    return story.key.replace("second:", "first:")


def _row(
    measure: str, method: str, value: float, target: float | None = None, *, less: bool = False, digits: int = 3
) -> Row:
    return Row(
        data=_DATA, measure=measure, method=method, value=value, target=target, less_is_better=less, digits=digits
    )
