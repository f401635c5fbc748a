from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from newsletter.config import SETTINGS, load_config, readable_by_all
from newsletter.errors import ConfigError


def test_defaults_suit_a_first_try(tmp_path: Path) -> None:
    """Without any setting there is a database in the workspace and a mail server on this machine."""
    config = load_config(tmp_path, {})

    assert config.database_url == f"sqlite:///{tmp_path / 'newsletter.db'}"
    assert config.smtp_url == "smtp://127.0.0.1:1025"
    assert config.schedules == tmp_path / "schedules.yaml"
    assert config.secret_keys == ()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """`.env` in the workspace is read; what the environment says goes before it."""
    (tmp_path / ".env").write_text("NEWSLETTER_BASE_URL=https://file.example\nNEWSLETTER_SECRET_KEY='a, b'\n")

    config = load_config(tmp_path, {"NEWSLETTER_BASE_URL": "https://environment.example/"})

    assert config.base_url == "https://environment.example"
    assert config.secret_keys == ("a", "b")


def test_secrets_from_files(tmp_path: Path) -> None:
    """A secret may stand in a file of its own; a setting that is none may not."""
    (tmp_path / "secret").write_text("from a file\n")

    config = load_config(tmp_path, {"NEWSLETTER_SECRET_KEY_FILE": str(tmp_path / "secret")})

    assert config.secret_keys == ("from a file",)
    with pytest.raises(ConfigError, match="no such setting"):
        load_config(tmp_path, {"NEWSLETTER_BASE_URL_FILE": str(tmp_path / "secret")})


def test_every_mistake_at_once(tmp_path: Path) -> None:
    """Wrong values and misspelled names are all named, each with a hint."""
    wrong = {
        "NEWSLETTER_DATABSE_URL": "sqlite:///x",
        "NEWSLETTER_SMTP_URL": "mail.example.org",
        "NEWSLETTER_BASE_URL": "ftp://example.org",
        "NEWSLETTER_LOG_FORMAT": "xml",
        "NEWSLETTER_ALLOW_NETWORKS": "10.0.0.0/99",
        "NEWSLETTER_DATABASE_URL": "mysql://root@localhost/x",
        "NEWSLETTER_BOUNCE_DOMAIN": "b@example.org",
        "NEWSLETTER_SECRET_KEY_FILE": str(tmp_path / "missing"),
    }

    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, wrong)

    assert {problem.key for problem in caught.value.problems} == set(wrong)
    assert "did you mean NEWSLETTER_DATABASE_URL?" in str(caught.value)


def test_other_variables_are_nobodys_business(tmp_path: Path) -> None:
    """Variables without the prefix, and the test-suite's own, are left alone."""
    load_config(tmp_path, {"PATH": "/bin", "NEWSLETTER_TEST_POSTGRES": "postgresql://x"})


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """A configuration that ends up in a log tells neither passwords nor keys."""
    config = load_config(
        tmp_path,
        {
            "NEWSLETTER_SECRET_KEY": "hush",
            "NEWSLETTER_DATABASE_URL": "postgresql://user:hush@db/x",
            "NEWSLETTER_SMTP_URL": "smtp://user:hush@mail.example.org",
        },
    )

    assert "hush" not in repr(config)


def test_networks(tmp_path: Path) -> None:
    """Allowed networks are separated by commas."""
    config = load_config(tmp_path, {"NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8, fd00::/8"})

    assert config.allow_networks == (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("sqlite:///data/x.db", "sqlite:///{0}/data/x.db"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ("sqlite://", "sqlite://"),
        ("postgresql://u@h/n", "postgresql://u@h/n"),
    ],
)
def test_database_addresses(tmp_path: Path, url: str, read: str) -> None:
    """A relative SQLite file is in the workspace, wherever the command was started."""
    assert load_config(tmp_path, {"NEWSLETTER_DATABASE_URL": url}).database_url == read.format(tmp_path)


def test_every_setting_is_explained() -> None:
    """Each setting says in a line what it is for."""
    assert all(setting.help for setting in SETTINGS.values())


@pytest.mark.parametrize("text", ["mx:", "mx:?hello=mail.example.org", "smtp://a.example.org\n  smtps://b.example.org"])
def test_where_mails_go(tmp_path: Path, text: str) -> None:
    """One address, several with white space between them, or none."""
    assert load_config(tmp_path, {"NEWSLETTER_SMTP_URL": text}).smtp_url == text


@pytest.mark.parametrize(
    "text", ["smtp://a.example.org b.example.org", "smtp://a.example.org:25 smtp://b.example.org:x"]
)
def test_one_of_several_that_is_no_mail_server(tmp_path: Path, text: str) -> None:
    """Each of several addresses is looked at."""
    with pytest.raises(ConfigError, match="NEWSLETTER_SMTP_URL"):
        load_config(tmp_path, {"NEWSLETTER_SMTP_URL": text})


@pytest.mark.parametrize("name", [".env", "schedules.yaml"])
def test_files_that_everybody_can_write_are_not_read(tmp_path: Path, name: str) -> None:
    """Whoever has an account on the machine could send in our name."""
    file = tmp_path / name
    file.touch()
    file.chmod(0o646)

    with pytest.raises(ConfigError, match=f"{name}: everybody on this machine can write it"):
        load_config(tmp_path, {})
    file.chmod(0o644)
    load_config(tmp_path, {})


def test_what_everybody_can_read_is_named(tmp_path: Path) -> None:
    """The secrets and the readers; a plan is no secret."""
    for name in (".env", "schedules.yaml", "newsletter.db"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    config = load_config(tmp_path, {})

    assert readable_by_all(config) == [tmp_path / ".env", tmp_path / "newsletter.db"]
    (tmp_path / ".env").chmod(0o640)
    (tmp_path / "newsletter.db").chmod(0o600)
    assert readable_by_all(config) == []
