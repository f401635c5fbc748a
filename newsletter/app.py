"""The composition root: builds the concrete things once, and runs the four stages in order.

with open_app(config) as app:
    app.run(slot, clock=clock)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from newsletter import __version__
from newsletter.archive import Archive
from newsletter.collect import collect, look_up
from newsletter.compose import compose
from newsletter.config import Config
from newsletter.deliver import Clock, deliver
from newsletter.errors import ConfigError, NewsletterError, NotFound, Problem, SourceError
from newsletter.links import Links
from newsletter.mail import Send, Sharing
from newsletter.mail.dkim import Signer, load_signer
from newsletter.model import (
    Collected,
    Composed,
    Delivered,
    Entry,
    Issue,
    Newsletter,
    Outcome,
    Plan,
    Preferences,
    Published,
    Run,
    Schedule,
    Slot,
    Source,
    SourceReport,
    Topic,
)
from newsletter.networks import Guard
from newsletter.publish import publish
from newsletter.registry import Registry
from newsletter.render.issue import Render, open_render
from newsletter.schedule import slots
from newsletter.schedule.plan import load
from newsletter.sources import Fetch, Kind, Read
from newsletter.sources.courtesy import interval
from newsletter.sources.fetch import open_fetch
from newsletter.sources.readers import READERS
from newsletter.sources.worker import open_reader
from newsletter.store import Store, migrate, open_store
from newsletter.store.deliveries import Standing
from newsletter.store.issues import SKIPPED, Audience
from newsletter.summaries import Summaries, nobody, open_summaries
from newsletter.topics import embedders
from newsletter.topics.endpoint import Endpoint
from newsletter.windows import opening

T = TypeVar("T")

CATCH_UP = 5_000  # changes of the archive after a run of stage 1: the issue does not wait for more
USER_AGENT = f"newsletter/{__version__}"
_A_YEAR = timedelta(days=366)
_PATIENCE = 20.0  # seconds that somebody waits for the end of a collection
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who looks on while a slot is run, and may say stop; by default nobody does."""

    source: Callable[[SourceReport], None] = lambda _: None
    outcome: Callable[[Outcome], None] = lambda _: None
    standing: Callable[[Callable[[], Standing]], None] = lambda _: None  # how to ask, before the first message
    stop: Callable[[], bool] = lambda: False


