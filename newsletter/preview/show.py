"""Everything that there is to see of one newsletter's issue for one reader, written into a folder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from newsletter.app import USER_AGENT, App
from newsletter.by_hand import slot_of
from newsletter.chromium import find_chromium
from newsletter.errors import ConfigError, NewsletterError, Problem, RenderError
from newsletter.preview import Edition, compose_preview, write_preview
from newsletter.preview.page import Mistake, write_page
from newsletter.preview.pictures import VIEWS, Pictures, image_fetch, take_pictures
from newsletter.render.issue import open_render


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was written, the page last, and what is to be told with it.

    `mistakes` say why there is no newer issue; without any issue nothing but a live page is written.
    """

    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


@dataclass(slots=True, kw_only=True)
class Show:
    """What to show, to whom and where: `reader` is an address or empty.

    `pictures` are taken with Chromium, and `images` of the issue loaded, if wanted. `version` counts how often the live
    page was written.
    """

    app: App
    newsletter: str
    day: date
    now: datetime
    folder: Path
    reader: str = ""
    pictures: bool = True
    images: bool = False
    version: int = 0
    _edition: Edition | None = None
    _pictures: Pictures = field(default_factory=Pictures)

    def once(self) -> Shown:
        """Write the issue's files, pictures and page. RenderError, NotFound for an unknown newsletter."""
        if reason := self._look(anew=False):
            return Shown(mistakes=(Mistake(what=reason),))
        return self._shown(self._write_page())

    def again(self) -> Shown:
        """The same with schedules.yaml and the templates as they are now, on a page that reloads itself.

        What is wrong with those stands on the page, beside the last good issue.
        """
        mistakes: tuple[Mistake, ...] = ()
        try:
            config = self.app.config
            # A renderer that knows a bundled template does not look for an operator's own that is new.
            render = open_render([config.templates], base_url=config.base_url)
            self.app = replace(self.app.reloaded(), render=render)
            if reason := self._look(anew=True):
                mistakes = (Mistake(what=reason),)
        except NewsletterError as error:
            mistakes = mistakes_of(error)
        self.version += 1
        return self._shown(self._write_page(mistakes), mistakes)

    def _look(self, *, anew: bool) -> str:
        """Compose, write and photograph the issue; why there is none."""
        slot, _ = slot_of(self.app, self.newsletter, day=self.day, now=self.now)
        found = compose_preview(self.app, slot, now=self.now, anew=anew)
        if found.frozen is None:
            return f"no issue for {slot.date}: {found.reason}"
        self._edition = write_preview(self.app, found.frozen, reader=self.reader, folder=self.folder)
        for name in VIEWS:  # those of another issue show something else
            (self.folder / name).unlink(missing_ok=True)
        if self.pictures:
            allow = self.app.config.allow_networks
            fetch = image_fetch(allow=allow, user_agent=USER_AGENT) if self.images else None
            self._pictures = take_pictures(self._edition.html, self.folder, program=find_chromium(), fetch=fetch)
        return ""

    def _write_page(self, mistakes: tuple[Mistake, ...] = ()) -> Path:
        return write_page(
            self.folder,
            self._edition,
            title=self._edition.frozen.newsletter.title if self._edition else self.newsletter,
            pictures=self._pictures.files,
            notes=self._notes(),
            mistakes=mistakes,
            images=self.images,
            version=self.version or None,
        )

    def _shown(self, page: Path, mistakes: tuple[Mistake, ...] = ()) -> Shown:
        files = (*(self._edition.files if self._edition else ()), *self._pictures.files, page)
        return Shown(files=files, notes=self._notes(), mistakes=mistakes)

    def _notes(self) -> tuple[str, ...]:
        return (*(self._edition.notes if self._edition else ()), *self._pictures.notes)


def mistakes_of(error: NewsletterError) -> tuple[Mistake, ...]:
    """What is wrong, each with its place: a template or file, and the line in it."""
    if isinstance(error, ConfigError):
        return tuple(_mistake(problem) for problem in error.problems)
    if isinstance(error, RenderError):
        place = _place(error.template, error.line)
        return (Mistake(place=place, what=str(error).removeprefix(place).strip()),)
    return (Mistake(what=str(error)),)


def _mistake(problem: Problem) -> Mistake:
    place = _place(problem.file, problem.line)
    return Mistake(place=place, what=str(problem).removeprefix(place).strip())


def _place(name: str, line: int) -> str:
    """How errors begin: `name:line:`."""
    return f"{name}:{line}:" if line else f"{name}:" if name else ""
