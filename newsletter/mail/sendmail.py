"""Messages to a program of this machine that takes mail: `sendmail:///usr/sbin/sendmail`.

Postfix, Exim, Sendmail, OpenSMTPD, msmtp, nullmailer and others have one of that name. It is started for each message
without a shell, as `sendmail -i -f SENDER -- RECIPIENT`, and its exit status says what became of it (sysexits.h).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from newsletter.errors import ConfigError, Problem, Refused, SendError
from newsletter.mail import Record
from newsletter.mail.headers import clean, envelope_address
from newsletter.model import Message, Outcome, Verdict

PATIENCE = 600.0  # seconds: as long as a mail server may take after the end of a message (RFC 5321 section 4.5.3.2.6)
FAILURES_IN_A_ROW = 5
SAID = 500  # characters of what the program said

# By the names of sysexits.h. Whatever is not here is a failure for now.
_STATUS: Mapping[int, tuple[str, Verdict]] = {
    0: ("EX_OK", Verdict.SENT),
    64: ("EX_USAGE", Verdict.UNSENT),
    65: ("EX_DATAERR", Verdict.REJECTED),
    67: ("EX_NOUSER", Verdict.SUPPRESS),
    68: ("EX_NOHOST", Verdict.REJECTED),  # perhaps our own name server's fault: no reason to give up the address
    69: ("EX_UNAVAILABLE", Verdict.DEFERRED),
    70: ("EX_SOFTWARE", Verdict.DEFERRED),
    71: ("EX_OSERR", Verdict.DEFERRED),
    72: ("EX_OSFILE", Verdict.DEFERRED),
    73: ("EX_CANTCREAT", Verdict.DEFERRED),
    74: ("EX_IOERR", Verdict.DEFERRED),
    75: ("EX_TEMPFAIL", Verdict.DEFERRED),
    76: ("EX_PROTOCOL", Verdict.DEFERRED),
    77: ("EX_NOPERM", Verdict.UNSENT),
    78: ("EX_CONFIG", Verdict.UNSENT),
}
_ABOUT_US = frozenset({64, 77, 78})  # how we call it, who we are, how it is set up: the same for every message
_OF_ONE_MESSAGE = frozenset({Verdict.SENT, Verdict.REJECTED, Verdict.SUPPRESS})


def open_sendmail(url: str) -> SendmailSend:
    """The sender for `sendmail:///path/of/the/program`. ConfigError unless that is one which may be run."""
    parts = urlsplit(url)
    program = Path(unquote(parts.path))
    if parts.netloc or parts.query or parts.fragment or not program.is_absolute() or "\0" in str(program):
        what = "names no program: three slashes, then its path, and nothing else"
    elif not (program.is_file() and os.access(program, os.X_OK)):
        what = f"{program} is no program that can be run here"
    else:
        return SendmailSend(program)
    raise ConfigError(
        [Problem(key="NEWSLETTER_SMTP_URL", what=what, hint="for instance sendmail:///usr/sbin/sendmail")]
    )


class SendmailSend:
    """Implements `newsletter.mail.Send` by a program, one message after another."""

    def __init__(self, program: Path, *, patience: float = PATIENCE) -> None:
        self._program = program
        self._patience = patience

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._program}>"

    def __call__(self, messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
        """Hand over messages until they end or `stop()`; see `newsletter.mail.Send`.

        Raises Refused when the program says that it is set up wrongly or not for us, SendError when it cannot be
        started or takes no message again and again.
        """
        waiting = iter(messages)
        failures = 0
        while not stop() and (message := next(waiting, None)) is not None:
            if message.delivery in record([], [message.delivery]):
                continue
            status, outcome = self._handed_over(message)
            record([outcome], [])
            failures = 0 if outcome.verdict in _OF_ONE_MESSAGE else failures + 1
            if status is None:
                raise SendError(outcome.text)
            if status in _ABOUT_US:
                raise Refused(f"{self._program} refuses us: {outcome.text}")
            if failures == FAILURES_IN_A_ROW:
                raise SendError(f"{self._program} took none of {failures} messages in a row, the last: {outcome.text}")

    def _handed_over(self, message: Message) -> tuple[int | None, Outcome]:
        """The exit status, None when it could not be started, and what it means."""

        def outcome(verdict: Verdict, text: str) -> Outcome:
            return Outcome(delivery=message.delivery, verdict=verdict, text=text)

        try:
            command = self._command(message)
        except ValueError as error:
            return 0, outcome(Verdict.REJECTED, str(error))
        try:
            done = subprocess.run(  # noqa: S603  # the operator's program; addresses are checked and no options
                command,
                input=message.data.replace(b"\r\n", b"\n"),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self._patience,
                check=False,
                cwd="/",
                env={name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")},
            )
        except subprocess.TimeoutExpired:
            return 0, outcome(Verdict.UNCERTAIN, f"{self._program} did not end in {self._patience:g} s and was stopped")
        except OSError as error:
            return None, outcome(Verdict.UNSENT, f"could not start {self._program}: {error.strerror}")
        if done.returncode < 0:
            return 0, outcome(Verdict.UNCERTAIN, f"{self._program} was ended by signal {-done.returncode}")
        name, verdict = _STATUS.get(done.returncode, ("", Verdict.DEFERRED))
        said = clean(done.stdout.decode("utf-8", "replace"), limit=SAID)
        told = f"exit status {done.returncode} {name}".rstrip()
        return done.returncode, outcome(verdict, f"{told}: {said}" if said else told)

    def _command(self, message: Message) -> list[str]:
        """The words of the command. ValueError for an address that is none or could be taken for an option."""
        sender = envelope_address(message.sender) if message.sender else "<>"
        recipient = envelope_address(message.recipient)
        for address in (sender, recipient):
            # `--` is not known to every such program, and some look at the value of -f again.
            if address.startswith("-"):
                raise ValueError(f"not handed to {self._program}: {address!r} begins like an option")
        return [str(self._program), "-i", "-f", sender, "--", recipient]
