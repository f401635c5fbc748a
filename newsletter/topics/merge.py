"""Merging: entries that share a name are one story.

A name is a key or an alias (see `model.Entry`). A saved listing gives only a title; its `title:` name joins an entry
of the same title that has an identity, and never joins two entries whose identities differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.model import Entry, Link, Mention, Story

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
    return [_story(group.sightings) for group in _join_titles(groups)]


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


_STRENGTH = ("arxiv:", "doi:", "url:", "guid:", TITLE)


def _strength(sighting: Sighting) -> tuple[int, datetime]:
    prefix = sighting.entry.key.partition(":")[0] + ":"
    return (_STRENGTH.index(prefix) if prefix in _STRENGTH else len(_STRENGTH), sighting.first_seen)


def _story(sightings: Sequence[Sighting]) -> Story:
    ordered = sorted(sightings, key=_strength)
    entries = [sighting.entry for sighting in ordered]
    lead = entries[0]
    signals = lead.signals
    for entry in entries[1:]:
        signals = signals.merged(entry.signals)
    authors = next((entry.authors for entry in entries if entry.authors), ())
    return Story(
        key=lead.key,
        title=lead.title,
        url=next((entry.url for entry in entries if entry.url), ""),
        summary=next((entry.summary for entry in entries if entry.summary), ""),
        authors=authors,
        author_count=max([len(authors), *(entry.author_count or 0 for entry in entries)]),
        published=min((entry.published for entry in entries if entry.published), default=None),
        first_seen=min(sighting.first_seen for sighting in ordered),
        tags=_joined(tag for entry in entries for tag in entry.tags),
        image=next((entry.image for entry in entries if entry.image), ""),
        links=_links(entries),
        signals=signals,
        mentions=tuple(Mention(source=entry.source, url=entry.url) for entry in entries),
        aliases=_joined(name for entry in entries for name in (entry.key, *entry.aliases) if name != lead.key),
    )


def _joined(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _links(entries: Sequence[Entry]) -> tuple[Link, ...]:
    """The first link of each kind."""
    first: dict[str, Link] = {}
    for link in (link for entry in entries for link in entry.links):
        first.setdefault(link.rel, link)
    return tuple(first.values())
