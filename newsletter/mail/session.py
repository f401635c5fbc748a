"""One SMTP connection (RFC 5321): opened step by step, closed in good order; for what is between see `conversation`.

connect -> greeting -> ehlo -> starttls -> ehlo -> auth -> ( messages ) -> quit
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import Insecure, Refused, SendError
from newsletter.mail.auth import answers, complaint, mechanisms, without_secrets
from newsletter.mail.relay import Auth, Relay, Tls
from newsletter.mail.replies import Phase, goes_on
from newsletter.mail.wire import Reply, Wire

CLOSING = 421
CONTINUE = 334


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait at each step, as RFC 5321 section 4.5.3.2 has them where it does.

    `block` is how long no byte of a message may leave. A `dot` that is shorter than the server's own work makes
    duplicates.
    """

    connect: float = 60
    greeting: float = 300
    command: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    quit: float = 5


class Interrupted(SendError):
    """The conversation ended before it was ready to send; another connection may do better."""


async def open_session(relay: Relay, *, context: ssl.SSLContext, hostname: str, timeouts: Timeouts) -> Session:
    """Connect and come as far as MAIL. `hostname` is what EHLO says; empty for our own name or address.

    Raises Refused (TLS, credentials), Interrupted (cut, 421, silence) or SendError (no server there).
    """
    try:
        async with asyncio.timeout(timeouts.connect):
            loop = asyncio.get_running_loop()
            if relay.path:
                _, wire = await loop.create_unix_connection(Wire, relay.path)
            else:
                _, wire = await loop.create_connection(Wire, relay.address or relay.host, relay.port)
    except OSError as error:
        raise SendError(f"could not reach {relay.place}: {_why(error)}{_hint(relay)}") from error
    session = Session(wire, relay, timeouts=timeouts)
    try:
        await session.begin(context, hostname)
    except BaseException:
        wire.abort()
        raise
    return session


