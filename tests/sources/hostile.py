"""Hostile documents, by name: the bytes, and a part of the reason they are refused for (empty: they may be read).

Sizes are the smallest that hurt an unguarded reader.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

K = 1000


@dataclass(frozen=True)
class Case:
    """One document. `refused` is a part of the error; `kept` a part of some entry's text, where one is read."""

    make: Callable[[], bytes]
    refused: str = ""
    kept: str = ""


def rss(item: str, *, declaration: str = "", attributes: str = "") -> bytes:
    """A feed with one item."""
    return f'{declaration}<rss version="2.0" {attributes}><channel><item>{item}</item></channel></rss>'.encode()


def described(markup: str) -> bytes:
    """A feed whose one item has this HTML for its description."""
    return rss(f"<title>t</title><link>https://example.org/1</link><description><![CDATA[{markup}]]></description>")


def titled(title: str) -> bytes:
    """A feed whose one item has this title."""
    return rss(f"<title>{title}</title><link>https://example.org/1</link>")


def linked(link: str) -> bytes:
    """A feed whose one item leads there."""
    return rss(f"<title>kept</title><link>{link}</link>")


def entities(levels: int, width: int = 10) -> str:
    """A document type whose entities each repeat the one before."""
    lines = ['<!ENTITY a0 "lol">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * width}">' for n in range(1, levels)]
    return f"<!DOCTYPE rss [{''.join(lines)}]>"


def many(piece: str, count: int) -> str:
    """`piece` with each number up to `count` in place of #."""
    return "".join(piece.replace("#", str(number)) for number in range(count))


def external(identifier: str) -> bytes:
    """A feed whose title is an external entity."""
    return rss(
        "<title>[&x;]</title><link>https://example.org/1</link>",
        declaration=f"<!DOCTYPE rss [<!ENTITY x {identifier}>]>",
    )


