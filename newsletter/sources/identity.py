"""What makes two entries one: the key an entry is known by, whatever source tells of it. Pure.

arxiv:<id without version>  >  doi:<doi>  >  url:<canonical>  >  guid:<source>:<guid>  >  title:<words>
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

# arXiv identifiers: https://info.arxiv.org/help/arxiv_identifier.html. Old ones may name a subject class, which is
# no part of the identity: math.GT/0309136 is math/0309136.
_NEW_ID = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_OLD_ID = r"(?:[a-z]+(?:-[a-z]+)?)(?:\.[a-z]{2})?/\d{7}"
_ARXIV_ID = rf"(?P<id>{_NEW_ID}|{_OLD_ID})(?:v\d{{1,3}})?"
_ARXIV_BARE = re.compile(_ARXIV_ID, re.IGNORECASE | re.ASCII)
_ARXIV_NAMED = re.compile(
    rf"""(?:
        (?:oai:arxiv\.org|arxiv) : \s*
      | (?:doi:\s*|https?://(?:dx\.|www\.)?doi\.org/)? 10\.48550/arxiv\.
      | https?://(?:[a-z]+\.)?(?:arxiv\.org|alphaxiv\.org|ar5iv\.labs\.arxiv\.org|ar5iv\.org)/[a-z-]+/
      | https?://(?:www\.)?(?:huggingface\.co|hf\.co)/papers/
    ){_ARXIV_ID}(?:\.pdf|\.md)?/?(?:[?\#].*)?""",
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_DOI_PREFIX = re.compile(r"(?:doi:\s*|info:doi/|https?://(?:dx\.|www\.)?doi\.org/)+", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S+", re.ASCII)
_WORD = re.compile(r"\w+")

_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "hsa_", "campaign_", "itm_", "hmb_")
_TRACKING = frozenset(
    {
        "fbclid",
        "fb_action_ids",
        "fb_action_types",
        "fb_ref",
        "fb_source",
        "fb_comment_id",
        "_openstat",
        "gclid",
        "dclid",
        "gbraid",
        "wbraid",
        "gclsrc",
        "srsltid",
        "yclid",
        "ysclid",
        "twclid",
        "msclkid",
        "igshid",
        "mc_cid",
        "mc_eid",
        "mc_tc",
        "wickedid",
        "_hsenc",
        "__hssc",
        "__hstc",
        "__hsfp",
        "_hsmi",
        "hsctatracking",
        "rb_clickid",
        "oly_anon_id",
        "oly_enc_id",
        "vero_id",
        "vero_conv",
        "mkt_tok",
        "sc_cid",
        "_bhlid",
        "_branch_match_id",
        "_branch_referrer",
        "__readwiselocation",
    }
)
_FEWEST_TITLE_WORDS = 3  # a shorter title is too common to tell papers apart


def identify(*, source: str, guid: str, url: str, title: str, doi: str = "") -> tuple[str, tuple[str, ...]]:
    """The key of an entry, and its aliases: the other keys under which a source may tell of the same thing.

    Pass an empty `guid` or `url` where the source uses one for several things. Titles become aliases of papers only:
    two posts named "Weekly links" are not one.
    """
    address = url or (guid if guid[:8].lower().startswith(("http://", "https://")) else "")
    paper = _arxiv_named(guid) or _arxiv_named(address) or _arxiv_named(doi)
    registered = normal_doi(doi) or _doi_of_url(address)
    is_paper = bool(paper or registered)
    own_page = bool(_arxiv_named(address) or _doi_of_url(address))
    words = title_key(title)
    keys = [
        f"arxiv:{paper}" if paper else "",
        f"doi:{registered}" if registered and not _arxiv_named(registered) else "",
        f"url:{canonical}" if (canonical := canonical_url(address)) and not own_page else "",
        f"guid:{source}:{guid}" if guid and not is_paper and canonical_url(guid) != (canonical or None) else "",
        f"title:{words}" if is_paper and len(words.split()) >= _FEWEST_TITLE_WORDS else "",
    ]
    found = [key for key in keys if key]
    return (found[0], tuple(found[1:])) if found else (f"title:{words}", ())


def arxiv_id(text: str) -> str:
    """The arXiv id, without version, that a guid, an address, a DOI or a bare id names; empty when none does."""
    bare = _ARXIV_BARE.fullmatch(text.strip())
    return _normal_arxiv(bare["id"]) if bare else _arxiv_named(text)


def normal_doi(text: str) -> str:
    """A DOI in lower case, from its bare form, `doi:…` or a doi.org address; empty when the text is none."""
    bare = _DOI_PREFIX.sub("", unquote(text.strip()), count=1).strip().casefold().rstrip(".,;")
    return bare if _DOI.fullmatch(bare) else ""


@lru_cache(maxsize=1024)  # asked several times for each entry
def canonical_url(url: str) -> str:
    """An address as a key: one scheme, sorted query, no tracking parameters, no fragment; empty when it is none.

    Not for links: some servers tell the spelled form from the canonical one.
    """
    try:
        parts = urlsplit(canonicalize_url(url.strip(), keep_fragments=True))
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port in {None, 80, 443} else f"{host}:{port}"
    route = parts.fragment if parts.fragment.startswith(("!", "/")) else ""  # pages that a script tells apart
    return urlunsplit(("https", netloc, parts.path or "/", _without_tracking(parts.query), route))


def title_key(title: str) -> str:
    """The words of a title, folded so that case, punctuation and compatibility forms do not matter."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", title).casefold())
    return " ".join(_WORD.findall(folded.replace("_", " "))) or " ".join(folded.split())


def _arxiv_named(text: str) -> str:
    named = _ARXIV_NAMED.fullmatch(text.strip())
    return _normal_arxiv(named["id"]) if named else ""


def _normal_arxiv(spelled: str) -> str:
    archive, slash, number = spelled.lower().rpartition("/")
    return archive.partition(".")[0] + slash + number


def _doi_of_url(url: str) -> str:
    return normal_doi(url) if _DOI_PREFIX.match(url) else ""


def _without_tracking(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if not _is_tracking(pair.partition("=")[0].lower()))


def _is_tracking(name: str) -> bool:
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES)