class Session:
    """A connection that is ready for messages; `extensions` are those of the last EHLO."""

    def __init__(self, wire: Wire, relay: Relay, *, timeouts: Timeouts) -> None:
        self.phase = Phase.CONNECT
        self.wire = wire
        self.extensions: Mapping[str, str] = {}
        self._relay = relay
        self._timeouts = timeouts
        self._encrypted = False

    # --- opening --------------------------------------------------------------------------------------------------

    async def begin(self, context: ssl.SSLContext, hostname: str) -> None:
        """Everything before the first message."""
        if self._relay.tls is Tls.IMPLICIT:
            await self._encrypt(context)
        self.phase = Phase.GREETING
        self._demand(await self.wire.reply(self._timeouts.greeting), "refused the connection")
        await self._ehlo(hostname)
        if self._wants_starttls():
            self._demand(await self._ask(Phase.STARTTLS, "STARTTLS", self._timeouts.command), "refused STARTTLS")
            await self._encrypt(context)
            await self._ehlo(hostname)
        if self._relay.user:
            await self._authenticate()

    async def _ehlo(self, hostname: str) -> None:
        name = hostname or _own_name(self.wire.local_host)
        hello = "LHLO" if self._relay.lmtp else "EHLO"
        reply = await self._ask(Phase.EHLO, f"{hello} {name}", self._timeouts.command)
        self.extensions = parse_ehlo(reply.lines) if goes_on(reply.code, phase=Phase.EHLO) else {}
        # RFC 5321 section 3.2: a server that knows no EHLO. One that knows no LHLO speaks no LMTP.
        if 500 <= reply.code <= 599 and not self._relay.lmtp:  # noqa: PLR2004
            reply = await self._ask(Phase.EHLO, f"HELO {name}", self._timeouts.command)
        self._demand(reply, f"refused our name {name}")

    def _wants_starttls(self) -> bool:
        offered = "STARTTLS" in self.extensions
        if self._relay.tls is Tls.REQUIRED and not offered:
            raise Insecure(
                f"{self._relay.place} does not offer STARTTLS, so nothing was sent; use its TLS port with smtps://, or "
                "starttls=off in NEWSLETTER_SMTP_URL to send in clear text"
            )
        return offered and self._relay.tls in {Tls.REQUIRED, Tls.AUTO}

    async def _encrypt(self, context: ssl.SSLContext) -> None:
        self.phase = Phase.STARTTLS
        try:
            await self.wire.start_tls(context, host=self._relay.host, seconds=self._timeouts.command)
        except ssl.SSLCertVerificationError as error:
            raise Insecure(
                f"the certificate of {self._relay.place} cannot be trusted: {error.verify_message}; mend it, or "
                "verify=off in NEWSLETTER_SMTP_URL to send without knowing to whom"
            ) from error
        except (ConnectionError, TimeoutError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise Interrupted(f"{self._relay.place} broke off at {self.phase}: {_why(error)}") from error
        except OSError as error:
            raise Insecure(f"could not encrypt the connection to {self._relay.place}: {_why(error)}") from error
        self._encrypted = True

    async def _authenticate(self) -> None:
        """AUTH (RFC 4954) by the best mechanism that both sides know, never in the open."""
        relay = self._relay
        if not (self._encrypted or relay.loopback):
            raise Refused(f"{relay.place} would get the password in clear text; use starttls=required or smtps://")
        secret = _secret(relay)
        said = answers(relay, secret, self.extensions.get("AUTH", "").upper().split())
        if not said:
            raise Refused(
                f"{relay.place} takes nobody's word by AUTH {' or '.join(mechanisms(relay.auth))}; choose another "
                "auth=, leave user and password out of NEWSLETTER_SMTP_URL, or use the port for submission"
            )
        why = ""
        for answer in said:
            reply = await self._ask(Phase.AUTH, answer, self._timeouts.command)
            if reply.code != CONTINUE:
                break
            why = complaint(reply.text)
        reply = Reply(reply.code, (without_secrets(f"{reply.text} {why and f'({why})'}".rstrip(), relay, secret),))
        what = "user or token" if relay.auth is Auth.XOAUTH2 else "user or password"
        if 500 <= reply.code <= 599 or reply.code == CONTINUE:  # noqa: PLR2004 (RFC 4954 section 6)
            where = relay.token_file or "NEWSLETTER_SMTP_URL"
            raise Refused(f"{relay.place} refused the {what}: {reply}; check both in {where}")
        self._demand(reply, f"could not check the {what.removeprefix('user or ')}")

    def _demand(self, reply: Reply, what: str) -> None:
        """Go on, or say why not."""
        if reply.code in {0, CLOSING}:
            raise Interrupted(f"{self._relay.place} broke off at {self.phase}: {reply}")
        if not goes_on(reply.code, phase=self.phase):
            raise SendError(f"{self._relay.place} {what}: {reply}")

    async def _ask(self, phase: Phase, command: str, seconds: float) -> Reply:
        self.phase = phase
        self.wire.write([f"{command}\r\n".encode()])
        return await self.wire.reply(seconds)

    # --- closing --------------------------------------------------------------------------------------------------

    async def quit(self) -> None:
        """Take leave. Whatever goes wrong now changes nothing about what was sent."""
        if self.wire.quiet:
            await self._ask(Phase.QUIT, "QUIT", self._timeouts.quit)
        await self.wire.close(self._timeouts.quit)

    def abort(self) -> None:
        """Leave without a word."""
        self.wire.abort()


def parse_ehlo(lines: tuple[str, ...]) -> Mapping[str, str]:
    """The extensions in a reply to EHLO, keyword to parameters; the first line is the server's name.

    `AUTH=PLAIN`, as servers wrote before RFC 2554, counts as `AUTH PLAIN`.
    """
    extensions: dict[str, str] = {}
    for line in lines[1:]:
        keyword, _, parameters = line.strip().replace("AUTH=", "AUTH ", 1).partition(" ")
        extensions[keyword.upper()] = f"{extensions.get(keyword.upper(), '')} {parameters}".strip()
    return extensions


def _own_name(address: str) -> str:
    """A full domain name if the machine has one, else its address as a literal (RFC 5321 section 4.1.3).

    No name server is asked: what it knows of us is of no use to the server we talk to. `address` is empty on a socket
    of this machine, where the bare name will do.
    """
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    if not address:
        return name if name.isascii() and name else "localhost"
    ip = ipaddress.ip_address(address.partition("%")[0])
    return f"[{ip}]" if ip.version == 4 else f"[IPv6:{ip}]"  # noqa: PLR2004 (the versions of IP)


def _secret(relay: Relay) -> str:
    """The password; or the token, as its file has it now."""
    if not relay.token_file:
        return relay.password
    try:
        token = Path(relay.token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refused(f"could not read the token for {relay.place} in {relay.token_file}: {why}") from error
    if not token or not (token.isascii() and token.isprintable()) or " " in token:
        raise Refused(f"{relay.token_file} holds no token for {relay.place}: one word of ASCII characters is wanted")
    return token


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None)  # OpenSSL's own word for it
        return reason.replace("_", " ").lower() if reason else error.strerror or str(error)
    if isinstance(error, socket.gaierror):
        return f"its name is not known ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    # Where a name has several addresses, asyncio puts their errors into the text of one.
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return "connection refused"
    return error.strerror or str(error) or type(error).__name__


def _hint(relay: Relay) -> str:
    if relay.path:
        return "; does it listen on that socket, and may we write to it?"
    if relay.lmtp:
        return "; is it running?" if relay.loopback else "; check NEWSLETTER_SMTP_URL"
    if relay.address:  # the DNS named it
        return ""
    return (
        "; is it running? `newsletter mailbox` starts the built-in one"
        if relay.loopback
        else "; check NEWSLETTER_SMTP_URL"
    )
