from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Entry, Link, Mention, Signals, Story
from newsletter.topics.merge import Sighting, merge
from tests.builders import HOUR, NOON, an_entry


def merged(*entries: Entry) -> list[Story]:
    """The stories of entries seen a minute after each other."""
    return merge(
        Sighting(entry=entry, first_seen=NOON + timedelta(minutes=number), title_name=f"title:{entry.title.casefold()}")
        for number, entry in enumerate(entries)
    )


def test_one_paper_from_three_sources_is_one_story() -> None:
    """Entries with one key become one story with all their links and the largest of their signals."""
    listing = an_entry(1, links=(Link(rel="code", url="https://example.org/code"),), signals=Signals(upvotes=5))
    rss = an_entry(1, source="arxiv", url="https://arxiv.org/abs/2611.00001", signals=Signals(), tags=("cs.CL",))
    again = an_entry(1, source="weekly", signals=Signals(upvotes=9, comments=2))

    (story,) = merged(listing, rss, again)

    assert story.signals == Signals(upvotes=9, comments=2)
    assert story.mentions == (
        Mention(source="hf-daily", url=listing.url),
        Mention(source="arxiv", url=rss.url),
        Mention(source="weekly", url=again.url),
    )
    assert (story.links, story.tags, story.first_seen) == (listing.links, ("cs.CL",), NOON)


def test_an_alias_joins() -> None:
    """A source that knows a thing by another name means the same thing."""
    by_doi = an_entry(2, key="doi:10.1/x", source="journal")
    by_id = an_entry(1, aliases=("doi:10.1/x",))

    (story,) = merged(by_doi, by_id)

    assert story.key == "arxiv:2611.00001"  # the stronger identity leads
    assert "doi:10.1/x" in story.aliases


def test_a_late_alias_joins_two_stories() -> None:
    """Two stories become one when a third entry bears both their names."""
    stories = merged(
        an_entry(1, key="url:https://a.example"),
        an_entry(2, key="url:https://b.example"),
        an_entry(3, aliases=("url:https://a.example", "url:https://b.example")),
    )

    assert len(stories) == 1
    assert len(stories[0].mentions) == 3


def test_a_saved_listing_joins_by_title() -> None:
    """An entry known by its title only joins the one identified story of that title, in either order."""
    paper = an_entry(1, title="Sparse Attention")
    saved = an_entry(9, source="saved", key="title:sparse attention", title="Sparse attention")

    assert len(merged(paper, saved)) == 1
    assert merged(saved, paper)[0].key == "arxiv:2611.00001"
    assert len(merged(saved, an_entry(8, source="old", key="title:sparse attention", title="Sparse attention"))) == 1


def test_a_title_never_joins_two_identities() -> None:
    """Two things with identities of their own stay two, whatever their titles; a bare title picks neither."""
    first, second = an_entry(1, title="Weekly update"), an_entry(2, title="Weekly update")
    bare = an_entry(3, key="title:weekly update", title="Weekly update")

    assert len(merged(first, second)) == 2
    assert len(merged(first, second, bare)) == 3


def test_what_one_source_lacks_another_gives() -> None:
    """Empty fields are filled from the next source; the number of authors is the largest told."""
    bare = an_entry(1, summary="", authors=(), author_count=353)
    full = an_entry(1, source="arxiv")

    (story,) = merged(bare, full)

    assert story.summary == full.summary
    assert story.authors == full.authors
    assert story.author_count == 353


@settings(deadline=None, max_examples=75)
@given(st.lists(st.tuples(st.integers(0, 6), st.lists(st.integers(0, 6), max_size=3)), max_size=12), st.randoms())
def test_merging_does_not_depend_on_order(names: list[tuple[int, list[int]]], random: st.DrawFn) -> None:
    """However entries arrive, the same ones are together, and none is lost."""
    entries = [
        an_entry(1, key=f"url:{key}", source=f"s{number}", aliases=tuple(f"url:{alias}" for alias in aliases))
        for number, (key, aliases) in enumerate(names)
    ]
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def together(stories: list[Story]) -> set[frozenset[str]]:
        return {frozenset(mention.source for mention in story.mentions) for story in stories}

    assert together(merged(*entries)) == together(merged(*shuffled))
    assert sum(len(story.mentions) for story in merged(*entries)) == len(entries)


def test_published_is_the_earliest() -> None:
    """A story is as old as the first source says."""
    (story,) = merged(an_entry(1, published=NOON), an_entry(1, source="b", published=NOON - HOUR))

    assert story.published == NOON - HOUR


def test_what_only_one_source_tells_is_kept() -> None:
    """A short summary, organisations and the last day of listing come from whichever source has them."""
    plain = an_entry(1, source="arxiv", listed=date(2026, 11, 14))
    told = an_entry(1, source="hf-daily", tldr="In short.", organisations=("Institute",), listed=date(2026, 11, 20))

    (story,) = merge([Sighting(entry=plain, first_seen=NOON), Sighting(entry=told, first_seen=NOON)])

    assert (story.tldr, story.organisations, story.listed) == ("In short.", ("Institute",), date(2026, 11, 20))