ALONE = Watch()


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything the stages need, built and open."""

    config: Config
    plan: Plan
    kinds: Mapping[str, Kind]
    store: Store
    archive: Archive
    summaries: Summaries
    fetch: Fetch
    read: Read
    render: Render
    links: Links
    send: Send
    signer: Signer | None
    # The reader of documents takes one at a time, and a domain one request; the daemon collects in two threads.
    collecting: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def run(
        self, slot: Slot, *, audience: Audience, clock: Clock, besides: int | None = None, watch: Watch = ALONE
    ) -> Run:
        """Take a slot as far as it will go: collect, compose, publish, deliver. The report is kept.

        A slot that is published already goes on where it was left. `besides` names an issue that is being replaced.
        """
        run = Run(slot=slot)
        try:
            for report in self._stages(slot, audience=audience, clock=clock, besides=besides, watch=watch):
                run = replace(run, **report)
        except NewsletterError as error:
            run = replace(run, error=str(error))
            raise
        finally:
            self.store.runs.add(run, now=clock())
        return run

    def _stages(
        self, slot: Slot, *, audience: Audience, clock: Clock, besides: int | None, watch: Watch
    ) -> Iterator[dict[str, Any]]:
        """Each stage's report, under its name in Run, as soon as it is there."""
        decided = self.store.issues.find(slot)
        if decided is None or decided.state == SKIPPED:
            # A copy for named people is how an editor looks at an issue: nobody has to approve that.
            asks = self.newsletter(slot.newsletter).approval and audience.only is None
            draft = self.store.drafts.find(slot) if asks else None
            if draft is not None:
                if draft.approved_at is None or draft.issue is None:
                    yield {"composed": Composed(issue=None, waits=_waits(slot))}
                    return
                published = self.publish(draft.issue, audience=audience, now=clock())
                yield {"published": published}
                yield {"delivered": self.deliver(published.issue, clock=clock, watch=watch)}
                return
            collected = self.collect(slot.newsletter, now=clock(), watch=watch)
            yield {"collected": collected}
            composed = self.compose(slot, now=clock(), besides=besides)
            waits = _waits(slot) if asks and composed.issue is not None else ""
            yield {"composed": replace(composed, issue=None, waits=waits)}  # the issue is kept where it belongs
            if waits:
                until = self._last_call(slot)
                self.store.drafts.add(slot, composed, until=until, besides=besides, now=clock())
                return
            if composed.issue is None:
                # A source that is down may have news: such a slot stays undecided while it can be caught up.
                if not collected.failed:
                    self.store.issues.skip(slot, reason=composed.reason, now=clock())
                return
            published = self.publish(composed.issue, audience=audience, now=clock())
            yield {"published": published}
            issue = published.issue
        else:
            issue = decided.id
        yield {"delivered": self.deliver(issue, clock=clock, watch=watch)}

    # --- the four stages, each with what this app is made of

    def collect(self, newsletter: str, *, now: datetime, watch: Watch = ALONE) -> Collected:
        """Stage 1 for the sources of a newsletter."""
        return self.collect_sources(self.newsletter(newsletter).sources, now=now, watch=watch)

    def collect_sources(
        self, names: Sequence[str], *, now: datetime, insist: bool = False, watch: Watch = ALONE
    ) -> Collected:
        """Stage 1 for the named sources; `insist` asks those too that failed a moment ago.

        NotFound for one that is not configured.
        """
        sources = [self._source(name) for name in names]
        with self.collecting:
            collected = collect(
                sources,
                kinds=self.kinds,
                fetch=self.fetch,
                read=self.read,
                store=self.store,
                now=now,
                insist=insist,
                progress=watch.source,
            )
            if any(report.entries for report in collected.sources):
                self.archive.catch_up(most=CATCH_UP)
        return collected

    def look_up(self, name: str, keys: Sequence[str], *, now: datetime) -> Sequence[Entry]:
        """What a source says of these keys, asked now. SourceError, also while a collection is going on."""
        source = self._source(name)
        if not self.collecting.acquire(timeout=_PATIENCE):
            raise SourceError("sources are being read at the moment: try again in a minute")
        try:
            kind = self.kinds[source.kind]
            return look_up(source, keys, kind=kind, fetch=self.fetch, read=self.read, now=now)
        finally:
            self.collecting.release()

    def compose(self, slot: Slot, *, now: datetime, besides: int | None = None) -> Composed:
        """Stage 2."""
        newsletter = self.newsletter(slot.newsletter)
        topics = self.topics(newsletter)
        return compose(
            slot,
            newsletter=newsletter,
            topics=topics,
            store=self.store,
            archive=self.archive,
            now=now,
            besides=besides,
            summaries=self.summaries,
            weights={source.name: source.weight for source in self.plan.sources.values()},
        )

    def publish(self, issue: Issue, *, audience: Audience, now: datetime) -> Published:
        """Stage 3."""
        newsletter = self.newsletter(issue.slot.newsletter)
        return publish(
            issue, newsletter=newsletter, audience=audience, render=self.render.issue, store=self.store, now=now
        )

    def deliver(self, issue: int, *, clock: Clock, watch: Watch = ALONE) -> Delivered:
        """Stage 4."""
        watch.standing(lambda: self.store.deliveries.standing(issue, now=clock()))
        return deliver(
            issue,
            send=self.send,
            links=self.links,
            store=self.store,
            clock=clock,
            stop=watch.stop,
            progress=watch.outcome,
            signer=self.signer,
        )

    # --- what is configured

    def newsletter(self, name: str) -> Newsletter:
        """A newsletter by its name. NotFound."""
        return _named(self.plan.newsletters, name, "newsletter")

    def topics(self, newsletter: Newsletter) -> tuple[Topic, ...]:
        """The topics of a newsletter, in its order of sections."""
        return tuple(self.plan.topics[name] for name in newsletter.topics)

    def _source(self, name: str) -> Source:
        return _named(self.plan.sources, name, "source")

    def sources_due(self, *, now: datetime) -> list[str]:
        """The sources of scheduled newsletters to look at between issues, those first that waited longest.

        So the votes of a day are known at more than its last moment, and a busy feed loses nothing that it drops.
        """
        scheduled = {schedule.newsletter for schedule in self.plan.schedules.values()}
        names = {name: None for newsletter in sorted(scheduled) for name in self.newsletter(newsletter).sources}
        tried = {health.name: health.tried_at for health in self.store.sources.list()}
        resting = self.store.sources.resting(now=now)
        a_week = self.store.entries.count(since=now - timedelta(days=7))
        due = [
            name
            for name in names
            if name not in resting and (name not in tried or tried[name] + interval(a_week.get(name, 0)) <= now)
        ]
        return sorted(due, key=lambda name: (tried.get(name, _LONG_AGO), name))

    def reloaded(self) -> App:
        """The same app with schedules.yaml as it is now. ConfigError with every mistake in it."""
        plan = load_plan(self.config, load_plugins())
        return replace(self, plan=plan, archive=_archive(self.store, plan, self.config))

    def next_collected(self, name: str, *, now: datetime) -> datetime | None:
        """When a source is next asked: with the next issue after its rest. None where it will not be."""
        rests = self.store.sources.resting(now=now).get(name)
        after = rests.rests_until if rests and rests.rests_until else now
        if after - now > _A_YEAR:
            return None  # it said that it is gone
        turns = [
            slot.at
            for schedule in self.plan.schedules.values()
            if name in self.newsletter(schedule.newsletter).sources
            for slot in slots.next_slots(schedule, now=after, count=1, zones=self.places(schedule))
        ]
        return min(turns, default=None)

    def zones(self, newsletter: str) -> frozenset[str]:
        """The time zones that readers of a newsletter live in; UTC for those who named none."""
        return frozenset(zone or "UTC" for zone in self.store.subscribers.timezones(newsletter))

    def places(self, schedule: Schedule) -> frozenset[str]:
        """The time zones that a schedule goes by, where those are its readers'; else none but its own."""
        return self.zones(schedule.newsletter) if schedule.timezone == slots.SUBSCRIBER else frozenset()

    def due(self, *, now: datetime) -> list[tuple[Slot, Audience]]:
        """The slots that are due and not decided yet, oldest first, each with its audience.

        Of those that have to be approved, the ones that are, whenever that was, and those of which there is no draft.
        """
        due = []
        drafts = [draft for draft in self.store.drafts.list() if self._asks(draft.slot.newsletter)]
        drafted = {(draft.slot.newsletter, draft.slot.key) for draft in drafts}
        for schedule in self.plan.schedules.values():
            slot = slots.due(schedule, now=now, zones=self.places(schedule))
            is_new = slot is not None and (slot.newsletter, slot.key) not in drafted
            if slot is not None and is_new and self.store.issues.find(slot) is None:
                due.append((slot, self.audience(slot, schedule)))
        for draft in drafts:
            if draft.approved_at is not None:
                schedule_of = self.schedule_of(draft.slot)
                audience = self.audience(draft.slot, schedule_of) if schedule_of else self._by_hand(draft.slot, now)
                due.append((draft.slot, audience))
        return sorted(due, key=lambda pair: pair[0].at)

    def _asks(self, newsletter: str) -> bool:
        """Whether the issues of a newsletter have to be approved; not one that is gone."""
        known = self.plan.newsletters.get(newsletter)
        return known is not None and known.approval

    def schedule_of(self, slot: Slot) -> Schedule | None:
        """The schedule that a slot is a turn of; None for one that was made by hand."""
        schedule = self.plan.schedules.get(slot.schedule)
        if schedule is None or schedule.newsletter != slot.newsletter:
            return None
        turns = slots.slots_on(schedule, slot.date, zones=self.places(schedule))
        return schedule if slot.key in {turn.key for turn in turns} else None

    def _by_hand(self, slot: Slot, now: datetime) -> Audience:
        schedule = self.plan.schedules.get(slot.schedule)
        return Audience(at=now, cadence=schedule.cadence if schedule else "daily")

    def _last_call(self, slot: Slot) -> datetime | None:
        """Until when a slot can be taken up; None for one that was made by hand."""
        schedule = self.schedule_of(slot)
        return slots.last_call(slot, schedule, self.places(schedule)) if schedule else None

    def audience(self, slot: Slot, schedule: Schedule) -> Audience:
        """Whom a schedule's slot is for, and when each of them is due."""
        everywhere = schedule.timezone == slots.SUBSCRIBER
        zones = self.places(schedule)
        own = "UTC" if everywhere else schedule.timezone
        apart = slots.apart(schedule)
        # An hour of the day says nothing where there are several issues a day.
        hours = self.store.subscribers.hours(schedule.newsletter) if apart is not None else ()
        return Audience(
            at=_opens(slot, schedule, own),
            cadence=schedule.cadence,
            due={zone: _opens(slot, schedule, zone) for zone in zones},
            hours={(zone, hour): _opens(slot, schedule, zone or own, hour=hour) for zone, hour in hours},
            zone=own,
            window=schedule.window,
            expires=schedule.expires,
            apart=apart,
        )


