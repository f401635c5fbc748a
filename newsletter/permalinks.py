"""How a story is named in an address: readable where its key is, else coded; pages and mails spell it alike."""

from __future__ import annotations

import base64
import re

from newsletter.errors import NotFound

# Keys that make a readable address: arxiv:2611.00001, doi:10.1000/182. All others hold whole addresses of their own,
# whose double slashes and question marks a proxy on the way would tidy up.
_PLAIN = re.compile(r"(?:arxiv|doi):[\w.+-]+(?:/[\w.+-]+)*", re.ASCII)
_CODED = "~"


def permalink(key: str) -> str:
    """The last part of a story's path: `arxiv:2611.00001`, or the key in base64 after a tilde."""
    if _PLAIN.fullmatch(key) and not {".", ".."} & set(key.partition(":")[2].split("/")):
        return key
    coded = base64.urlsafe_b64encode(key.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    return f"{_CODED}{coded}"


def read_permalink(text: str) -> str:
    """The key that the last part of such a path stands for. NotFound for one that stands for none."""
    key = text
    if text.startswith(_CODED):
        coded = text.removeprefix(_CODED)
        try:
            key = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-8")
        except ValueError as error:
            raise NotFound("that names no story") from error
    if "\0" in key:  # which PostgreSQL takes in no text
        raise NotFound("that names no story")
    return key
