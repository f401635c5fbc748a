from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.sources.identity import arxiv_id, canonical_url, identify, normal_doi, title_key

ANY = st.text(max_size=60)
SCHEMES, PORTS = st.sampled_from(["http", "https"]), st.sampled_from(["", ":80", ":x"])
URLISH = st.one_of(
    ANY,
    st.builds("{}://{}{}/{}?{}#{}".format, SCHEMES, ANY, PORTS, ANY, ANY, ANY),
    st.builds("https://example.org/{}?{}".format, ANY, ANY),
)


@pytest.mark.parametrize(
    ("text", "paper"),
    [
        ("2203.01250", "2203.01250"),
        ("2203.01250v3", "2203.01250"),
        ("oai:arXiv.org:2203.01250v3", "2203.01250"),
        ("arXiv:2203.01250", "2203.01250"),
        ("http://arxiv.org/abs/2203.01250v3", "2203.01250"),
        ("https://www.arxiv.org/pdf/2203.01250v3.pdf", "2203.01250"),
        ("https://export.arxiv.org/html/2203.01250?x=1#s2", "2203.01250"),
        ("https://huggingface.co/papers/2203.01250", "2203.01250"),
        ("https://huggingface.co/papers/2203.01250.md#community", "2203.01250"),
        ("https://www.alphaxiv.org/abs/2203.01250v2", "2203.01250"),
        ("https://alphaxiv.org/overview/2203.01250", "2203.01250"),
        ("10.48550/arXiv.2203.01250", "2203.01250"),
        ("https://doi.org/10.48550/ARXIV.2203.01250", "2203.01250"),
        ("0704.0001", "0704.0001"),
        ("hep-th/9901001", "hep-th/9901001"),
        ("https://arxiv.org/abs/math.GT/0309136v1", "math/0309136"),
        ("oai:arXiv.org:quant-ph/0101012v2", "quant-ph/0101012"),
        # What only looks like one:
        ("2213.01250", ""),  # there is no thirteenth month
        ("2203.012", ""),
        ("2203.0125012", ""),
        ("https://arxiv.org/list/cs.CL/2203", ""),
        ("https://example.org/abs/2203.01250", ""),
        ("https://arxiv.org.example.org/abs/2203.01250", ""),
        ("see https://arxiv.org/abs/2203.01250", ""),
        ("", ""),
    ],
)
def test_an_arxiv_id_is_recognised_wherever_it_stands(text: str, paper: str) -> None:
    """All spellings of a paper give its bare id, without version; nothing else gives one."""
    assert arxiv_id(text) == paper


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1000/182", "10.1000/182"),
        ("DOI: 10.1000/ABC", "10.1000/abc"),
        ("https://dx.doi.org/10.1000/a%2Fb", "10.1000/a/b"),
        ("info:doi/10.1000/182.", "10.1000/182"),
        ("10.1/x", ""),
        ("https://example.org/10.1000/182", ""),
    ],
)
def test_a_doi_is_bare_and_in_lower_case(text: str, doi: str) -> None:
    """A DOI is the same in every spelling."""
    assert normal_doi(text) == doi


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://Example.org:80/a/../b/?b=2&a=1#top", "https://example.org/b/?a=1&b=2"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org/?utm_source=x&UTM_Medium=y&fbclid=1&mc_cid=2", "https://example.org/"),
        ("https://example.org/?q=utm_source&ref=x", "https://example.org/?q=utm_source&ref=x"),
        ("https://example.org/?a=%ff&utm_source=x", "https://example.org/?a=%FF"),
        ("https://example.org/#!/post/1", "https://example.org/#!/post/1"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        ("http://[::0:1]/", "https://[::1]/"),
        ("https://exämple.org/ü", "https://xn--exmple-cua.org/%C3%BC"),
        ("https://user:secret@example.org/", "https://example.org/"),
        ("mailto:someone@example.org", ""),
        ("javascript:alert(1)", ""),
        ("https://example.org:99999/", ""),
        ("/relative", ""),
        ("", ""),
    ],
)
def test_addresses_of_one_page_are_one(url: str, canonical: str) -> None:
    """Scheme, case, port, order, fragments and tracking parameters make no difference; everything else does."""
    assert canonical_url(url) == canonical


