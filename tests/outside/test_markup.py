"""The HTML of every mail before two validators: the Nu Html Checker, and html-validate's rules for accessibility."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.outside import tools
from tests.outside.mails import NAMES

UNAVOIDABLE = [
    line
    for line in (tools.FOLDER / "vnu-filter.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture(scope="session")
def nu(pages: Mapping[str, Path]) -> Mapping[str, list[str]]:
    """Every error of the Nu Html Checker, by the name of the mail."""
    java = tools.command("java", package="default-jre-headless")
    jar = tools.npm("vnu-jar") / "build" / "dist" / "vnu.jar"
    # It needs a large stack; and in one short run a second compiler or collector of garbage does not pay.
    virtual_machine = ("-Xss4m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    options = ("--errors-only", "--exit-zero-always", "--stdout", "--format", "json")
    done = tools.run(java, *virtual_machine, "-jar", jar, *options, *pages.values())
    found = defaultdict(list)
    for message in json.loads(done.stdout)["messages"]:
        found[Path(message["url"]).stem].append(f"{message['message']} {message.get('extract', '').strip()!r}")
    return found


@pytest.fixture(scope="session")
def accessibility(pages: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Every error of html-validate, by the name of the mail."""
    node = tools.command("node", package="nodejs")
    program = tools.npm("html-validate") / "bin" / "html-validate.mjs"
    config = tools.FOLDER / "html-validate.json"
    found = tmp_path_factory.mktemp("html-validate") / "found.json"  # what it prints is cut at 64 KB
    tools.run(node, program, "--config", config, "--formatter", f"json={found}", *pages.values(), codes=(0, 1))
    return {
        Path(report["filePath"]).stem: [
            f"{message['ruleId']}: {message['message']} (line {message['line']})" for message in report["messages"]
        ]
        for report in json.loads(found.read_bytes())
    }


@pytest.mark.parametrize("name", NAMES)
def test_it_is_html(name: str, nu: Mapping[str, list[str]]) -> None:
    """There is no error in it but the unavoidable."""
    errors = [error for error in nu[name] if not any(re.match(pattern, error) for pattern in UNAVOIDABLE)]

    assert errors == []


@pytest.mark.parametrize("pattern", UNAVOIDABLE)
def test_the_unavoidable_is_still_there(pattern: str, nu: Mapping[str, list[str]]) -> None:
    """What is filtered occurs: a filter for nothing would hide something one day."""
    assert any(re.match(pattern, error) for errors in nu.values() for error in errors)


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_read_aloud(name: str, accessibility: Mapping[str, list[str]]) -> None:
    """html-validate finds nothing that would shut somebody out."""
    assert accessibility.get(name, []) == []


def test_what_is_wrong_with_a_page_is_found(
    nu: Mapping[str, list[str]], accessibility: Mapping[str, list[str]]
) -> None:
    """A table that ends twice, an image without a description, a link without text."""
    assert any(error.startswith("Stray end tag “td”") for error in nu["spoiled"])
    assert {"wcag/h30", "wcag/h37"} <= {error.partition(":")[0] for error in accessibility["spoiled"]}
