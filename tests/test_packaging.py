from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

pytestmark = pytest.mark.long

CHECKOUT = Path(__file__).parents[1]
OLDEST = "3.11.0"  # of the releases of Python that the project says it runs on


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without asking an index for anything."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_has_everything(wheel: Path) -> None:
    """Templates, the example, migrations and the demonstration's data are inside; tests are not."""
    names = zipfile.ZipFile(wheel).namelist()

    for needed in (
        "newsletter/_templates/email/papers/issue.mjml.j2",
        "newsletter/_templates/email/papers/issue.txt.j2",
        "newsletter/_examples/schedules.yaml",
        "newsletter/store/migrations/versions/0001_the_first_schema.py",
        "newsletter/demo/subscribers.csv",
        "newsletter/demo/data/daily_papers.json",
        "newsletter/py.typed",
    ):
        assert needed in names
    assert not [name for name in names if name.startswith("tests")]


def test_every_pin_installs_on_the_oldest_python() -> None:
    """A distribution's own Python may be years behind the last release of its line."""
    pins = re.findall(r"^([\w.-]+)==", (CHECKOUT / "constraints.txt").read_text(), re.MULTILINE)

    wanted = {pin: str(metadata(pin).json.get("requires_python", "")) for pin in pins}

    assert wanted
    assert {pin: python for pin, python in wanted.items() if OLDEST not in SpecifierSet(python)} == {}


def test_an_installed_wheel_runs_the_demonstration(wheel: Path, tmp_path: Path) -> None:
    """In an empty folder, with nothing of the checkout in reach."""
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)  # what `pip install --target` does to a wheel of pure Python
    empty = tmp_path / "empty"
    empty.mkdir()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    where = "import newsletter; print(newsletter.__file__)"
    for arguments in (["-c", where], ["-m", "newsletter", "demo"]):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=empty,
            env={**ours, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert str(installed) in done.stdout or "sent 25 messages now" in done.stdout
