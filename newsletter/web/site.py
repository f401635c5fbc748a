"""What a page is made of: the open app, a clock, templates, and what every page says alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from starlette.requests import Request

from newsletter.app import App
from newsletter.back_issues import BackIssues
from newsletter.errors import NotFound
from newsletter.language import Language, speak
from newsletter.model import Newsletter
from newsletter.orders import Orders
from newsletter.render.environment import Templates, bundled_templates
from newsletter.store.revision import Part
from newsletter.web.addresses import archive_path, issue_path, story_path, topic_path
from newsletter.web.memory import Memory, Page
from newsletter.web.rates import Rates
from newsletter.web.static import Static, read_static

PRIVATE = {
    # What only one reader may see is kept by no cache, found by no search engine and named to no other site.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass(kw_only=True)
class Site:
    """The pages of one workspace. `app` may be replaced while they are served, when schedules.yaml has changed."""

    app: App
    clock: Callable[[], datetime]
    ring: Callable[[], None] = lambda: None  # tells the desk that something waits for it
    templates: Templates = field(init=False)
    static: Static = field(init=False)
    back_issues: BackIssues = field(init=False)
    orders: Orders = field(init=False)
    memory: Memory = field(init=False)
    rates: Rates = field(default_factory=Rates)  # of programs that use the API

    def __post_init__(self) -> None:
        folders = [self.app.config.templates, bundled_templates()]
        self.templates = Templates(folders)
        self.back_issues = BackIssues(self.app.store)
        self.orders = Orders(self.clock)
        self.memory = Memory(self._revision)
        self.static = read_static([folder / "web" / "static" for folder in folders])

    def _revision(self) -> Mapping[Part, int]:
        """Of everything public; `app` may be another by then."""
        return self.app.store.revision.get()

    def close(self) -> None:
        """End what goes on behind the pages."""
        self.orders.close()

    @cached_property
    def root(self) -> str:
        """The path that BASE_URL begins with: empty, or `/news` where the pages live below one."""
        return urlsplit(self.app.config.base_url).path.rstrip("/")

    @property
    def newsletters(self) -> list[Newsletter]:
        """Those that the public may know of."""
        return [newsletter for newsletter in self.app.plan.newsletters.values() if newsletter.public]

    def newsletter(self, request: Request) -> Newsletter:
        """The newsletter that a path names. NotFound, which is a page that says so."""
        name = request.path_params["newsletter"]
        for newsletter in self.newsletters:
            if newsletter.name == name:
                return newsletter
        raise NotFound(f"there is no newsletter {name!r}")

    def cadences(self, newsletter: str) -> list[str]:
        """How often its readers can have a newsletter, by its schedules."""
        schedules = self.app.plan.schedules.values()
        return sorted({schedule.cadence for schedule in schedules if schedule.newsletter == newsletter})

    def url(self, path: str) -> str:
        """The whole address of a path, as the public knows it."""
        return f"{self.app.config.base_url}{path}"

    def fragment(self, template: str, *, newsletter: Newsletter, **variables: object) -> str:
        """A piece of HTML from `templates/web/<template>.html.j2`, for where there is no page around it."""
        language = speak(newsletter.language)
        common = {
            "newsletter": newsletter,
            "base_url": self.app.config.base_url,
            "story_path": story_path,
        }
        return self.templates.render(f"web/{template}.html.j2", {**common, **variables}, language=language)

    def page(
        self,
        template: str,
        *,
        newsletter: Newsletter | None = None,
        language: Language | None = None,
        path: str = "",
        status: int = 200,
        private: bool = False,
        **variables: object,
    ) -> Page:
        """A page from `templates/web/<template>.html.j2`, in a language, else that of its newsletter.

        `path` is where the page is found, for links that name it; `private` is for what one reader alone may see.
        Beside its own variables every template gets `newsletter` (or None), `root`, `base_url`, `url`, `style`, `icon`,
        `language`, `direction`, `private`, `stamp` (for a form), `here` (the part of the navigation), `description`,
        `feeds` and `likes` (of the stories on it, or None).
        """
        language = language or speak(newsletter.language if newsletter else "en")
        common = {
            "here": "",
            "description": "",
            "picture": "",
            "feeds": (),
            "likes": None,
            "newsletter": newsletter,
            "root": self.root,
            "base_url": self.app.config.base_url,
            "url": self.url(path),
            "style": self.static.path("style.css"),
            "icon": self.static.path("icon.svg"),
            "language": language.tag,
            "direction": language.direction,
            "private": private,
            "stamp": self.app.links.stamp(newsletter.name, now=self.clock()) if newsletter else "",
            "story_path": story_path,
            "issue_path": issue_path,
            "archive_path": archive_path,
            "topic_path": topic_path,
        }
        html = self.templates.render(f"web/{template}.html.j2", {**common, **variables}, language=language)
        page = Page(html, status_code=status, headers=PRIVATE if private else None)
        page.form = newsletter.name if newsletter else ""
        return page


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site: Site = request.app.state.site
    return site
