"""arXiv's API, asked about papers by their ids: what to ask, and what its answers say. Pure.

The manual: https://info.arxiv.org/help/api/user-manual.html. Answers are Atom. What arXiv refuses comes as one entry
that describes the error, under HTTP 200 as well; papers it does not know are left out, and now and then others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from newsletter.errors import Problem, ReadError
from newsletter.model import Entry, Link, Source
from newsletter.sources import Request, Response
from newsletter.sources.clean import moment, one_line, shortened
from newsletter.sources.decode import brief, first_byte, text
from newsletter.sources.guard import url_complaint
from newsletter.sources.identity import arxiv_id, identify
from newsletter.sources.item import Item
from newsletter.sources.xmlfeed import read_xml_feed

API = "https://export.arxiv.org/api/query"
SCHEME = "arxiv:"  # how the keys of papers begin
MOST = 100  # papers of one request: an address of at most 1,800 characters

# One id that arXiv takes for none costs the answer about all the others (lukasschwab/arxiv.py#74), so only those are
# asked for that it has or may come to have: https://info.arxiv.org/help/arxiv_identifier.html. The archives are those
# of the years before April 2007, when ids began with one.
_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga"
    "|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph"
    "|q-alg|q-bio|quant-ph|solv-int|supr-con"
)
_MONTH = "(?:0[1-9]|1[0-2])"
_ID = re.compile(
    rf"""
      (?:{_ARCHIVES}) / (?:(?:9[1-9]|0[0-6]){_MONTH}|070[1-3]) (?!000)\d{{3}}
    | (?:07(?:0[4-9]|1[0-2])|(?:0[89]|1[0-4]){_MONTH}) \. (?!0000)\d{{4}}
    | (?:1[5-9]|[2-9]\d){_MONTH} \. (?!00000)\d{{5}}
    """,
    re.ASCII | re.VERBOSE,
)
_ERROR = re.compile(r"https?://(?:export\.)?arxiv\.org/api/errors", re.IGNORECASE)
# Papers carry ACM and MSC classes ("I.2.6; I.2.7", "68T07") among their categories.
CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)?(?:\.[A-Za-z]+(?:-[a-z]+)?)?", re.ASCII)
_LETTER = re.compile(r"[^\W\d_]")


def check_api(options: Mapping[str, object]) -> Sequence[Problem]:
    """What is wrong with the option `api`, where it is given: it must be an address, and end before the query."""
    address = str(options.get("api") or "")
    complaint = url_complaint(address) if address else ""
    if "?" in address or "#" in address:
        complaint = "must end before the query, which is ours to write"
    return (Problem(key="api", what=complaint, hint=API),) if complaint else ()


def lookups(keys: Iterable[str], *, api: str = API) -> list[Request]:
    """The requests that ask about the papers among these keys, at most `MOST` of them each."""
    named = dict.fromkeys(arxiv_id(key) for key in keys if key.startswith(SCHEME))
    papers = [paper for paper in named if _ID.fullmatch(paper)]
    portions = [papers[start : start + MOST] for start in range(0, len(papers), MOST)]
    # Without max_results ten papers are told of, however many were asked for.
    return [Request(url=f"{api}?id_list={','.join(some)}&max_results={len(some)}") for some in portions]


def asked_about(request: Request) -> Sequence[str]:
    """The ids of the papers that such a request asks about; none for any other request."""
    told = parse_qs(urlsplit(request.url).query).get("id_list", [""])
    return [paper for paper in told[0].split(",") if paper]


def read_answer(response: Response, source: Source, *, now: datetime) -> list[Entry]:
    """The papers that were asked about and are told of, each once. ReadError for what arXiv refuses, or is no feed."""
    if first_byte(response.body) not in {b"<", b""}:  # "Rate exceeded."
        raise _refused(text(response.body[:1000]))
    asked = set(asked_about(response.request))
    found: dict[str, Entry] = {}
    for item in read_xml_feed(response.body, content_type=response.content_type).items:
        if _ERROR.match(item.guid):
            raise _refused(item.summary.value or item.title.value)
        paper = arxiv_id(item.guid)
        if paper in asked and paper not in found:
            found[paper] = paper_entry(item, paper, source, now=now)
    return list(found.values())


def _refused(words: str) -> ReadError:
    return ReadError(f"arXiv says: {brief(words)}")


def paper_entry(item: Item, paper: str, source: Source, *, now: datetime) -> Entry:
    """What an item says of the paper with this id. Its texts are plain whatever the feed calls them, with TeX in them.

    In "$a<b$" nothing is a tag.
    """
    title, url = one_line(item.title.value), f"https://arxiv.org/abs/{paper}"
    key, aliases = identify(source=source.name, guid=item.guid, url=url, title=title, doi=item.doi)
    return Entry(
        key=key,
        aliases=aliases,
        source=source.name,
        guid=one_line(item.guid),
        url=url,
        title=title or paper,
        summary=shortened(one_line(item.summary.value)),
        authors=_people(item.authors),
        published=moment(item.published, now=now),
        updated=moment(item.updated, now=now),
        tags=tuple(dict.fromkeys(tag for tag in item.tags if CATEGORY.fullmatch(tag))),
        links=(Link(rel="pdf", url=f"https://arxiv.org/pdf/{paper}"),),
    )


def _people(names: Iterable[str]) -> tuple[str, ...]:
    """Each once. "A group: its members" stands there as names too, one of them the colon."""
    return tuple(name for name in dict.fromkeys(map(one_line, names)) if _LETTER.search(name))
