"""The corpus that is made on the spot keeps its promises, also where the real one exists."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from app.media.decoder_client import Rendered
from tests.fixtures import corpus
from tests.unit.media.test_corpus_decoding import check_rendered, decoded_or_refused


def test_every_made_file_gets_its_verdict(tmp_path: Path, monkeypatch, decode) -> None:
    monkeypatch.setenv("DARKROOM_TEST_CORPUS", str(corpus.write_corpus(tmp_path)))
    files = corpus._listed(tmp_path)
    assert {file.expected for file in files} == {"accept", "reject", "either"}
    for file in files:
        outcome = decoded_or_refused(file, decode)
        if isinstance(outcome, Rendered):
            assert file.expected != "reject", file.name
            check_rendered(outcome)
        else:
            assert file.expected != "accept", (file.name, outcome.message)


def test_its_manifest_has_the_shape_of_the_real_one(tmp_path: Path) -> None:
    corpus.write_corpus(tmp_path)
    with (tmp_path / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest, dialect="excel-tab"))
    assert tuple(rows[0]) == corpus.COLUMNS
    assert all((tmp_path / row["file"]).stat().st_size == int(row["bytes"]) for row in rows)


def test_a_named_corpus_must_be_there(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("DARKROOM_TEST_CORPUS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="manifest"):
        corpus.corpus_folder()
