"""Everything that a command may import or compile: what the server of `tests.forks` does once for all that it forks.

It ends without threads and connections, which no child would have.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings

import newsletter
from newsletter.render.issue import open_render
from newsletter.topics import wordllama
from tests.builders import a_newsletter, an_issue

warnings.simplefilter("error")  # as Workspace.environment says to a command of its own

for module in pkgutil.walk_packages(newsletter.__path__, "newsletter."):
    if not module.name.endswith("__main__") and ".migrations" not in module.name:
        importlib.import_module(module.name)

open_render(base_url="http://127.0.0.1").issue(an_issue(), newsletter=a_newsletter())
wordllama.find()
