from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.quality import Missing, Row, each, lines
from benchmarks.quality.__main__ import main


def test_what_is_not_there_is_skipped_with_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with some of the data is measured as far as it goes; an empty one is no mistake."""
    main(tmp_path, ["topics", "days"])

    told = capsys.readouterr().out
    assert f"# topics: skipped what needs {tmp_path}/arxiv/topics_*.jsonl, which is not there" in told
    assert "# days: skipped what needs" in told
    assert told.endswith("# 0 of 0 targets reached\n")


def test_any_folder_of_that_layout_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The names of the files may go on as they like."""
    folder = tmp_path / "arxiv"
    folder.mkdir()
    topic = {"title": "Topic", "about": "", "keywords": []}
    papers = [
        {"id": f"{label}{number}", "title": label, "abstract": f"all about {label}", "label": label}
        for label in ("graphs", "speech")
        for number in range(3)
    ]
    (folder / "ijcai_other.jsonl").write_text("\n".join(map(json.dumps, papers)))
    (folder / "topic_descriptions.json").write_text(
        json.dumps({"ijcai": {label: topic | {"keywords": [label]} for label in ("graphs", "speech")}})
    )

    main(tmp_path, ["topics"])

    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("IJCAI")]
    assert len(rows) > 3
    assert all("1.000" in row for row in rows)
    assert any(row.endswith(">= 0.540 reached") for row in rows)


def test_a_target_may_be_a_ceiling() -> None:
    """What has to be small is reached from below."""
    row = {"data": "d", "measure": "m", "method": "ours", "value": 0.2}

    assert Row(**row, target=0.3).reached is False  # type: ignore[arg-type]
    assert Row(**row, target=0.3, less_is_better=True).reached is True  # type: ignore[arg-type]
    assert Row(**row).reached is None  # type: ignore[arg-type]


def test_sets_are_measured_one_by_one(tmp_path: Path) -> None:
    """The absence of one is told in its place, and the next is measured."""
    row = Row(data="d", measure="m", method="ours", value=1)

    found = each(lambda: [row], lambda: [Row(**next(lines(tmp_path / "none")))], lambda: [row])

    assert [type(one) for one in found] == [Row, Missing, Row]
