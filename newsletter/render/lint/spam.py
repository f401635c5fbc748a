"""What SpamAssassin says of messages: its local tests, where it is installed. Nothing is asked of the network."""

from __future__ import annotations

import mailbox
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing
from email.message import Message
from pathlib import Path

from newsletter.render.lint.finding import Finding
from newsletter.render.lint.rules import found

SUSPICIOUS = 0.5  # points; many servers file a mail as spam from 5
_SECONDS = 120
_NAME = "X-Newsletter-Sample"
_OPTIONS = ("-L", "-t", "-x", "--mbox", "--cf=use_bayes 0", "--cf=fold_headers 0", "--cf=report_safe 0")
# About the way a mail came, of which there is none yet.
_NO_MATTER = frozenset({"NO_RECEIVED", "NO_RELAYS"})


def is_installed() -> bool:
    """Whether `spamassassin` is on the PATH."""
    return shutil.which("spamassassin") is not None


def judge(messages: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """The messages that get SUSPICIOUS points or more, with the rules that hit; the keys are what to call them.

    OSError when SpamAssassin is not installed, does not answer in two minutes or not in the way it is known to.
    """
    program = shutil.which("spamassassin")
    if program is None:
        raise FileNotFoundError("spamassassin is not on the PATH")
    with tempfile.TemporaryDirectory(prefix="newsletter-") as folder:
        box = Path(folder, "mbox")
        with closing(mailbox.mbox(box)) as written:
            for name, data in messages.items():
                message = mailbox.mboxMessage(data)
                message[_NAME] = name
                written.add(message)
        # Its home would be written to, and a user's preferences there would change the score.
        done = _run([program, *_OPTIONS, str(box)], home=folder)
        Path(folder, "judged").write_bytes(done)
        with closing(mailbox.mbox(Path(folder, "judged"))) as judged:
            verdicts = {str(message[_NAME]): message for message in judged}
    if verdicts.keys() != messages.keys():
        raise OSError("spamassassin did not answer for every message")
    return tuple(finding for name in messages for finding in _finding(name, verdicts[name]))


def _run(command: list[str], *, home: str) -> bytes:
    environment = {**os.environ, "HOME": home, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(  # noqa: S603  # a program by its path, and no shell
            command, capture_output=True, check=False, timeout=_SECONDS, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"spamassassin took more than {_SECONDS} s") from error
    if done.returncode:
        raise OSError(f"spamassassin ended with {done.returncode}: {done.stderr.decode(errors='replace')[:300]}")
    return done.stdout


def _finding(name: str, message: Message) -> list[Finding]:
    status = " ".join(str(message["X-Spam-Status"]).split())
    score = re.search(r"\bscore=(-?[\d.]+)", status)
    rules = re.search(r"\btests=(\S*(?:, ?\S+,?)*)", status)
    if score is None:
        raise OSError(f"spamassassin gave no score: {status[:200]}")
    if float(score[1]) < SUSPICIOUS:
        return []
    hit = [rule for rule in re.findall(r"[A-Z][A-Z0-9_]+", rules[1] if rules else "") if rule not in _NO_MATTER]
    return [found("spam-score", name, 0, f"SpamAssassin gives {float(score[1]):g} points: {', '.join(hit)}")]