def goes_at(slot: Slot, schedule: Schedule, chosen: Preferences) -> datetime:
    """When a reader with these preferences is due for the issue of a slot: what `App.audience` says for all."""
    everywhere = schedule.timezone == slots.SUBSCRIBER
    own = "UTC" if everywhere else schedule.timezone
    hour = chosen.hour if slots.apart(schedule) is not None else None
    named = chosen.timezone if everywhere or hour is not None else ""
    return _opens(slot, schedule, named or own, hour=hour)


def _waits(slot: Slot) -> str:
    return f"waits for approval: `newsletter issues approve {slot.newsletter} {slot.key}`"


def _opens(slot: Slot, schedule: Schedule, zone: str, *, hour: int | None = None) -> datetime:
    """When a slot is due in a time zone, for those who want it at an hour: not before the send window opens."""
    due_at = slots.due_at(slot, schedule, zone)
    if hour is not None:
        due_at = slots.at_hour(hour, zone, after=due_at)
    # The window is that of the reader's clocks where the schedule is, else of the schedule's.
    clocks = zone if schedule.timezone == slots.SUBSCRIBER else schedule.timezone
    return opening(schedule.window, due_at, clocks) if schedule.window else due_at


@contextmanager
def open_app(config: Config, *, migrated: bool = False) -> Iterator[App]:
    """The app of a workspace. `migrated` brings the database up to date first, instead of only checking it.

    Raises ConfigError with every mistake of the configuration, StoreError for a database that cannot be used.
    """
    registry = load_plugins()
    if not config.secret_keys:
        hint = "`newsletter init` creates one in .env"
        raise ConfigError([Problem(key="NEWSLETTER_SECRET_KEY", what="is not set", hint=hint)])
    plan = load_plan(config, registry)
    send = open_sender(config, registry)
    with closing(open_store(config.database_url)) as store, open_reader(registry.source_kinds) as reader:
        if migrated:
            migrate.upgrade(store.db)
        else:
            migrate.check(store.db)
        yield App(
            config=config,
            plan=plan,
            kinds=registry.source_kinds,
            store=store,
            archive=_archive(store, plan, config),
            summaries=_summaries(config, store),
            fetch=open_fetch(allow=config.allow_networks, user_agent=USER_AGENT, turns=store.turns),
            read=reader.read,
            render=open_render([config.templates], base_url=config.base_url),
            links=Links(base_url=config.base_url, keys=config.secret_keys, bounce_domain=config.bounce_domain),
            send=_shared(send, store, config),
            signer=_signer(config),
        )


