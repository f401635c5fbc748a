"""The built-in source kinds, registered through the door that plugins use."""

from __future__ import annotations

from newsletter.registry import Registry
from newsletter.sources import Kind
from newsletter.sources.arxiv import ArxivKind
from newsletter.sources.feed import FeedKind
from newsletter.sources.folder import FolderKind
from newsletter.sources.huggingface import HuggingFaceKind
from newsletter.sources.listing import ListingKind
from newsletter.sources.readers import READERS, ReadersKind


def register(registry: Registry) -> None:
    """Add `feed`, `arxiv`, `huggingface`, `listing`, `folder` and `readers`."""
    kinds: dict[str, Kind] = {
        "feed": FeedKind(),
        "arxiv": ArxivKind(),
        "huggingface": HuggingFaceKind(),
        "listing": ListingKind(),
        "folder": FolderKind(),
        READERS: ReadersKind(),
    }
    for name, kind in kinds.items():
        registry.add_source_kind(name, kind)
