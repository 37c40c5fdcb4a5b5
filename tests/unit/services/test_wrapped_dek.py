"""The bytes of a wrapped DEK in its row and its sidecar, against vectors made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import KeyDamaged
from app.services.keys.wrapped_dek import Envelope, kek_prefix, names_kek
from app.storage.sidecar_entry import WrappedDek
from app.vault.interface import WrappedKey

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "wrapped_dek.json").read_text("ascii")
)
GOOD = Envelope("0a1b2c3d", WrappedKey("kek-7f", "0" * 32, bytes(range(48))))


@pytest.mark.parametrize("vector", VECTORS["rows"], ids=lambda vector: vector["name"])
def test_rows(vector: dict[str, str]) -> None:
    raw = bytes.fromhex(vector["row"])
    if "master" not in vector:
        with pytest.raises(KeyDamaged):
            Envelope.from_row(raw)
        return
    envelope = Envelope.from_row(raw)
    assert (envelope.master, envelope.kek, envelope.version, envelope.key.ct.hex()) == (
        vector["master"],
        vector["kek"],
        vector["version"],
        vector["ct"],
    )
    assert envelope.to_row() == raw
    assert envelope.to_sidecar().ct.hex() == vector["master"] + vector["ct"]


def test_the_sidecar_gives_back_what_the_row_holds() -> None:
    assert Envelope.from_sidecar(GOOD.to_sidecar()) == GOOD


def test_a_sidecar_without_a_master_is_damage() -> None:
    with pytest.raises(KeyDamaged):
        Envelope.from_sidecar(WrappedDek("kek-7f", "0" * 32, b"\x0a\x1b\x2c\x3d"))


def test_sql_finds_the_names_where_they_stand() -> None:
    row = GOOD.to_row()
    at, names = names_kek("kek-7f", "0" * 32)
    assert row[at - 1 : at - 1 + len(names)] == names
    assert row.startswith(kek_prefix("0a1b2c3d", "kek-7f", "0" * 32))


def test_shows_nothing_of_what_is_sealed() -> None:
    assert "ct" not in repr(GOOD)