def load_plugins() -> Registry:
    """Everything that is registered under the entry point group `newsletter`, the built-in things first."""
    registry = Registry()
    points = entry_points(group="newsletter")
    for point in sorted(points, key=lambda point: (not point.value.startswith("newsletter."), point.name)):
        point.load()(registry)
    return registry


def load_plan(config: Config, registry: Registry) -> Plan:
    """schedules.yaml, checked; the files that its sources name are taken from its folder."""
    folder = config.templates / "email"
    own_themes = {path.parent.name for path in folder.glob("*/issue.mjml.j2")}
    plan = load(config.schedules, kinds=registry.source_kinds, themes=registry.themes | own_themes)
    sources = {name: _rooted(source, config.schedules.parent) for name, source in plan.sources.items()}
    newsletters = {name: _asking(newsletter, sources) for name, newsletter in plan.newsletters.items()}
    return replace(plan, sources=sources, newsletters=newsletters)


def _asking(newsletter: Newsletter, sources: Mapping[str, Source]) -> Newsletter:
    """With the source for what its readers suggest, where one of its sources is of that kind."""
    own = next((name for name in newsletter.sources if sources[name].kind == READERS), "")
    return replace(newsletter, suggestions=own)


def _archive(store: Store, plan: Plan, config: Config) -> Archive:
    current = partial(embedders.current, model=config.model)
    return Archive(store, topics=tuple(plan.topics.values()), current=current)


def _signer(config: Config) -> Signer | None:
    keys = [(config.dkim_selector, config.dkim_key), (config.dkim_selector_2, config.dkim_key_2)]
    return load_signer(config.dkim_domain, keys)


def _summaries(config: Config, store: Store) -> Summaries:
    if not config.summaries_url:
        return nobody
    endpoint = Endpoint(base_url=config.summaries_url, model=config.summaries_model, key=config.summaries_key)
    return open_summaries(endpoint, store)


def open_sender(config: Config, registry: Registry) -> Send:
    """The sender for SMTP_URL. ConfigError when no plugin knows its scheme."""
    scheme = config.smtp_url.partition(":")[0].lower()
    if scheme not in registry.senders:
        known = ", ".join(f"{name}://" for name in sorted(registry.senders))
        raise ConfigError(
            [Problem(key="NEWSLETTER_SMTP_URL", what=f"cannot send by {scheme}://", hint=f"known: {known}")]
        )
    send: Send = registry.senders[scheme](config.smtp_url)
    return send


def _shared(send: Send, store: Store, config: Config) -> Send:
    """A sender that keeps its limits together with every other worker on this database, where it can."""
    if not isinstance(send, Sharing):
        return send
    return send.sharing(store.lanes, guard=Guard(tuple(config.allow_networks)))


def _rooted(source: Source, folder: Path) -> Source:
    path = source.options.get("path")
    if not isinstance(path, str):
        return source
    return replace(source, options={**source.options, "path": str(folder / path)})


def _named(things: Mapping[str, T], name: str, noun: str) -> T:
    if name not in things:
        known = ", ".join(things) or "none yet"
        raise NotFound(f"there is no {noun} {name!r} in the schedules; there are: {known}")
    return things[name]
