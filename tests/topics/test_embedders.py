from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from newsletter.errors import ConfigError
from newsletter.topics import embedders

WORDS = ("graphs", "speech", "robots", "retrieval", "vision", "proofs", "music")


def texts(count: int) -> list[str]:
    """As many texts of an archive, the same every time."""
    return [f"{WORDS[number % 7]} and {WORDS[number // 7 % 7]} in work {number}" for number in range(count)]


@pytest.fixture
def _without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)


@pytest.mark.parametrize(
    ("stories", "stage"), [(0, 0), (1, 1), (49, 49), (50, 50), (299, 50), (300, 300), (999, 300), (1_000_000, 1_000)]
)
def test_stages(stories: int, stage: int) -> None:
    """Before the first stage everything there is is learned from; after the last one nothing more."""
    assert embedders.stage(stories) == stage


@pytest.mark.usefixtures("_without_extra")
def test_what_was_learned_stays_until_the_next_stage() -> None:
    """Vectors stay comparable while an archive grows, but for the few days on which it passes a stage."""
    first = embedders.current(b"", stories=60, texts=texts)
    kept = embedders.keep(first)

    assert embedders.current(kept, stories=299, texts=texts).version == first.version
    assert embedders.current(kept, stories=300, texts=texts).version.startswith("lexical-1/300-")


@pytest.mark.usefixtures("_without_extra")
def test_an_archive_that_shrank_keeps_what_was_learned() -> None:
    """Deleting old stories does not make every vector worthless."""
    first = embedders.current(b"", stories=300, texts=texts)

    assert embedders.current(embedders.keep(first), stories=3, texts=texts).version == first.version


@pytest.mark.parametrize("kept", [b"", b"damaged", b"PK\x03\x04damaged"])
def test_damaged_bytes_are_learned_anew(kept: bytes) -> None:
    """What cannot be read is no mistake of the operator's."""
    assert "/50-" in embedders.current(kept, stories=51, texts=texts).version


def test_the_extra_is_used_as_soon_as_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learned without it does not stand in its way, and the other way round."""
    with monkeypatch.context() as context:
        context.setitem(sys.modules, "tokenizers", None)
        lexical = embedders.current(b"", stories=50, texts=texts)
    with_table = embedders.current(embedders.keep(lexical), stories=50, texts=texts)
    with monkeypatch.context() as context:
        context.setitem(sys.modules, "tokenizers", None)
        again = embedders.current(embedders.keep(with_table), stories=50, texts=texts)

    assert with_table.version.startswith("wordllama-0.4.0.post1+lexical-1/50-")
    assert again.version == lexical.version
    assert np.allclose(again.embed(texts(5)), lexical.embed(texts(5)))


def test_a_model_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """An operator who named a folder is not left with something else in silence."""
    with pytest.raises(ConfigError, match="model.safetensors"):
        embedders.current(b"", stories=50, texts=texts, model=tmp_path)
