"""schedules.yaml is read whole, and every mistake in it is told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError, Problem
from newsletter.model import Filters, Follow, Limits, Minimum, Plan, Schedule, Source, WhenEmpty
from newsletter.registry import Option
from newsletter.schedule import plan

CASES = Path(__file__).parents[1] / "data" / "schedules"
EXAMPLE = Path(__file__).parents[2] / "schedules.yaml"
THEMES = {"papers", "plain"}


@dataclass(frozen=True)
class StandIn:
    """A source kind as this room sees one: what it takes, and what it says of the values."""

    options: Mapping[str, Option] = field(default_factory=dict)

    def check(self, options: Mapping[str, object]) -> Sequence[Problem]:
        """Addresses are http, categories are some, a number is needed and not 0. Relies on what is required."""
        found = [
            Problem(key=key, what="") for key in self.options if self.options[key].required and options[key] is None
        ]
        if not str(options.get("url", "http")).startswith("http"):
            found.append(Problem(key="url", what="must begin with http:// or https://"))
        if options.get("categories", "some") == ():
            found.append(Problem(key="categories", what="names no category", hint="such as [cs.CL]"))
        if options.get("most") == 0:
            found.append(Problem(key="most", what="must be more than 0"))
        if "full" in self.options and "most" not in options:
            found.append(Problem(key="most", what="is needed here"))
        return found


KINDS = {
    "huggingface": StandIn({"url": Option()}),
    "arxiv": StandIn({"categories": Option(type=tuple, required=True), "url": Option()}),
    "feed": StandIn({"url": Option(required=True)}),
    "listing": StandIn({"path": Option(required=True)}),
    "counted": StandIn({"most": Option(type=int), "full": Option(type=bool)}),
}


def load(path: Path) -> Plan:
    """Load a file with the stand-in kinds."""
    return plan.load(path, kinds=KINDS, themes=THEMES)


def read(text: str) -> Plan:
    """Read a text with the stand-in kinds."""
    return plan.read(text, file="schedules.yaml", kinds=KINDS, themes=THEMES)


def a_plan(*, newsletter: str = "", source: str = "", schedule: str = "", head: str = "") -> str:
    """Build a good file with more lines in one of its parts."""
    return (
        f"{head}newsletters:\n  daily: {{title: Daily, from: papers@example.org, sources: [blog]{newsletter}}}\n"
        f"sources:\n  blog: {{kind: feed, url: 'https://example.org/feed.xml'}}\n{source}"
        f"schedules:\n  morning: {{newsletter: daily, {schedule or 'at: 08:00'}}}\n"
    )


def told(given: Path | str) -> str:
    """Tell what an operator is told of a file or a text, a problem a line; nothing where it is good."""
    try:
        load(given) if isinstance(given, Path) else read(given)
    except ConfigError as error:
        return f"{error}\n"
    return ""


def problems_of(path: Path) -> tuple[Problem, ...]:
    """Tell what is wrong with a file that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.problems


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_case(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The problems told of a file are those that stand beside it; a case named good has none."""
    monkeypatch.chdir(CASES / case)
    expected = "" if case.startswith("good-") else Path("problems.txt").read_text("utf-8")

    assert expected == told(Path("schedules.yaml"))


def test_everything() -> None:
    """Every key arrives where the stages look for it."""
    loaded = load(CASES / "good-everything" / "schedules.yaml")
    newsletter = loaded.newsletters["daily-papers"]

    assert newsletter.sender == "Daily Papers <papers@example.org>"
    assert newsletter.sources == ("blog", "papers", "saved", "counted")
    assert newsletter.limits == Limits(stories=500, per_topic=1)
    assert newsletter.filters == Filters(
        include=("LLM", "language model"),
        exclude=("blockchain",),
        follow=Follow(authors=("Ada Noether",), organisations=("Institute of Maps",)),
        minimum=Minimum(upvotes=3, stars=1_000_000),
    )
    assert newsletter.when_empty is WhenEmpty.SEND
    assert newsletter.max_age == timedelta(days=3)
    assert (newsletter.language, newsletter.address) == ("pt-BR", "Example Papers, 1 Example Street")
    assert loaded.sources["papers"] == Source(name="papers", kind="arxiv", options={"categories": ("cs.CL", "cs.CV")})
    assert loaded.sources["counted"].options == {"most": 10, "full": True}
    assert loaded.topics["language-models"].keywords == ("LLM", "language model")
    assert loaded.topics["language-models"].exclude == ("vision",)
    assert loaded.schedules["morning"] == Schedule(
        name="morning",
        newsletter="daily-papers",
        weekdays=frozenset(range(5)),
        at=(time(8),),
        timezone="subscriber",
        catch_up=timedelta(hours=6),
    )
    assert loaded.schedules["twice"].weekdays == {5, 6}
    assert loaded.schedules["twice"].at == (time(9, 5), time(18, 30))
    assert loaded.schedules["twice"].catch_up == timedelta(0)
    assert loaded.schedules["monthly"].weekdays == frozenset()
    assert loaded.schedules["monthly"].month_days == {1, 31}
    assert loaded.schedules["fortnightly"].weeks == 2
    assert loaded.schedules["fortnightly"].starting == date(2026, 1, 5)
    assert loaded.schedules["by-cron"].cron == "*/30 17-18 1,15 jan-mar mon-fri/2"
    assert loaded.schedules["by-cron"].catch_up == timedelta(0)


def test_traps_of_yaml() -> None:
    """Unquoted times, years and the Norwegian language are what they look like, not what YAML 1.1 makes of them."""
    loaded = load(CASES / "good-yaml-1.1-traps" / "schedules.yaml")

    assert loaded.newsletters["2026"].language == "no"
    assert loaded.newsletters["2026"].title == "2026-11-20"
    assert loaded.topics["no"].title == "Yes"
    assert loaded.topics["no"].keywords == ("no", "1e3", "0x10", "~x")
    assert loaded.schedules["off"].at == (time(8),)
    assert loaded.schedules["y"].at == (time(10, 30), time(23, 59))


def test_anchors_and_merges() -> None:
    """Anchors stand for what they name, and what a mapping says itself goes before what it merges."""
    newsletters = load(CASES / "good-anchors-and-merges" / "schedules.yaml").newsletters

    assert newsletters["weekly-papers"].title == "Weekly Papers"
    assert newsletters["weekly-papers"].sender == newsletters["daily-papers"].sender
    assert newsletters["weekly-papers"].limits.stories == 20
    assert newsletters["monthly-papers"].title == "Monthly Papers"


def test_the_example() -> None:
    """The example that the package ships is right, and uses every source and topic it defines."""
    loaded = load(EXAMPLE)
    newsletter = loaded.newsletters["daily-papers"]

    assert set(newsletter.sources) == set(loaded.sources)
    assert list(newsletter.topics) == list(loaded.topics)
    assert loaded.schedules["weekday-morning"].timezone == "subscriber"
    assert all(topic.about and len(topic.keywords) >= 5 for topic in loaded.topics.values())


@pytest.mark.parametrize(
    ("choices", "mistake"),
    [
        ("every: monday, at: 08:00", None),
        ("every: monday", "schedules.morning.at"),
        ("at: 08:00", None),
        ("cron: 0 8 * * *", None),
        ("cron: 0 8 * * *, at: 08:00", "schedules.morning.at"),
        ("cron: 0 8 * * *, every: day", "schedules.morning.every"),
    ],
)
def test_days_and_times(choices: str, mistake: str | None) -> None:
    """A schedule says when by wall times, on every day or some, or by cron, and never by both."""
    text = a_plan(schedule=choices)

    if mistake is None:
        assert read(text).schedules
    else:
        with pytest.raises(ConfigError) as caught:
            read(text)
        assert [problem.key for problem in caught.value.problems] == [mistake]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (None, "there is no such file"),
        (b"", "is empty"),
        (b"newsletters:\n  caf\xe9: {}\n", "is not UTF-8 text"),
        ("newsletters: {}".encode("utf-16"), "is not UTF-8 text"),
        (b"#" * 1_000_001, "is larger than 1000 kB"),
    ],
)
def test_unusable_file(tmp_path: Path, data: bytes | None, what: str) -> None:
    """A file that cannot be used at all is one problem, with the command that writes a good one."""
    path = tmp_path / "schedules.yaml"
    if data is not None:
        path.write_bytes(data)

    (problem,) = problems_of(path)

    assert (problem.file, problem.what) == (str(path), what)
    assert "newsletter init" in problem.hint


def test_not_utf8_has_a_line(tmp_path: Path) -> None:
    """The line of the first byte that is not UTF-8 is told."""
    (tmp_path / "schedules.yaml").write_bytes(b"newsletters:\n  caf\xe9: {}\n")

    assert problems_of(tmp_path / "schedules.yaml")[0].line == 2


def test_unreadable_file(tmp_path: Path) -> None:
    """What cannot be opened is a problem that says why."""
    (problem,) = problems_of(tmp_path)

    assert problem.what == "cannot be read: Is a directory"


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark at the beginning, as some editors write it, is no part of the first key."""
    (tmp_path / "schedules.yaml").write_bytes(b"\xef\xbb\xbf" + a_plan().encode())

    assert load(tmp_path / "schedules.yaml").newsletters


def test_error_is_a_value_error() -> None:
    """A configuration that cannot be used is a ValueError whose text is all problems, a line each."""
    with pytest.raises(
        ValueError, match=r"^schedules.yaml:1: unknown: unknown key[^\n]*\nschedules.yaml:3: "
    ) as caught:
        read(a_plan(head="unknown: 1\n", newsletter=", colour: red"))

    assert isinstance(caught.value, ConfigError)


# A file of up to a megabyte must not take more than its own size in work, however it is written.
def test_many_aliases_are_counted() -> None:
    """Aliases are counted as often as they stand, so that a short file cannot stand for a huge one."""
    keywords = ", ".join(["word"] * 1000)
    topics = "".join(f"  t{number}: {{title: T, keywords: *k}}\n" for number in range(101))

    with pytest.raises(ConfigError, match="more than 100000 values, aliases counted in full"):
        read(a_plan(head=f"topics:\n  first: {{title: T, keywords: &k [{keywords}]}}\n{topics}"))


@pytest.mark.parametrize("zone", ["Europe/Paris", "UTC", "subscriber", "America/Argentina/Buenos_Aires"])
def test_time_zones(zone: str) -> None:
    """Every IANA name is a time zone, and so is that of the subscriber."""
    assert read(a_plan(schedule=f"at: 08:00, timezone: {zone}")).schedules["morning"].timezone == zone


_WORDS = st.sampled_from(
    [
        *("newsletters", "sources", "topics", "schedules", "daily", "title", "from", "kind", "feed", "url", "at"),
        *("every", "cron", "timezone", "catch_up", "limits", "stories", "keywords", "08:00", "* * * * *", "<<"),
        *("papers@example.org", "&a", "*a", "!x", "!!set", "~", "''", '"\\ud800"', "-1", "|", ">", "%YAML 1.1", "---"),
        *(": ", ", ", "[", "]", "{", "}", "\n", "\n  ", "\n    ", "- ", "? ", "#", "\t", "\ufeff", "\x85", "\u2028"),
    ]
)


@settings(deadline=None, max_examples=75)
@given(st.text() | st.lists(_WORDS, max_size=40).map("".join))
def test_any_text(text: str) -> None:
    """Whatever a file holds, it is a plan or problems that can be printed, a line each."""
    assert all(line.startswith(b"schedules.yaml:") for line in told(text).encode().splitlines())


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=8,
)
_PARTS = st.dictionaries(st.sampled_from(["daily", "blog", "vision", "X", ""]), _VALUES, max_size=2)


