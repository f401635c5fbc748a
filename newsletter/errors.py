"""Everything that can go wrong here and has a name.

    NewsletterError
      ConfigError (ValueError)      settings or schedules.yaml: every problem at once
      SourceError                   one source; the run goes on with the others
        FetchError                  no bytes came: status, retry_after
        ReadError (ValueError)      bytes came and are not what the source kind expects
      RenderError                   a template: its name and line; the issue is not published
      SendError                     the mail server; see `mail.replies` for what a reply means
        Refused                     our credentials or our sender: no message can go out
          Insecure                  the encryption that was asked for is not to be had
      StoreError
        NotFound (LookupError)      no such newsletter, issue, subscriber
        Conflict                    what is asked does not go with what is there
        NotReady                    the archive is being read; in a moment it can be searched
        SchemaTooNew                the database was written by a later release
      LinkError (ValueError)        a signed link that is damaged, forged or expired

Expected failures of one item among many (a dead feed, a refused address) do not travel as exceptions: they are
values in the reports of the stages. These exceptions are for what stops the thing that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class NewsletterError(Exception):
    """The root: catch this to catch all of the newsletter's own errors."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration: where it stands, what is wrong and what to do about it."""

    key: str
    what: str
    hint: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.key}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(NewsletterError, ValueError):
    """The configuration cannot be used; `problems` names every mistake found, not just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SourceError(NewsletterError):
    """A source could not be collected."""


class FetchError(SourceError):
    """No usable answer came from a source's address.

    `status` is the HTTP status when there was one, `retry_after` the seconds the server asked us to wait.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class ReadError(SourceError, ValueError):
    """The bytes of a source are not what its kind expects."""


class RenderError(NewsletterError):
    """A template cannot be rendered; `template` and `line` say where."""

    def __init__(self, message: str, *, template: str = "", line: int = 0) -> None:
        place = f"{template}:{line}: " if line else f"{template}: " if template else ""
        super().__init__(place + message)
        self.template = template
        self.line = line


class SendError(NewsletterError):
    """Mail cannot be handed to the server."""


class Refused(SendError):
    """The server refuses us, not a recipient: credentials or sender. Nothing can go out until it is mended."""


class Insecure(Refused):
    """The connection cannot be encrypted as it must be, or not with somebody known; it may be mended by others."""


class StoreError(NewsletterError):
    """The database cannot do what was asked."""


class NotFound(StoreError, LookupError):
    """There is no such thing in the database or the configuration."""


class Conflict(StoreError):
    """What is asked does not go with what is there: it was decided before, or something is missing."""


class NotReady(StoreError):
    """The archive is being read, by somebody else; in a moment it can be searched."""


class SchemaTooNew(StoreError):
    """The database was migrated by a later release than this one."""


class LinkError(NewsletterError, ValueError):
    """A signed link is damaged, forged, expired or meant for another purpose."""
