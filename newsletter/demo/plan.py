"""What the demonstration is made from: the example's newsletter, the demonstration's feeds, 25 readers."""

from __future__ import annotations

import re
from pathlib import Path

from newsletter.schedule.example import example_text

SUBSCRIBERS = Path(__file__).with_name("subscribers.csv")  # email, name, timezone

_SOURCES = """\
sources:
  hf-daily:
    kind: huggingface
    url: "{base_url}"
  arxiv-ai:
    kind: arxiv
    categories: [cs.CL, cs.CV, cs.LG]
    url: "{base_url}/rss/"
  lab-notes:
    kind: feed
    url: "{base_url}/feed.xml"

"""


def plan_text(base_url: str) -> str:
    """The example's schedules.yaml with its sources at the feeds that `serve` offers under base_url, every day."""
    sources = _SOURCES.format(base_url=base_url.rstrip("/"))
    example = re.sub("every: weekday ", "every: day     ", example_text())
    # A part of the file ends where the next line begins that is neither indented nor empty.
    return re.sub(r"^sources:\n(?: .*\n|\n)*", lambda _: sources, example, count=1, flags=re.MULTILINE)
