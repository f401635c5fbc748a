"""One SMTP conversation (RFC 5321): opened step by step, then one message after another.

    connect -> greeting -> ehlo -> starttls -> ehlo -> auth -> ( mail -> rcpt -> data -> body -> dot )* -> quit

`phase` is the last step that was begun, so that a cut can be judged: before the final dot has left, nothing was taken.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from newsletter.errors import Refused, SendError
from newsletter.mail.headers import envelope_address
from newsletter.mail.relay import Relay, Tls
from newsletter.mail.replies import Decision, Phase, goes_on, read_reply
from newsletter.mail.wire import Reply, Wire, dot_stuffed
from newsletter.model import Message, Outcome, Verdict

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
            _, wire = await asyncio.get_running_loop().create_connection(Wire, relay.host, relay.port)
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
    """A connection that is ready for messages, until `usable` turns false."""

    def __init__(self, wire: Wire, relay: Relay, *, timeouts: Timeouts) -> None:
        self.phase = Phase.CONNECT
        self._wire = wire
        self._relay = relay
        self._timeouts = timeouts
        self._extensions: Mapping[str, str] = {}
        self._encrypted = False
        self._broken = False
        self._unfinished = False

    # --- opening --------------------------------------------------------------------------------------------------

    async def begin(self, context: ssl.SSLContext, hostname: str) -> None:
        """Everything before the first message."""
        if self._relay.tls is Tls.IMPLICIT:
            await self._encrypt(context)
        self.phase = Phase.GREETING
        self._demand(await self._wire.reply(self._timeouts.greeting), "refused the connection")
        await self._ehlo(hostname)
        if self._wants_starttls():
            self._demand(await self._ask(Phase.STARTTLS, "STARTTLS", self._timeouts.command), "refused STARTTLS")
            await self._encrypt(context)
            await self._ehlo(hostname)
        if self._relay.user:
            await self._authenticate()

    async def _ehlo(self, hostname: str) -> None:
        name = hostname or _own_name(self._wire.local_host)
        reply = await self._ask(Phase.EHLO, f"EHLO {name}", self._timeouts.command)
        self._extensions = parse_ehlo(reply.lines) if goes_on(reply.code, phase=Phase.EHLO) else {}
        if 500 <= reply.code <= 599:  # noqa: PLR2004 (RFC 5321 section 3.2: a server that knows no EHLO)
            reply = await self._ask(Phase.EHLO, f"HELO {name}", self._timeouts.command)
        self._demand(reply, f"refused our name {name}")

    def _wants_starttls(self) -> bool:
        offered = "STARTTLS" in self._extensions
        if self._relay.tls is Tls.REQUIRED and not offered:
            raise Refused(
                f"{self._relay.place} does not offer STARTTLS, so nothing was sent; use its TLS port with smtps://, or "
                "starttls=off in NEWSLETTER_SMTP_URL to send in clear text"
            )
        return offered and self._relay.tls in {Tls.REQUIRED, Tls.AUTO}

    async def _encrypt(self, context: ssl.SSLContext) -> None:
        self.phase = Phase.STARTTLS
        try:
            await self._wire.start_tls(context, host=self._relay.host, seconds=self._timeouts.command)
        except ssl.SSLCertVerificationError as error:
            raise Refused(
                f"the certificate of {self._relay.place} cannot be trusted: {error.verify_message}; mend it, or "
                "verify=off in NEWSLETTER_SMTP_URL to send without knowing to whom"
            ) from error
        except OSError as error:
            raise Refused(f"could not encrypt the connection to {self._relay.place}: {_why(error)}") from error
        self._encrypted = True

    async def _authenticate(self) -> None:
        """AUTH (RFC 4954): PLAIN where offered, else LOGIN."""
        relay = self._relay
        if not (self._encrypted or relay.loopback):
            raise Refused(f"{relay.place} would get the password in clear text; use starttls=required or smtps://")
        offered = self._extensions.get("AUTH", "").upper().split()
        if "PLAIN" in offered:
            answers = ["AUTH PLAIN " + _base64(f"\0{relay.user}\0{relay.password}")]
        elif "LOGIN" in offered:
            answers = ["AUTH LOGIN", _base64(relay.user), _base64(relay.password)]
        else:
            raise Refused(
                f"{relay.place} takes no password by AUTH PLAIN or LOGIN; leave user and password out of "
                "NEWSLETTER_SMTP_URL, or use the port for submission"
            )
        for answer in answers:
            reply = await self._ask(Phase.AUTH, answer, self._timeouts.command)
            if reply.code != CONTINUE:
                break
        reply = Reply(reply.code, (_without_secrets(reply.text, relay),))
        if 500 <= reply.code <= 599 or reply.code == CONTINUE:  # noqa: PLR2004 (RFC 4954 section 6)
            raise Refused(f"{relay.place} refused the user or password: {reply}; check both in NEWSLETTER_SMTP_URL")
        self._demand(reply, "could not check the password")

    def _demand(self, reply: Reply, what: str) -> None:
        """Go on, or say why not."""
        if reply.code in {0, CLOSING}:
            raise Interrupted(f"{self._relay.place} broke off at {self.phase}: {reply}")
        if not goes_on(reply.code, phase=self.phase):
            raise SendError(f"{self._relay.place} {what}: {reply}")

    # --- sending --------------------------------------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether another message may be offered here: nothing broke, and nothing was said that nobody asked for."""
        return not self._broken and self._wire.quiet

    async def deliver(self, message: Message, *, started: Callable[[], None]) -> tuple[Outcome, Decision]:
        """Offer one message; `started` is called before the first byte of its body."""
        self.phase = Phase.RSET
        try:
            body = self._prepared(message)
        except ValueError as error:
            decision = Decision(verdict=Verdict.REJECTED, reason="not offered")
            return Outcome(delivery=message.delivery, verdict=decision.verdict, text=str(error)), decision
        reply = await self._transaction(message, body, started)
        decision = read_reply(reply.code, reply.text, phase=self.phase)
        self._broken = decision.reconnect or self.phase is Phase.BODY
        if self._broken:
            self.abort()  # at once: a closing connection would still send what waits, the final dot with it
        self._unfinished = self.phase in {Phase.MAIL, Phase.RCPT, Phase.DATA}
        return self._outcome(message, reply, decision), decision

    def interrupted(self, message: Message) -> Outcome:
        """What is known of a message whose delivery was given up in the middle of it."""
        reply = Reply(0, ("given up",))
        return self._outcome(message, reply, read_reply(reply.code, reply.text, phase=self.phase))

    def _outcome(self, message: Message, reply: Reply, decision: Decision) -> Outcome:
        return Outcome(
            delivery=message.delivery,
            verdict=decision.verdict,
            code=reply.code,
            text=reply.text,
            phase=self.phase.value,
            retry_after=decision.retry_after,
        )

    def _prepared(self, message: Message) -> bytes:
        """The body as it goes out. ValueError says why this message cannot be offered to this server."""
        for address in filter(None, (message.sender, message.recipient)):
            envelope_address(address)
        limit = self._extensions.get("SIZE", "")
        if limit.isdigit() and 0 < int(limit) < len(message.data):
            raise ValueError(f"a message of {len(message.data)} bytes, where the server takes {limit} (SIZE)")
        if not (message.sender + message.recipient).isascii() and "SMTPUTF8" not in self._extensions:
            raise ValueError("the address is not ASCII and the server does not offer SMTPUTF8")
        if not message.data.isascii() and "8BITMIME" not in self._extensions:
            raise ValueError("the message is not ASCII and the server does not offer 8BITMIME")
        return dot_stuffed(message.data)

    async def _transaction(self, message: Message, body: bytes, started: Callable[[], None]) -> Reply:
        """The reply that ended it, `phase` being the step it belongs to."""
        for phase, command, seconds in self._envelope(message):
            reply = await self._ask(phase, command, seconds)
            if not goes_on(reply.code, phase=phase):
                return reply
        started()
        self.phase = Phase.BODY
        self._wire.write(body)
        if await self._wire.flushed(self._timeouts.block):
            self.phase = Phase.DOT
            return await self._wire.reply(self._timeouts.dot)
        if self._wire.quiet:
            return Reply(0, (f"nothing could be sent for {self._timeouts.block:g} s",))
        return await self._wire.reply(0)

    def _envelope(self, message: Message) -> Iterator[tuple[Phase, str, float]]:
        if self._unfinished:
            yield Phase.RSET, "RSET", self._timeouts.command
        yield Phase.MAIL, f"MAIL FROM:<{message.sender}>{self._parameters(message)}", self._timeouts.mail
        yield Phase.RCPT, f"RCPT TO:<{message.recipient}>", self._timeouts.rcpt
        yield Phase.DATA, "DATA", self._timeouts.data

    def _parameters(self, message: Message) -> str:
        size = f" SIZE={len(message.data)}" if "SIZE" in self._extensions else ""
        body = "" if message.data.isascii() else " BODY=8BITMIME"
        utf8 = "" if (message.sender + message.recipient).isascii() else " SMTPUTF8"
        return size + body + utf8

    async def _ask(self, phase: Phase, command: str, seconds: float) -> Reply:
        self.phase = phase
        self._wire.write(f"{command}\r\n".encode())
        return await self._wire.reply(seconds)

    # --- closing --------------------------------------------------------------------------------------------------

    async def quit(self) -> None:
        """Take leave. Whatever goes wrong now changes nothing about what was sent."""
        if self.usable:
            await self._ask(Phase.QUIT, "QUIT", self._timeouts.quit)
        await self._wire.close(self._timeouts.quit)

    def abort(self) -> None:
        """Leave without a word."""
        self._wire.abort()


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

    No name server is asked: what it knows of us is of no use to the server we talk to.
    """
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    ip = ipaddress.ip_address(address.partition("%")[0])
    return f"[{ip}]" if ip.version == 4 else f"[IPv6:{ip}]"  # noqa: PLR2004 (the versions of IP)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _without_secrets(text: str, relay: Relay) -> str:
    """A reply that quotes our password back is quoted without it."""
    secrets = {relay.password, quote(relay.password), _base64(relay.password)}
    secrets.add(_base64(f"\0{relay.user}\0{relay.password}"))  # as AUTH PLAIN has it
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    if isinstance(error, socket.gaierror):
        return f"its name is not known ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    # Where a name has several addresses, asyncio puts their errors into the text of one.
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return "connection refused"
    return error.strerror or str(error) or type(error).__name__


def _hint(relay: Relay) -> str:
    return (
        "; is it running? `newsletter mailbox` starts the built-in one"
        if relay.loopback
        else "; check NEWSLETTER_SMTP_URL"
    )
