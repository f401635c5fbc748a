"""Start tags and their attributes, out of markup that need be neither HTML nor XML.

For finding a few elements in documents that most parsers refuse, or take a long time for: one pass, no tree, no
entities resolved, so that nothing in a document can make it expand, recurse or slow down.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

# A quote opens a value only behind `=`: elsewhere it belongs to a text whose own quotes nobody escaped. Possessive, so
# that one which never ends costs one pass.
_INSIDE = r"""(?:[^<>=]|=\s*+(?:"[^"]*+"|'[^']*+')|=)*+"""
_ATTRIBUTE = re.compile(r"""(?<![^\s"'<>/=])([^\s"'<>/=]++)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'<>]++)""")


def start_tags(markup: str, names: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each start tag of these names, in lower case, with its attributes; those in comments are passed over."""
    wanted = re.compile(rf"<({'|'.join(names)})(?=[\s/>])({_INSIDE})>", re.IGNORECASE)
    for name, inside in wanted.findall(uncommented(markup)):
        yield name.lower(), attributes(inside)


def attributes(inside: str) -> dict[str, str]:
    """The attributes in a piece of markup, by their names in lower case; of several with one name the first.

    Values are as they stand there, references (`&amp;`) included.
    """
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(inside):
        found.setdefault(name.lower(), value[1:-1] if value[0] in {'"', "'"} else value)
    return found


def uncommented(markup: str) -> str:
    """Markup without its comments; one that never ends goes on to the end."""
    head, *rest = markup.split("<!--")
    return head + "".join(piece.partition("-->")[2] for piece in rest)