CASES: Mapping[str, Case] = {
    # entities and document types
    "billion-laughs": Case(lambda: rss("<title>&a9;</title>", declaration=entities(10))),
    "quadratic-entity": Case(
        lambda: rss(f"<title>{'&a;' * 20 * K}</title>", declaration=f'<!DOCTYPE rss [<!ENTITY a "{"x" * 20 * K}">]>')
    ),
    "recursive-entity": Case(
        lambda: rss("<title>&a;</title>", declaration='<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]>')
    ),
    "external-file": Case(lambda: external('SYSTEM "file:///etc/passwd"')),
    "external-http": Case(lambda: external('SYSTEM "http://127.0.0.1:9/x"')),
    "external-public": Case(lambda: external('PUBLIC "x" "file:///etc/passwd"')),
    "parameter-entity": Case(
        lambda: rss("<title>kept</title>", declaration='<!DOCTYPE rss [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>')
    ),
    "external-dtd": Case(
        lambda: rss("<title>kept</title>", declaration='<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd">')
    ),
    "xinclude": Case(
        lambda: rss(
            '<title>kept</title><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" '
            'href="file:///etc/passwd" parse="text"/>'
        ),
        kept="kept",
    ),
    "stylesheet": Case(
        lambda: rss("<title>kept</title>", declaration='<?xml-stylesheet href="file:///etc/passwd"?>'), kept="kept"
    ),
    "many-entities": Case(
        lambda: rss("<title>&e1;</title>", declaration="<!DOCTYPE rss [" + many("<!ENTITY e# 'x'>", 20 * K) + "]>")
    ),
    # sizes and counts
    "attributes": Case(lambda: rss("<title " + many("a#='x' ", 100 * K) + ">t</title>"), "more than 200"),
    "attributes-damaged": Case(lambda: b"&" + rss("<title " + many("a#='x' ", 20 * K) + ">t</title>"), "more than 200"),
    "attributes-unclosed": Case(lambda: rss("<b><title " + many("a#='x' ", 20 * K) + ">t</title>"), "more than 200"),
    "categories": Case(lambda: rss(many("<category>c#</category>", 100 * K)), "many elements"),
    "fewer-categories": Case(lambda: rss("<title>kept</title>" + many("<category>c#</category>", 20 * K)), kept="kept"),
    "keywords": Case(
        lambda: rss(f"<title>kept</title><itunes:keywords>{many('c#,', 100 * K)}</itunes:keywords>"), kept="kept"
    ),
    "long-author": Case(lambda: rss(f"<title>kept</title><author>{'a.' * 500 * K}</author>"), kept="kept"),
    "long-mailbox": Case(lambda: rss(f"<title>kept</title><author>{'a@a.' * 250 * K}</author>"), kept="kept"),
    "many-authors": Case(lambda: rss("<title>kept</title>" + many("<author>a# b</author>", 20 * K)), kept="kept"),
    "namespaces": Case(lambda: rss("<title>t</title>", attributes=many('xmlns:n#="urn:#" ', 20 * K)), "more than 200"),
    "namespaces-nested": Case(
        lambda: rss(many('<x xmlns:n="urn:#"/>', 20 * K) + "<title>t</title>"), "many namespaces"
    ),
    "deep-elements": Case(lambda: rss("<x>" * 100 * K), "many elements inside"),
    "empty-items": Case(lambda: b"<rss><channel>" + b"<item/>" * 700 * K + b"</channel></rss>", "many elements"),
    "deep-unclosed": Case(lambda: rss("<title>kept</title>" + "<x>" * 150 + "&"), kept="kept"),
    "many-items": Case(
        lambda: b"<rss><channel>" + b"<item><title>t</title></item>" * 20 * K + b"</channel></rss>", kept="t"
    ),
    "long-title": Case(lambda: titled("x" * 10_000 * K)),
    "long-text": Case(lambda: described("word " * 2_000 * K), kept="word"),
    "long-guid": Case(lambda: rss(f"<title>kept</title><guid>{'g' * 1_000 * K}</guid>"), kept="kept"),
    "long-link": Case(lambda: linked("https://example.org/" + "x" * 1_000 * K), kept="kept"),
    "long-name": Case(lambda: rss(f"<{'n' * 1_000 * K}/><title>kept</title>"), kept="kept"),
    "long-comment": Case(lambda: rss(f"<!--{'x' * 5_000 * K}--><title>kept</title>"), kept="kept"),
    "long-instruction": Case(lambda: rss(f"<?x {'x' * 5_000 * K}?><title>kept</title>"), kept="kept"),
    "many-enclosures": Case(lambda: rss("<title>kept</title>" + many("<enclosure url='#' type='x'/>", 20 * K))),
    "white-space": Case(lambda: b" " * 5_000 * K, "empty"),
    "html-page": Case(lambda: b"<!doctype html><html><body>" + b"<p>x</p>" * 1_250 * K, "HTML page"),
    "html-later": Case(lambda: b"x" * 20 + b"<html><body>" + b"<p>x</p>" * 20 * K),
    # HTML in values
    "nested-div": Case(lambda: described("<div>" * 200 * K)),
    "nested-font": Case(lambda: described("<font x=i><p>" * 30 * K)),
    "nested-mixed": Case(lambda: described("<b><i><u>" * 30 * K)),
    "html-attributes": Case(lambda: described(f"<p {many('a#=1 ', 100 * K)}>x</p>")),
    "open-comments": Case(lambda: described("<!--" * 100 * K)),
    "open-tags": Case(lambda: described("<" * 100 * K)),
    "open-quote": Case(lambda: described('<a href="' * 20 * K)),
    "tables": Case(lambda: described("<table><tr><td>" * 10 * K)),
    "ampersands": Case(lambda: described("&" * 100 * K)),
    "bare-ampersands": Case(lambda: titled("kept " + "& " * 100 * K), kept="kept"),
    "bare-brackets": Case(lambda: titled("kept " + "< " * 100 * K), kept="kept"),
    "unclosed-sections": Case(lambda: rss("<title>kept</title>" + "<![CDATA[" * 100 * K)),
    "unclosed-comments": Case(lambda: rss("<title>kept</title>" + "<!--" * 100 * K)),
    "prefixes": Case(lambda: rss("<title>kept</title>" + many("<p#:x/>", 20 * K))),
    "references": Case(lambda: described("&#1;" * 50 * K)),
    "huge-number": Case(lambda: described(f"&#{'9' * 20 * K};")),
    "data-image": Case(lambda: described(f'<img src="data:image/png;base64,{"A" * 500 * K}">kept'), kept="kept"),
    "script": Case(lambda: described("<script>alert(1)</script>kept"), kept="kept"),
    "split-script": Case(lambda: described("<scr<script>ipt>alert(1)</scr</script>ipt>kept")),
    "event": Case(lambda: described('<p onclick="alert(1)">kept</p>'), kept="kept"),
    "svg": Case(lambda: described('<svg onload="alert(1)"><a href="javascript:alert(1)">x</a></svg>')),
    "math": Case(lambda: described("<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>")),
    "iframe": Case(lambda: described('<iframe src="https://example.org/"></iframe>kept'), kept="kept"),
    "javascript-href": Case(lambda: described('<a href=" java&#10;script:alert(1)">kept</a>'), kept="kept"),
    "style": Case(lambda: described('<p style="background:url(javascript:alert(1))">kept</p>'), kept="kept"),
    "form": Case(lambda: described('<form action="https://example.org/"><input name=p></form>kept'), kept="kept"),
    "meta-refresh": Case(lambda: described('<meta http-equiv=refresh content="0;url=javascript:alert(1)">kept')),
    "base": Case(lambda: described('<base href="https://evil.example/"><a href="/x">kept</a>'), kept="kept"),
    # bytes
    "nul": Case(lambda: titled("ke\0pt"), kept="kept"),
    "controls": Case(lambda: titled("ke\x01\x08\x1fpt"), kept="pt"),
    "override": Case(lambda: titled("ke\u202ept"), kept="kept"),
    "utf-7": Case(
        lambda: b'<?xml version="1.0" encoding="utf-7"?>' + titled("+ADw-script+AD4-alert(1)+ADw-/script+AD4-")
    ),
    "false-utf-16": Case(lambda: b'<?xml version="1.0" encoding="utf-16"?>' + titled("kept"), kept="kept"),
    "false-utf-32": Case(lambda: b'<?xml version="1.0" encoding="UTF-32"?>' + titled("kept"), kept="kept"),
    "unknown-encoding": Case(lambda: b'<?xml version="1.0" encoding="x-none"?>' + titled("kept"), kept="kept"),
    "codec-zlib": Case(lambda: b'<?xml version="1.0" encoding="zlib"?>' + titled("kept")),
    "codec-idna": Case(lambda: b'<?xml version="1.0" encoding="idna"?>' + titled("k" * 100 * K)),
    "gbk": Case(lambda: titled("新闻快讯新闻").decode().encode("gbk"), kept="新闻快讯"),
    "utf-16-cut": Case(lambda: titled("kept").decode().encode("utf-16")[:-1]),
    "escapes": Case(lambda: titled("kept \x1b$B" * 100), kept=""),
    "high-bytes": Case(lambda: titled("kept").replace(b"kept", b"kept" + b"\x81\xff" * 1_000 * K), kept="kept"),
    "invalid-utf-8": Case(lambda: titled("kept").replace(b"kept", b"kept \xff\xfe\xc0\x80"), kept="kept"),
    "surrogates": Case(lambda: titled("kept&#xD800;&#xDFFF;")),
    "half-mark": Case(lambda: b"\xff\xfe" + titled("t")),
    "random": Case(lambda: bytes((n * n * 7919 + n) % 256 for n in range(200 * K)), "not a feed"),
    "empty": Case(lambda: b"", "empty"),
    "body-is-a-path": Case(lambda: b"/etc/passwd", "not a feed"),
    "body-is-an-address": Case(lambda: b"http://127.0.0.1:9/feed.xml", "not a feed"),
    # texts that mean something elsewhere
    "encoded-word": Case(lambda: titled("=?utf-8?B?" + base64.b64encode(b"x\r\nBcc: a@example.org").decode() + "?=")),
    "header-title": Case(lambda: titled("kept&#13;&#10;Bcc: a@example.org"), kept="kept Bcc"),
    "template": Case(lambda: titled("{{ config }}{% include 'x' %}"), kept="{{ config }}"),
    "javascript-link": Case(lambda: linked("javascript:alert(1)"), kept="kept"),
    "data-link": Case(lambda: linked("data:text/html,x"), kept="kept"),
    "file-link": Case(lambda: linked("file:///etc/passwd"), kept="kept"),
    "header-link": Case(lambda: linked("https://example.org/&#13;&#10;X: y"), kept="kept"),
    "user-link": Case(lambda: linked("https://example.org@evil.example/"), kept="kept"),
    # times
    "year-0": Case(lambda: rss("<title>kept</title><pubDate>0001-01-01T00:00:00Z</pubDate>"), kept="kept"),
    "year-9999": Case(lambda: rss("<title>kept</title><pubDate>9999-12-31T23:59:59-12:00</pubDate>"), kept="kept"),
    "long-date": Case(lambda: rss(f"<title>kept</title><pubDate>{'1' * 20 * K}</pubDate>")),
    "odd-date": Case(lambda: rss(f"<title>kept</title><pubDate>{'Mon, ' * 5 * K}</pubDate>")),
    # JSON
    "json-deep": Case(lambda: b"[" * 100 * K, "not JSON"),
    "json-number": Case(lambda: b'{"version": ' + b"9" * 100 * K + b"}", "not JSON"),
    "json-types": Case(lambda: b'{"version":"https://jsonfeed.org/version/1","items":[{"id":[1],"title":{},"url":3}]}'),
    "json-surrogate": Case(
        lambda: rb'{"version":"https://jsonfeed.org/version/1","items":[{"id":"1","title":"kept \ud800"}]}', kept="kept"
    ),
    "json-many": Case(
        lambda: (
            b'{"version":"https://jsonfeed.org/version/1","items":[' + b",".join([b'{"title":"t"}'] * 20 * K) + b"]}"
        ),
        kept="t",
    ),
}
