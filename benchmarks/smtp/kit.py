"""The folder that all ways to send share: compiled programs, one issue, one message of it, keys."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from benchmarks import assemble
from benchmarks.smtp import Missing
from newsletter.mail.dkim import new_key
from newsletter.model import Rendered, Slotted
from newsletter.render.fragments import literal

HERE = Path(__file__).parent
SIZE = 43_000  # of HTML: with the text and both parts encoded, a message of 60 KB
ALGORITHMS = ("rsa", "ed25519")


def prepare(folder: Path) -> list[str]:
    """Put everything into an empty folder; a line for each program that could not be made there."""
    assemble.SIZE = SIZE
    issue = assemble.rendered()
    folder.joinpath("issue.pickle").write_bytes(pickle.dumps(issue))
    folder.joinpath("issue.json").write_text(json.dumps(_told(issue)))
    folder.joinpath("message.eml").write_bytes(assemble.ours(issue)(1))
    for algorithm in ALGORITHMS:
        folder.joinpath(f"{algorithm}.pem").write_text(new_key(algorithm))
    make_certificate(folder)
    lacking = []
    for make in (make_sinks, make_source, make_listmonk_way):
        try:
            make(folder)
        except Missing as missing:
            lacking.append(str(missing))
    return lacking


def issue(folder: Path) -> Rendered:
    """The issue of a kit."""
    return cast("Rendered", pickle.loads(folder.joinpath("issue.pickle").read_bytes()))  # noqa: S301 - we wrote it


def _told(issue: Rendered) -> dict[str, object]:
    """The issue for programs in other languages: templates with {{ name }} for values, and the values."""

    def template(kind: str) -> str:
        pieces = (piece for fragment in issue.fragments for piece in getattr(fragment, kind))
        return "".join(f"{{{{ {piece.token} }}}}" if isinstance(piece, Slotted) else literal(piece) for piece in pieces)

    values = {str(token): value for token, value in assemble.TOKENS.items()}
    return {"subject": issue.subject, "html": template("html"), "text": template("text"), "values": values}


def make_sinks(folder: Path) -> None:
    """The fast server, with and without TLS. Missing where it cannot be compiled, as with the others."""
    _compile("sink.c", folder / "sink")
    _compile("sink.c", folder / "sink_tls", "-DTLS", "-lssl", "-lcrypto")


def make_source(folder: Path) -> None:
    """The sender in C."""
    _compile("source.c", folder / "source")


def _compile(source: str, program: Path, *options: str) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        raise Missing(f"without {source}: `apt-get install gcc libc6-dev` brings a C compiler")
    command = [compiler, "-O2", "-o", str(program), str(HERE / source), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        hint = "`apt-get install libssl-dev` brings OpenSSL's headers" if "-DTLS" in options else done.stderr
        raise Missing(f"without {source} {' '.join(options)}: {hint}")


def make_listmonk_way(folder: Path) -> None:
    """The sender in Go."""
    if (go := shutil.which("go")) is None:
        raise Missing("without listmonk's way: `apt-get install golang-go` brings Go")
    cache = folder / "go"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "GOCACHE": str(cache), "GOFLAGS": "-mod=mod"}
    command = [go, "build", "-o", str(folder / "listmonk_way"), "main.go"]
    done = subprocess.run(  # noqa: S603
        command, cwd=HERE / "listmonk_way", env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"without listmonk's way: {done.stderr}")


def make_certificate(folder: Path) -> None:
    """One that nobody else has signed, for STARTTLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.joinpath("cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    folder.joinpath("key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
