"""What may be read: newsletters, the stories that were collected, and whether all is well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from newsletter.errors import NotFound
from newsletter.model import Link, Newsletter, Story
from newsletter.permalinks import read_permalink
from newsletter.schedule import slots
from newsletter.search import Filters, search
from newsletter.store import migrate
from newsletter.store.issues import names
from newsletter.web.api.operations import Call, Operation, Reply
from newsletter.web.api.shapes import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAsked:
    """What is looked for; for nothing the latest stories are found."""

    q: Annotated[str, Rule("words, or a sentence", most=300)] = ""
    like: Annotated[str, Rule("the key of a story to find more like", most=500)] = ""
    newsletter: Annotated[str, Rule("only what its sources have", most=100)] = ""
    since: Annotated[date | None, Rule("the first day")] = None
    until: Annotated[date | None, Rule("the last day")] = None
    topic: Annotated[str, Rule("only stories of it", most=100)] = ""
    source: Annotated[str, Rule("only what it has", most=100)] = ""
    author: Annotated[str, Rule("only theirs; first names may lack", most=100)] = ""
    limit: Annotated[int, Rule("at most so many", least=1, most=100)] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryShown:
    """A story as its sources tell it now. What none of them counts is null."""

    key: str
    title: str
    url: str
    summary: str
    tldr: str
    authors: tuple[str, ...]
    author_count: int
    organisations: tuple[str, ...]
    published: datetime | None
    tags: tuple[str, ...]
    links: tuple[Link, ...]
    sources: tuple[str, ...]
    upvotes: int | None
    comments: int | None
    stars: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A story that was found; `score` compares it with the others of this search only."""

    score: float
    day: date
    topic: str
    story: StoryShown


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a search found, the best first."""

    items: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryTold:
    """A story, with the issues that told it last."""

    story: StoryShown
    issues: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicNamed:
    """A topic, and how it is called in issues."""

    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A schedule, and when it next comes."""

    name: str
    cadence: str
    next: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterShown:
    """A newsletter as schedules.yaml has it."""

    name: str
    title: str
    language: str
    public: bool
    sources: tuple[str, ...]
    topics: tuple[TopicNamed, ...]
    schedules: tuple[Turn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletters:
    """All of them."""

    items: tuple[NewsletterShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthShown:
    """That requests are answered, and the database is there."""

    status: Literal["ok"]
    at: datetime


def list_newsletters(call: Call) -> Reply:
    """The newsletters of the plan."""
    found = call.site.app.plan.newsletters.values()
    return Reply(value=Newsletters(items=tuple(_newsletter(call, one) for one in found)))


def get_newsletter(call: Call) -> Reply:
    """One of them."""
    return Reply(value=_newsletter(call, call.site.app.newsletter(call.path["name"])))


def search_stories(call: Call) -> Reply:
    """The best stories for what is asked."""
    asked: SearchAsked = call.query
    app = call.site.app
    sources = app.newsletter(asked.newsletter).sources if asked.newsletter else ()
    if asked.source:
        if sources and asked.source not in sources:
            raise NotFound(f"{asked.newsletter} has no source {asked.source!r}")
        sources = (asked.source,)
    filters = Filters(
        since=asked.since or date.min,
        until=asked.until or date.max,
        topics=(asked.topic,) if asked.topic else (),
        sources=sources,
        author=asked.author,
    )
    like = [asked.like] if asked.like else []
    found = search(app.archive, asked.q, like=like, filters=filters, limit=asked.limit)
    items = (
        Answer(score=round(float(one.score), 4), day=one.day, topic=one.topic, story=_story(one.story)) for one in found
    )
    return Reply(value=Answers(items=tuple(items)))


def get_story(call: Call) -> Reply:
    """One story, by a key, an arXiv id, a DOI or an address."""
    name = read_permalink(call.path["key"])
    if not name.isprintable():
        raise NotFound("that names no story")
    archive = call.site.app.archive
    for story in archive.stories(archive.find([name])[name]).values():
        told = {
            number
            for newsletter in call.site.app.plan.newsletters
            for number in call.store.issues.telling(newsletter, names(story))
        }
        return Reply(value=StoryTold(story=_story(story), issues=tuple(sorted(told))))
    raise NotFound(f"there is no story {name!r}")


def get_health(call: Call) -> Reply:
    """StoreError, which is answered with 503, where the database is not as it should be."""
    migrate.check(call.store.db)
    return Reply(value=HealthShown(status="ok", at=call.now))


def _newsletter(call: Call, newsletter: Newsletter) -> NewsletterShown:
    app = call.site.app
    schedules = [one for one in app.plan.schedules.values() if one.newsletter == newsletter.name]
    coming = {one.name: slots.next_slots(one, now=call.now, count=1, zones=app.places(one)) for one in schedules}
    return NewsletterShown(
        name=newsletter.name,
        title=newsletter.title,
        language=newsletter.language,
        public=newsletter.public,
        sources=newsletter.sources,
        topics=tuple(TopicNamed(name=topic.name, title=topic.title) for topic in app.topics(newsletter)),
        schedules=tuple(
            Turn(name=one.name, cadence=one.cadence, next=next((slot.at for slot in coming[one.name]), None))
            for one in schedules
        ),
    )


def _story(story: Story) -> StoryShown:
    return StoryShown(
        key=story.key,
        title=story.title,
        url=story.url,
        summary=story.summary,
        tldr=story.tldr,
        authors=story.authors,
        author_count=story.author_count,
        organisations=story.organisations,
        published=story.published,
        tags=story.tags,
        links=story.links,
        sources=tuple(dict.fromkeys(mention.source for mention in story.mentions)),
        upvotes=story.signals.upvotes,
        comments=story.signals.comments,
        stars=story.signals.stars,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/newsletters",
        summary="List the newsletters",
        act=list_newsletters,
        answer=Newsletters,
    ),
    Operation(
        method="GET",
        path="/newsletters/{name}",
        summary="Show a newsletter: its sources, topics, schedules",
        act=get_newsletter,
        answer=NewsletterShown,
        errors=(404,),
    ),
    Operation(
        method="GET",
        path="/search",
        summary="Search everything that was collected, by words and by meaning",
        act=search_stories,
        query=SearchAsked,
        answer=Answers,
        errors=(404,),
    ),
    Operation(
        method="GET",
        path="/stories/{key}",
        summary="Show a story, by a key, an arXiv id, a DOI or an address",
        act=get_story,
        answer=StoryTold,
        errors=(404,),
    ),
    Operation(
        method="GET",
        path="/health",
        summary="Tell whether requests are answered and the database is there",
        act=get_health,
        answer=HealthShown,
        is_open=True,
    ),
)
