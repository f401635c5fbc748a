"""Stories that are one although no key says so, among those of a day and against what was told before.

    find_twins(today, archive=told) -> the stories without their doubles, what was told already, what is related

Of a group the story with the strongest identity leads, then the earlier one; everyone in it is like the leader, so
that a chain of small likenesses joins nothing. The same stories in any order give the same groups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.model import Story
from newsletter.topics.candidates import near, rarest
from newsletter.topics.merge import TITLE, join, strength
from newsletter.topics.rarity import Rarity
from newsletter.topics.similar import Likeness, Text, Verdict, compare

_MOST_RELATED = 3  # links from one story to related ones

# Asks the archive: the stories that have most of some words, best first. See `candidates.rarest`.
Find = Callable[[Sequence[str]], Iterable[Story]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A story, another one and what they are to each other."""

    story: Story
    other: Story
    likeness: Likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """The stories without their doubles, in the order they came in, and what was found about each, by its key.

    `joined` are the stories that became part of it; `told` are those of the archive it is the same as; `related` are
    close to it, best first: another version, another part, what came of it.
    """

    stories: tuple[Story, ...] = ()
    joined: Mapping[str, tuple[Match, ...]] = field(default_factory=dict)
    told: Mapping[str, tuple[Match, ...]] = field(default_factory=dict)
    related: Mapping[str, tuple[Match, ...]] = field(default_factory=dict)


def find_twins(stories: Sequence[Story], *, archive: Sequence[Story] = ()) -> Twins:
    """Join the stories that are one and compare them with an archive; the keys are distinct.

    Takes near linear time, and memory for the words of all of them: meant for a day's candidates and some weeks of
    stories told. For a larger archive there is `look_up`.
    """
    ordered = sorted(stories, key=lambda story: (strength(story), story.key))
    everything = [*ordered, *archive]
    likes = _likes(everything, new=len(ordered))
    leader = _leaders(likes, new=len(ordered), stories=len(everything))
    joined: dict[str, list[Match]] = defaultdict(list)
    beside: dict[str, dict[str, Match]] = defaultdict(dict)
    for one, two, likeness in _both_ways(likes):
        match = Match(story=everything[leader[one]], other=everything[two], likeness=likeness)
        if leader[two] == one:
            joined[match.story.key].append(match)
        elif leader[one] != leader[two] == two and one < len(ordered):
            known = beside[match.story.key].get(match.other.key)
            beside[match.story.key][match.other.key] = min(match, known or match, key=_best_first)
    whole = {key: join([matches[0].story, *(match.other for match in matches)]) for key, matches in joined.items()}
    doubles = {match.other.key for matches in joined.values() for match in matches}
    archived = {story.key for story in archive}

    def is_told(match: Match) -> bool:
        return match.likeness.verdict is Verdict.SAME and match.other.key in archived

    return Twins(
        stories=tuple(whole.get(story.key, story) for story in stories if story.key not in doubles),
        joined={key: tuple(sorted(matches, key=_best_first)) for key, matches in joined.items()},
        told=_by_key(beside, is_told),
        related={key: some[:_MOST_RELATED] for key, some in _by_key(beside, lambda match: not is_told(match)).items()},
    )


def look_up(story: Story, *, find: Find, rarity: Rarity) -> tuple[Match, ...]:
    """The stories of an archive that a new one is the same as, or related to, best first.

    `rarity` is that of the words in the archive.
    """
    text = Text(story)
    others = (other for other in find(rarest(text, rarity)) if _names(other).isdisjoint(_names(story)))
    compared = (Match(story=story, other=other, likeness=compare(text, Text(other), rarity)) for other in others)
    return tuple(sorted((match for match in compared if match.likeness.verdict is not Verdict.APART), key=_best_first))


def _likes(stories: Sequence[Story], *, new: int) -> Mapping[tuple[int, int], Likeness]:
    """Every likeness there is; two stories with a name in common are one by that, which is not our matter."""
    texts = list(map(Text, stories))
    pairs, rarity = near(texts, new=new)
    unnamed = ((one, two) for one, two in pairs if _names(stories[one]).isdisjoint(_names(stories[two])))
    compared = {(one, two): compare(texts[one], texts[two], rarity) for one, two in unnamed}
    return {pair: likeness for pair, likeness in compared.items() if likeness.verdict is not Verdict.APART}


def _names(story: Story) -> frozenset[str]:
    return frozenset((story.key, *(alias for alias in story.aliases if not alias.startswith(TITLE))))


def _leaders(likes: Mapping[tuple[int, int], Likeness], *, new: int, stories: int) -> Sequence[int]:
    """For each story the one that leads its group, itself where it is alone or of the archive; `likes` ascend."""
    leader = list(range(stories))
    for (one, two), likeness in likes.items():
        if two < new and likeness.verdict is Verdict.SAME and leader[one] == one and leader[two] == two:
            leader[two] = one
    return leader


def _both_ways(likes: Mapping[tuple[int, int], Likeness]) -> Iterator[tuple[int, int, Likeness]]:
    for (one, two), likeness in likes.items():
        yield one, two, likeness
        yield two, one, likeness


def _best_first(match: Match) -> tuple[bool, float, str]:
    return (match.likeness.verdict is not Verdict.SAME, -match.likeness.score, match.other.key)


def _by_key(
    beside: Mapping[str, Mapping[str, Match]], wanted: Callable[[Match], bool]
) -> Mapping[str, tuple[Match, ...]]:
    """The wanted matches of each story, best first; stories without any are left out."""
    chosen = {key: tuple(sorted(filter(wanted, some.values()), key=_best_first)) for key, some in beside.items()}
    return {key: matches for key, matches in chosen.items() if matches}