@settings(deadline=None, max_examples=75)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("newsletters", "sources", "topics", "schedules"), _PARTS)))
def test_any_values(tree: dict[str, object]) -> None:
    """Whatever values the keys have, the file is a plan or problems that can be printed, a line each."""
    printed = told(yaml.safe_dump(tree)).encode()

    assert all(line.startswith(b"schedules.yaml:") for line in printed.splitlines())


@settings(deadline=None, max_examples=75)
@given(st.text(max_size=60) | st.text(alphabet='ab@.<>,"( )\\:;', max_size=30))
def test_any_mailbox(text: str) -> None:
    """Whatever stands at `from`, it is one mailbox or a mistake; line breaks never pass."""
    quoted = yaml.safe_dump(text, default_style='"', width=10_000).strip()

    try:
        sender = read(a_plan().replace("papers@example.org", quoted)).newsletters["daily"].sender
    except ConfigError:
        return
    assert sender.isprintable()
    assert sender.count("@") >= 1


def test_a_source_may_weigh_more() -> None:
    """Whatever its kind; 1 where nothing is said."""
    loaded = read(a_plan(source="  dear: {kind: feed, url: 'https://example.org/a', weight: 2.5}\n"))

    assert {name: source.weight for name, source in loaded.sources.items()} == {"blog": 1.0, "dear": 2.5}
