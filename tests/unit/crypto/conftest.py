"""Every test of the crypto room starts without remembered verdicts."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.crypto import reader as reader_module
from tests.unit.crypto.sealed_blobs import CHUNK, FileSource, sealed


@pytest.fixture(autouse=True)
def no_verdicts() -> Iterator[None]:
    reader_module.VERDICTS.clear()
    yield
    reader_module.VERDICTS.clear()


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[FileSource]:
    path = tmp_path / "blob"
    path.write_bytes(sealed(5 * CHUNK + 100))
    source = FileSource(path)
    yield source
    os.close(source.fd)
