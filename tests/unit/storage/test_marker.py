"""The file that tells our store from an empty mount point."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from app.crypto.kdf import MasterKey
from app.crypto.keys import generate_key
from app.errors import BlobExists, EncryptionError, SidecarInvalid, StoreUnavailable
from app.storage.local_disk import LocalDisk
from app.storage.marker import (
    StoreMarker,
    parse,
    read_marker,
    verify_marker,
    write_marker,
)

STORE = UUID("00112233-4455-4677-8899-aabbccddeeff")
MARKER = StoreMarker(STORE, b"\xcc" * 32)


def test_the_bytes_are_those_of_the_format(disk: LocalDisk, root: Path) -> None:
    write_marker(disk, MARKER)
    raw = (root / ".darkroom-store").read_bytes()
    assert raw == (
        b'{"check":"' + b"cc" * 32 + b'","store_id":"' + str(STORE).encode() + b'","v":1}'
    )
    assert (root / ".darkroom-store").stat().st_mode & 0o777 == 0o600
    assert read_marker(disk) == MARKER


def test_a_store_is_marked_once_and_again_under_a_new_master(disk: LocalDisk) -> None:
    write_marker(disk, MARKER)
    with pytest.raises(BlobExists):
        write_marker(disk, StoreMarker(UUID(int=1), MARKER.check))
    after = StoreMarker(STORE, b"\xdd" * 32)
    write_marker(disk, after, replace=True)
    assert read_marker(disk) == after


def test_a_lost_mount_is_not_an_empty_store(disk: LocalDisk, root: Path) -> None:
    assert read_marker(disk) is None
    with pytest.raises(StoreUnavailable, match="missing"):
        verify_marker(None, [MARKER.check], STORE)
    root.rmdir()
    with pytest.raises(StoreUnavailable):
        read_marker(disk)


def test_our_own_store_is_accepted() -> None:
    assert verify_marker(MARKER, [bytes(32), MARKER.check], STORE) is MARKER
    assert verify_marker(MARKER, [MARKER.check]) is MARKER


def test_the_store_of_another_installation_is_refused() -> None:
    with pytest.raises(StoreUnavailable, match="another installation"):
        verify_marker(MARKER, [MARKER.check], UUID(int=1))


def test_a_wrong_master_key_is_told_without_a_database() -> None:
    ours, foreign = MasterKey(generate_key()), MasterKey(generate_key())
    marker = StoreMarker(STORE, ours.check.reveal())
    assert verify_marker(marker, [ours.check.reveal()]) is marker
    with pytest.raises(EncryptionError) as refusal:
        verify_marker(marker, [foreign.check.reveal()])
    assert ours.check.reveal().hex() not in str(refusal.value)
    with pytest.raises(EncryptionError):
        verify_marker(marker, [])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        MARKER.encode() + b"\n",
        MARKER.encode().replace(b'"v":1', b'"v":2'),
        MARKER.encode().replace(b"cc", b"CC"),
        MARKER.encode().replace(b'"v":1', b'"v":1,"w":1'),
        MARKER.encode()[:-1],
        b"[" * 1000,
    ],
)
def test_a_touched_marker_is_refused(disk: LocalDisk, raw: bytes) -> None:
    with pytest.raises(SidecarInvalid):
        parse(raw)
    disk.put(".darkroom-store", raw)
    with pytest.raises(SidecarInvalid):
        read_marker(disk)
