"""Where things are found: the paths of stories, issues and periods below the root of the pages."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

from newsletter.errors import NotFound

# Keys that make a readable address: arxiv:2611.00001, doi:10.1000/182. All others hold whole addresses of their own,
# whose double slashes and question marks a proxy on the way would tidy up.
_PLAIN = re.compile(r"(?:arxiv|doi):[\w.+-]+(?:/[\w.+-]+)*", re.ASCII)
_CODED = "~"


def story_path(newsletter: str, key: str) -> str:
    """The page of a story: `/daily-papers/stories/arxiv:2611.00001`."""
    if _PLAIN.fullmatch(key) and not {".", ".."} & set(key.partition(":")[2].split("/")):
        return f"/{newsletter}/stories/{key}"
    coded = base64.urlsafe_b64encode(key.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    return f"/{newsletter}/stories/{_CODED}{coded}"


def read_story(text: str) -> str:
    """The key that the last part of such a path stands for. NotFound for one that stands for none."""
    if not text.startswith(_CODED):
        return text
    coded = text.removeprefix(_CODED)
    try:
        return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-8", "surrogatepass")
    except ValueError as error:
        raise NotFound("that names no story") from error


def issue_path(newsletter: str, slot: str) -> str:
    """The page of an issue, which `Links.archive_url` puts into every mail."""
    return f"/{newsletter}/{quote(slot)}"


def archive_path(newsletter: str, period: str = "") -> str:
    """The page of a day, week or month; of the whole archive without one."""
    return f"/{newsletter}/archive" + (f"/{period}" if period else "")


def topic_path(newsletter: str, topic: str) -> str:
    """The page of a topic."""
    return f"/{newsletter}/topics/{quote(topic)}"