def test_titles_are_compared_by_their_words() -> None:
    """Case, punctuation, spacing and compatibility forms of a title do not matter."""
    assert title_key("The “Straße”:  a\nSTUDY, ﬁnally (2)") == "the strasse a study finally 2"
    assert title_key("Straße") == title_key("STRASSE")
    assert title_key("???") == "???"


@pytest.mark.parametrize(
    ("told", "key", "aliases"),
    [
        (
            {"guid": "oai:arXiv.org:2203.01250v3", "url": "https://arxiv.org/abs/2203.01250", "doi": "10.5802/JEP.257"},
            "arxiv:2203.01250",
            ("doi:10.5802/jep.257", "title:a title of five words"),
        ),
        (
            {"url": "https://doi.org/10.1000/182", "guid": "1"},
            "doi:10.1000/182",
            ("title:a title of five words",),
        ),
        (
            {"url": "https://example.org/a", "doi": "10.1000/182"},
            "doi:10.1000/182",
            ("url:https://example.org/a", "title:a title of five words"),
        ),
        ({"url": "https://example.org/a?utm_source=x", "guid": "1"}, "url:https://example.org/a", ("guid:s:1",)),
        ({"url": "https://example.org/a", "guid": "http://example.org/a"}, "url:https://example.org/a", ()),
        ({"guid": "https://example.org/a"}, "url:https://example.org/a", ()),
        ({"guid": "2203.01250"}, "guid:s:2203.01250", ()),  # in a guid a bare number may be anything
        ({"guid": "1"}, "guid:s:1", ()),
        ({}, "title:a title of five words", ()),
    ],
)
def test_the_surest_name_is_the_key(told: dict[str, str], key: str, aliases: tuple[str, ...]) -> None:
    """An arXiv id before DOI before address before guid before title; the others are aliases."""
    given = {"guid": "", "url": "", "doi": ""} | told
    assert identify(source="s", title="A Title of Five Words", **given) == (key, aliases)


def test_a_guid_that_is_an_address_is_a_page() -> None:
    """However its scheme is spelled; where an address is given as well, that counts."""
    assert identify(source="s", guid="HTTPS://EXAMPLE.org/a", url="", title="A")[0] == "url:https://example.org/a"
    assert identify(source="s", guid="https://example.org/a", url="https://example.org/b", title="A")[0] == (
        "url:https://example.org/b"
    )


def test_a_short_title_is_no_alias() -> None:
    """Two papers named "Editorial" are two."""
    assert identify(source="s", guid="", url="https://arxiv.org/abs/2203.01250", title="Editorial")[1] == ()


@given(URLISH)
@example("http://é:80/%zz?%ff=%&;&&=#!/%")
@example("https://example.org/?utm_=")
@settings(deadline=None, max_examples=80)
def test_canonical_addresses_are_canonical(url: str) -> None:
    """No text makes it raise, and a canonical address is its own canonical address."""
    once = canonical_url(url)
    assert canonical_url(once) == once


@given(ANY)
@example("İ ﬃ ſ ẞ ͅ")
@settings(deadline=None, max_examples=80)
def test_title_keys_are_stable(title: str) -> None:
    """The key of a key is itself."""
    once = title_key(title)
    assert title_key(once) == once


@given(URLISH)
@settings(deadline=None, max_examples=80)
def test_papers_and_dois_are_stable(text: str) -> None:
    """What is found in any text is found again in itself."""
    assert arxiv_id(arxiv_id(text)) == arxiv_id(text)
    assert normal_doi(normal_doi(text)) == normal_doi(text)


@given(guid=URLISH, url=URLISH, title=ANY, doi=ANY)
@settings(deadline=None, max_examples=80)
def test_every_entry_has_a_key(guid: str, url: str, title: str, doi: str) -> None:
    """Whatever a source tells, there is a key, and no alias repeats it."""
    key, aliases = identify(source="s", guid=guid, url=url, title=title, doi=doi)
    assert key.partition(":")[0] in {"arxiv", "doi", "url", "guid", "title"}
    assert key not in aliases
