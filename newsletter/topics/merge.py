"""Merging: entries that share a name are one story.

A name is a key or an alias (see `model.Entry`). A saved listing gives only a title; its `title:` name joins an entry
of the same title that has an identity, and never joins two entries whose identities differ.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce

from newsletter.model import Entry, Link, Mention, Signals, Story

TITLE = "title:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An entry, when we first saw it, and the `title:` name its title would have."""

    entry: Entry
    first_seen: datetime
    title_name: str = ""


@dataclass
class _Group:
    sightings: list[Sighting] = field(default_factory=list)


def merge(sightings: Iterable[Sighting]) -> list[Story]:
    """One story for each thing, in the order first met.

    What several sources say differently is taken from the one with the strongest identity (arXiv, DOI, address, guid,
    title), the earlier sighting first among equals; signals are the largest of each, links and tags are joined.
    """
    groups: dict[str, _Group] = {}
    for sighting in sightings:
        joined = _Group()
        for name in _names(sighting.entry):
            group = groups.get(name)
            if group is not None and group is not joined:
                joined.sightings.extend(group.sightings)
                _point(groups, group, joined)
        joined.sightings.append(sighting)
        groups.update(dict.fromkeys(_names(sighting.entry), joined))
    return [join(list(map(_story, group.sightings))) for group in _join_titles(groups)]


def _names(entry: Entry) -> tuple[str, ...]:
    return (entry.key, *(alias for alias in entry.aliases if not alias.startswith(TITLE)))


def _point(groups: dict[str, _Group], old: _Group, new: _Group) -> None:
    for sighting in old.sightings:
        for name in _names(sighting.entry):
            groups[name] = new


def _join_titles(groups: dict[str, _Group]) -> list[_Group]:
    """Each group once; those known by title only are joined to the one other group of that title, if there is one."""
    distinct = list({id(group): group for group in groups.values()}.values())
    identified: dict[str, list[_Group]] = {}
    for group in distinct:
        if not _known_by_title_only(group):
            for name in {sighting.title_name for sighting in group.sightings} - {""}:
                identified.setdefault(name, []).append(group)
    stories = []
    for group in distinct:
        namesakes = identified.get(group.sightings[0].entry.key, [])
        if _known_by_title_only(group) and len(namesakes) == 1:
            namesakes[0].sightings.extend(group.sightings)
        else:
            stories.append(group)
    return stories


def _known_by_title_only(group: _Group) -> bool:
    return all(sighting.entry.key.startswith(TITLE) for sighting in group.sightings)


def join(stories: Sequence[Story]) -> Story:
    """One story of several that are the same, at least one, by the rule of `merge`."""
    ordered = sorted(stories, key=strength)
    lead = ordered[0]
    return dataclasses.replace(
        lead,
        url=next((story.url for story in ordered if story.url), ""),
        summary=next((story.summary for story in ordered if story.summary), ""),
        tldr=next((story.tldr for story in ordered if story.tldr), ""),
        authors=next((story.authors for story in ordered if story.authors), ()),
        author_count=max(story.author_count for story in ordered),
        organisations=next((story.organisations for story in ordered if story.organisations), ()),
        published=min((story.published for story in ordered if story.published), default=None),
        first_seen=min((story.first_seen for story in ordered if story.first_seen), default=None),
        tags=_joined(tag for story in ordered for tag in story.tags),
        image=next((story.image for story in ordered if story.image), ""),
        links=_links(ordered),
        signals=reduce(Signals.merged, (story.signals for story in ordered)),
        mentions=tuple(mention for story in ordered for mention in story.mentions),
        aliases=_joined(name for story in ordered for name in (story.key, *story.aliases) if name != lead.key),
        listed=max((story.listed for story in ordered if story.listed), default=None),
    )


_STRENGTH = ("arxiv:", "doi:", "url:", "guid:", TITLE)
_NEVER = datetime.max.replace(tzinfo=UTC)


def strength(story: Story) -> tuple[int, datetime]:
    """The order in which stories lead: by the kind of their key, then the one first seen."""
    prefix = story.key.partition(":")[0] + ":"
    kind = _STRENGTH.index(prefix) if prefix in _STRENGTH else len(_STRENGTH)
    return kind, story.first_seen or _NEVER


def _story(sighting: Sighting) -> Story:
    """An entry on its own, as a story."""
    entry = sighting.entry
    return Story(
        key=entry.key,
        title=entry.title,
        url=entry.url,
        summary=entry.summary,
        tldr=entry.tldr,
        authors=entry.authors,
        author_count=max(len(entry.authors), entry.author_count or 0),
        organisations=entry.organisations,
        published=entry.published,
        first_seen=sighting.first_seen,
        tags=entry.tags,
        image=entry.image,
        links=entry.links,
        signals=entry.signals,
        mentions=(Mention(source=entry.source, url=entry.url),),
        aliases=entry.aliases,
        listed=entry.listed,
    )


def _joined(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _links(stories: Sequence[Story]) -> tuple[Link, ...]:
    """The first link of each kind."""
    first: dict[str, Link] = {}
    for link in (link for story in stories for link in story.links):
        first.setdefault(link.rel, link)
    return tuple(first.values())
