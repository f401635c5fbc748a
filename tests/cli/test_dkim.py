from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from newsletter.cli import cli
from newsletter.config import load_config
from newsletter.errors import ConfigError
from newsletter.mail.dkim import read_key


def run(folder: Path, *arguments: str, **environment: str) -> Result:
    """A command as it ended."""
    return CliRunner().invoke(cli, ["-C", str(folder), "dkim", *arguments], env=environment)


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_what_new_prints_is_what_show_prints(algorithm: str, tmp_path: Path) -> None:
    """The key is for its owner's eyes alone; with the lines for .env in place, `show` gives the same record."""
    made = run(tmp_path, "new", "News.example.org", "s1", "--algorithm", algorithm)
    file = tmp_path / "dkim-s1.pem"
    (tmp_path / ".env").write_text("\n".join(re.findall(r"NEWSLETTER_DKIM\S+", made.stdout)))

    assert made.exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    read_key(file.read_text())
    shown = run(tmp_path, "show").stdout.strip()
    assert shown.startswith("s1._domainkey.news.example.org. IN TXT")
    assert shown in made.stdout
    assert "PRIVATE" not in made.stdout + shown


def test_two_keys_are_shown(tmp_path: Path) -> None:
    """One line for each."""
    for selector in ("s1", "s2"):
        run(tmp_path, "new", "example.org", selector)
    shown = run(
        tmp_path,
        "show",
        NEWSLETTER_DKIM_DOMAIN="example.org",
        NEWSLETTER_DKIM_SELECTOR="s1",
        NEWSLETTER_DKIM_KEY_FILE=str(tmp_path / "dkim-s1.pem"),
        NEWSLETTER_DKIM_SELECTOR_2="s2",
        NEWSLETTER_DKIM_KEY_2_FILE=str(tmp_path / "dkim-s2.pem"),
    )

    assert [line.partition(".")[0] for line in shown.stdout.splitlines()] == ["s1", "s2"]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """A second `new` under the same name says so and leaves the first alone."""
    run(tmp_path, "new", "example.org", "s1")
    before = (tmp_path / "dkim-s1.pem").read_bytes()
    again = run(tmp_path, "new", "example.org", "s1")

    assert again.exit_code == 1
    assert "never overwritten" in again.output
    assert (tmp_path / "dkim-s1.pem").read_bytes() == before


@pytest.mark.parametrize("names", [("example org", "s1"), ("example.org", "s/1"), ("example.org", "../s1")])
def test_names_that_are_none(names: tuple[str, str], tmp_path: Path) -> None:
    """Wrong usage, and no file."""
    assert run(tmp_path, "new", *names).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_without_settings_nothing_is_signed(tmp_path: Path) -> None:
    """`show` says so."""
    assert "not signed here" in run(tmp_path, "show").stdout


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"DOMAIN": "example.org"}, {"SELECTOR", "KEY"}),
        ({"KEY": "x"}, {"DOMAIN", "SELECTOR"}),
        ({"DOMAIN": "é.org", "SELECTOR": "a b", "KEY": "x"}, {"DOMAIN", "SELECTOR"}),
        ({"DOMAIN": "a.org", "SELECTOR": "s", "KEY": "x", "KEY_2": "y"}, {"SELECTOR_2"}),
        ({"DOMAIN": "a.org", "SELECTOR": "s", "KEY": "x", "SELECTOR_2": "S", "KEY_2": "y"}, {"SELECTOR_2"}),
        ({"SELECTOR_2": "s", "KEY_2": "y"}, {"SELECTOR", "KEY"}),
    ],
)
def test_settings_that_belong_together(given: dict[str, str], wrong: set[str], tmp_path: Path) -> None:
    """Each that is missing beside another, or cannot be, is named."""
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {f"NEWSLETTER_DKIM_{name}": value for name, value in given.items()})

    assert {problem.key for problem in caught.value.problems} == {f"NEWSLETTER_DKIM_{name}" for name in wrong}


def test_the_configuration_shows_no_key(tmp_path: Path) -> None:
    """Nor does a key that is none show in the complaint about it."""
    environment = {
        "NEWSLETTER_DKIM_DOMAIN": "example.org",
        "NEWSLETTER_DKIM_SELECTOR": "s1",
        "NEWSLETTER_DKIM_KEY": "hush-hush",
    }

    assert "hush" not in repr(load_config(tmp_path, environment))
    shown = run(tmp_path, "show", **environment)
    assert isinstance(shown.exception, ConfigError)
    assert "hush" not in str(shown.exception)
