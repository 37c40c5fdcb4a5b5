"""Opening by the rules of the format: the right ids, a known key, nothing old."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.crypto.context import BlobContext, Role
from app.crypto.keys import generate_key
from app.crypto.stream import SealedFacts, seal_bytes
from app.errors import (
    BlobNotFound,
    DecryptionFailed,
    KeyNotFound,
    RolledBack,
    SidecarInvalid,
)
from app.storage.encrypted_store import EncryptedStore, Floor
from app.storage.sidecar import Sidecar, SidecarEntry
from tests.unit.storage.pictures import (
    PUBLIC,
    Keys,
    Picture,
    content,
    derived,
    opened,
)


def test_serving_reads_no_sidecar(store: EncryptedStore, stored: Picture) -> None:
    store.blobs.delete(stored.path.sidecar)
    assert content(store, stored) == stored.content
    again = sidecar_of(store, stored)
    store.write_sidecar(stored.path, again, replace=False)
    assert store.read_sidecar(stored.path) == again
    assert store.read_sidecar(stored.path).file_id == stored.image_id


def sidecar_of(store: EncryptedStore, picture: Picture) -> Sidecar:
    """Made again from the blob and what the row knows."""
    with opened(store, picture) as blob:
        header, size = blob.reader.header, blob.handle.size
        tag = bytearray(16)
        blob.handle.pread_into(memoryview(tag), size - 16)
        plain_size = blob.reader.plain_size
    entry = SidecarEntry.of_blob(
        SealedFacts(header, size, plain_size, header.header_tag, bytes(tag))
    )
    empty = Sidecar(picture.image_id, PUBLIC, ())
    return empty.with_entry(entry, picture.private, picture.dek, header)


def test_the_id_that_was_asked_for_selects_the_key(
    store: EncryptedStore, stored: Picture, keys: Keys
) -> None:
    """A blob of another image in this place is damage, and asks the vault for nothing."""
    other = Picture(b"another picture")
    keys.known[other.image_id, other.version] = other.dek
    other.seal_into(store)
    raw = store.blobs.read(other.path.original, 10_000)
    store.blobs.put(stored.path.original, raw, replace=True)
    keys.asked.clear()
    with pytest.raises(DecryptionFailed) as refusal:
        opened(store, stored)
    assert not isinstance(refusal.value, RolledBack)
    assert keys.asked == []


@pytest.mark.parametrize(
    ("role", "variant"),
    [(Role.ORIGINAL, 0), (Role.THUMBNAIL, 640), (Role.PREVIEW, 0), (Role.FRAME, 320)],
)
def test_a_thumbnail_passes_as_nothing_else(
    store: EncryptedStore, stored: Picture, role: Role, variant: int
) -> None:
    key = derived(store, stored)
    with pytest.raises(DecryptionFailed):
        store.open(key, stored.image_id, role, variant, stored.floor())


def test_an_unknown_key_means_asking_the_database_again(
    store: EncryptedStore, stored: Picture, keys: Keys
) -> None:
    keys.asked.clear()
    with pytest.raises(RolledBack):
        opened(store, stored, Floor(1, 0, frozenset({b"\xbb" * 16})))
    with pytest.raises(RolledBack):
        opened(store, stored, Floor(1, 0, frozenset()))
    assert keys.asked == []


@pytest.mark.parametrize(("generation", "content_rev"), [(2, 0), (1, 1), (2, 1)])
def test_a_genuine_older_blob_is_rolled_back(
    store: EncryptedStore, stored: Picture, generation: int, content_rev: int
) -> None:
    with pytest.raises(RolledBack):
        opened(store, stored, stored.floor(generation, content_rev))


def test_a_newer_blob_than_the_floor_is_served(
    store: EncryptedStore, stored: Picture, keys: Keys
) -> None:
    """During a rotation both generations are valid."""
    newer, version = generate_key(), b"\xbb" * 16
    keys.known[stored.image_id, version] = newer
    context = BlobContext(
        file_id=stored.image_id, role=Role.ORIGINAL, generation=2, key_version_id=version
    )
    blob, _ = seal_bytes(stored.content, newer, context)
    store.blobs.put(stored.path.original, blob, replace=True)
    both = Floor(1, 0, frozenset({stored.version, version}))
    with opened(store, stored, both) as found:
        assert found.reader.read_all() == stored.content
    with pytest.raises(RolledBack):
        opened(store, stored)


def test_a_vault_without_the_key_says_so(
    store: EncryptedStore, stored: Picture, keys: Keys
) -> None:
    keys.known.clear()
    with pytest.raises(KeyNotFound):
        opened(store, stored)


def test_a_missing_blob_is_missing(store: EncryptedStore, stored: Picture) -> None:
    store.blobs.delete(stored.path.original)
    with pytest.raises(BlobNotFound):
        opened(store, stored)


def test_every_flipped_byte_of_the_header_is_noticed(
    store: EncryptedStore, stored: Picture
) -> None:
    raw = store.blobs.read(stored.path.original, 1_000_000)
    quarantined = []
    for place in range(128):
        damaged = bytearray(raw)
        damaged[place] ^= 0x01
        store.blobs.put(stored.path.original, bytes(damaged), replace=True, durable=False)
        with pytest.raises(DecryptionFailed) as refusal:
            opened(store, stored)
        if not isinstance(refusal.value, RolledBack):
            quarantined.append(place)
    # An unknown key id cannot be told from an old one; every other byte is damage.
    assert quarantined == [*range(36), *range(52, 128)]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 143])
def test_a_stump_is_damage(store: EncryptedStore, stored: Picture, length: int) -> None:
    raw = store.blobs.read(stored.path.original, 1_000_000)
    store.blobs.put(stored.path.original, raw[:length], replace=True)
    with pytest.raises(DecryptionFailed) as refusal:
        opened(store, stored)
    assert not isinstance(refusal.value, RolledBack)


def test_opening_a_large_blob_reads_its_header_only(
    store: EncryptedStore, stored: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    preadv = os.preadv

    def counted(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        asked.extend(len(buffer) for buffer in buffers)
        return preadv(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", counted)
    opened(store, stored).close()
    assert asked == [128]


def test_a_huge_sidecar_is_not_read(store: EncryptedStore, stored: Picture, root: Path) -> None:
    os.truncate(root / stored.path.sidecar, 2**40)
    with pytest.raises(SidecarInvalid):
        store.read_sidecar(stored.path)


def test_a_refused_blob_is_closed(store: EncryptedStore, stored: Picture) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for floor in (stored.floor(2), Floor(1, 0, frozenset())):
        with pytest.raises(RolledBack):
            opened(store, stored, floor)
    opened(store, stored).close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_reader_outlives_a_replacement(store: EncryptedStore, stored: Picture) -> None:
    with opened(store, stored) as blob:
        store.discard(stored.path)
        assert blob.reader.read_all() == stored.content
