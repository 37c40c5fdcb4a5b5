"""Sealing, opening by the rules of the format, refusing what is old, discarding."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.crypto.context import BlobContext, Role
from app.crypto.keys import generate_key
from app.crypto.stream import ChunkPolicy, SealedFacts, seal_bytes
from app.errors import (
    BlobExists,
    BlobNotFound,
    DecryptionFailed,
    EncryptionError,
    KeyNotFound,
    RolledBack,
    SidecarInvalid,
    StoreError,
    StoreUnavailable,
)
from app.storage.encrypted_store import EncryptedStore, Floor, OpenBlob
from app.storage.local_disk import LocalDisk
from app.storage.sidecar import Sidecar, SidecarEntry
from tests.unit.storage import os_faults
from tests.unit.storage.pictures import MARKED, PUBLIC, SECRET_NAME, Keys, Picture


def opened(store: EncryptedStore, picture: Picture, floor: Floor | None = None) -> OpenBlob:
    floor = floor or picture.floor()
    return store.open(picture.path.original, picture.image_id, Role.ORIGINAL, 0, floor)


def content(store: EncryptedStore, picture: Picture) -> bytes:
    with opened(store, picture) as blob:
        return blob.reader.read_all()


def derived(store: EncryptedStore, picture: Picture, variant: int = 320) -> str:
    store.seal_derivative(
        picture.path,
        picture.image_id,
        picture.dek,
        picture.version,
        Role.THUMBNAIL,
        variant,
        b"thumb " + MARKED,
    )
    return picture.path.thumbnail(variant)


def test_an_original_comes_back(store: EncryptedStore, stored: Picture) -> None:
    with opened(store, stored) as blob:
        assert blob.reader.plain_size == len(stored.content)
        assert blob.reader.read_all() == stored.content
        assert blob.reader.header.generation == 1
    assert store.read_sidecar(stored.path).public == PUBLIC


def test_the_facts_are_those_of_the_blob(store: EncryptedStore, picture: Picture) -> None:
    facts = store.seal_original(
        picture.path,
        picture.image_id,
        picture.dek,
        picture.version,
        io.BytesIO(picture.content),
        len(picture.content),
        PUBLIC,
        picture.private,
        generation=3,
        content_rev=2,
    )
    (entry,) = store.read_sidecar(picture.path).entries
    assert (entry.generation, entry.content_rev) == (3, 2)
    assert entry.key_version == picture.version
    assert entry.header_tag == facts.header_tag
    assert entry.final_tag == facts.final_tag
    with opened(store, picture) as blob:
        assert blob.handle.size == facts.enc_size == entry.enc_size
        raw = bytearray(16)
        blob.handle.pread_into(memoryview(raw), facts.enc_size - 16)
        assert raw == facts.final_tag


@pytest.mark.parametrize("size", [0, 1, 4096, 8191, 8192, 8193, 100_000])
def test_every_size(disk: LocalDisk, keys: Keys, size: int) -> None:
    store = EncryptedStore(disk, keys, ChunkPolicy(single_chunk_limit=8192, stream_chunk=4096))
    picture = Picture(os.urandom(size))
    keys.known[picture.image_id, picture.version] = picture.dek
    picture.seal_into(store)
    assert content(store, picture) == picture.content


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 90_000), length=st.integers(0, 90_000))
def test_every_range_is_a_slice(disk: LocalDisk, keys: Keys, start: int, length: int) -> None:
    store = EncryptedStore(disk, keys, ChunkPolicy(single_chunk_limit=4096, stream_chunk=4096))
    picture = Picture(os.urandom(70_000))
    keys.known[picture.image_id, picture.version] = picture.dek
    picture.seal_into(store)
    with opened(store, picture) as blob:
        ranged = b"".join(blob.reader.chunks(start, start + length))
        assert ranged == picture.content[start : start + length]


def test_nothing_is_readable_on_the_disk(
    store: EncryptedStore, stored: Picture, root: Path
) -> None:
    derived(store, stored)
    for path in root.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            for secret in (MARKED, SECRET_NAME.encode(), stored.dek.reveal()):
                assert secret not in raw
            assert SECRET_NAME not in str(path)


def test_a_name_is_used_once(store: EncryptedStore, stored: Picture) -> None:
    with pytest.raises(BlobExists):
        stored.seal_into(store)
    assert content(store, stored) == stored.content
    assert len(store.read_sidecar(stored.path).entries) == 1


def test_a_taken_sidecar_leaves_no_blob(store: EncryptedStore, picture: Picture) -> None:
    store.blobs.put(picture.path.sidecar, b"{}")
    with pytest.raises(BlobExists):
        picture.seal_into(store)
    assert not store.blobs.exists(picture.path.original)
    assert store.blobs.read(picture.path.sidecar, 10) == b"{}"


class Truncated(io.BytesIO):
    """A source that breaks when it is read to its end."""

    def readinto(self, buffer: object) -> int:
        raise StoreUnavailable("the spool is gone")


@pytest.mark.parametrize(
    ("source", "error"),
    [(io.BytesIO(b"short"), EncryptionError), (Truncated(b"x" * 100), StoreUnavailable)],
)
def test_a_bad_source_leaves_nothing(
    store: EncryptedStore,
    picture: Picture,
    source: io.BytesIO,
    error: type[Exception],
    root: Path,
) -> None:
    with pytest.raises(error):
        store.seal_original(
            picture.path,
            picture.image_id,
            picture.dek,
            picture.version,
            source,
            100,
            PUBLIC,
            picture.private,
        )
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_impossible_facts_leave_nothing(
    store: EncryptedStore, picture: Picture, root: Path
) -> None:
    picture.content = MARKED
    facts = Picture(b"").private
    object.__setattr__(facts, "filename", "x" * 5000)
    with pytest.raises(SidecarInvalid):
        store.seal_original(
            picture.path,
            picture.image_id,
            picture.dek,
            picture.version,
            io.BytesIO(MARKED),
            len(MARKED),
            PUBLIC,
            facts,
        )
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_a_path_belongs_to_its_image(store: EncryptedStore, picture: Picture) -> None:
    other = Picture(b"")
    with pytest.raises(StoreError):
        store.seal_derivative(
            picture.path,
            other.image_id,
            picture.dek,
            picture.version,
            Role.PREVIEW,
            0,
            b"x",
        )
    assert list(store.blobs.keys()) == []


@pytest.mark.parametrize("role", [Role.ORIGINAL, Role.RECORD, Role.UPLOAD_PART])
def test_only_derivatives_are_a_cache(
    store: EncryptedStore, picture: Picture, role: Role
) -> None:
    with pytest.raises(StoreError):
        store.seal_derivative(
            picture.path, picture.image_id, picture.dek, picture.version, role, 0, b"x"
        )


def test_an_original_is_settled_before_it_is_acknowledged(
    store: EncryptedStore, picture: Picture
) -> None:
    """Both files, then both names; nothing visible changes after the last sync."""
    picture.seal_into(store)
    store.discard(picture.path)
    with os_faults.watched(lambda number, name: None) as trace:
        picture.seal_into(store)
    calls = [name for name in trace if name in ("fsync", "link", "unlink")]
    assert calls == ["fsync", "link", "unlink", "fsync", "link", "unlink", "fsync"]


def test_derivatives_are_replaced_and_need_no_sidecar(
    store: EncryptedStore, stored: Picture
) -> None:
    key = derived(store, stored)
    derived(store, stored)
    with store.open(key, stored.image_id, Role.THUMBNAIL, 320, stored.floor()) as blob:
        assert blob.reader.read_all() == b"thumb " + MARKED
    assert not store.blobs.exists(key + ".meta")


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


def test_discarding_removes_every_blob_of_the_image_and_no_other(
    store: EncryptedStore, stored: Picture, keys: Keys, root: Path
) -> None:
    neighbour = Picture(b"neighbour", image_id=stored.image_id)
    keys.known[neighbour.image_id, neighbour.version] = neighbour.dek
    neighbour.seal_into(store)
    for variant in (320, 640, 1):
        derived(store, stored, variant)
    store.seal_derivative(
        stored.path, stored.image_id, stored.dek, stored.version, Role.PREVIEW, 0, b"x"
    )
    store.seal_derivative(
        stored.path, stored.image_id, stored.dek, stored.version, Role.FRAME, 12, b"x"
    )
    store.blobs.put(stored.path.record, b"x")
    store.discard(stored.path)
    assert sorted(store.blobs.keys()) == sorted(
        [neighbour.path.original, neighbour.path.sidecar]
    )
    store.discard(stored.path)


def test_discarding_takes_the_sidecar_first(
    store: EncryptedStore, stored: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived(store, stored)
    order: list[str] = []
    delete = store.blobs.delete

    def watched(key: str, *, durable: bool = True) -> bool:
        order.append(key)
        return delete(key, durable=durable)

    monkeypatch.setattr(store.blobs, "delete", watched)
    store.discard(stored.path)
    assert order == [stored.path.sidecar, stored.path.original, stored.path.thumbnail(320)]


def test_discarding_waits_for_whoever_replaces_a_blob(
    store: EncryptedStore, stored: Picture
) -> None:
    with store.lock(stored.path), pytest.raises(StoreUnavailable):
        store.discard(stored.path)
    assert content(store, stored) == stored.content
