from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from newsletter.topics import wordllama
from newsletter.topics.embed import pack, unpack
from newsletter.topics.wordllama import Table

ARCHIVE = ["A study of graphs.", "Speech from a robot.", "Searching through documents."]


@pytest.fixture(scope="module")
def table() -> Table:
    """The table of the package, which `make setup` installs."""
    found = wordllama.find()
    assert found is not None
    return found


@pytest.fixture
def a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `wordllama` without files, found before the one that is installed."""
    told = tmp_path / "wordllama-9.9.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: wordllama\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_package_is_read_and_not_run(table: Table) -> None:
    """Its files are enough; importing it would change the logging of the program."""
    assert table.release == "0.4.0.post1"
    assert table.vectors.shape == (32_000, 256)
    assert "wordllama" not in sys.modules


def test_what_means_the_same_is_near_without_a_word_in_common(table: Table) -> None:
    """That is what the table is for."""
    car, automobile, violin = wordllama.learn(table, []).embed(["a fast car", "automobiles", "violins"])

    assert car @ automobile > car @ violin + 0.1


@pytest.mark.parametrize("stories", [0, 1, 3])
def test_rows_have_length_one_or_nothing(table: Table, stories: int) -> None:
    """However little was learned; a text without pieces gives zeros."""
    rows = wordllama.learn(table, ARCHIVE[:stories]).embed(["graphs", "", "大语言模型 🎉 قرآن"])

    assert rows.shape == (3, 256)
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 0, 1], atol=1e-5)


def test_what_was_learned_comes_back(table: Table) -> None:
    """Restored from bytes it is of the same version and gives the same vectors."""
    embedder = wordllama.learn(table, ARCHIVE)
    restored = wordllama.restore(table, unpack(pack(embedder.learned())))

    assert restored.version == embedder.version
    assert restored.version.startswith("wordllama-0.4.0.post1+lexical-1/3-")
    assert np.allclose(restored.embed(ARCHIVE), embedder.embed(ARCHIVE), atol=1e-6)


def test_what_was_learned_with_another_table_is_refused(table: Table) -> None:
    """Weights are by the positions of pieces in one table."""
    smaller = Table(release="0", vectors=table.vectors[:-1], tokenizer=table.tokenizer)

    with pytest.raises(ValueError, match="another table"):
        wordllama.restore(smaller, wordllama.learn(table, ARCHIVE).learned())


@pytest.mark.usefixtures("a_package")
def test_files_that_moved_are_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Another release may keep its files elsewhere: then stories are compared by their own words."""
    with caplog.at_level(logging.INFO, logger="newsletter"):
        assert wordllama.find() is None

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "l2_supercat_256.safetensors" in caplog.text


def test_a_damaged_table_is_one_line_in_the_log(a_package: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file cut short is told and does not stop anything."""
    weights = a_package / "wordllama" / "weights" / "l2_supercat_256.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"\x08\0\0\0\0\0\0\0{}")

    assert wordllama.find() is None
    assert len(caplog.records) == 1


def test_without_the_extra_is_one_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A library that is not installed is no warning: the extra is optional."""
    monkeypatch.setitem(sys.modules, "tokenizers", None)

    with caplog.at_level(logging.INFO, logger="newsletter"):
        assert wordllama.find() is None

    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "semantic" in caplog.text
