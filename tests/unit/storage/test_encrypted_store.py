"""Sealing originals and derivatives, and discarding them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.crypto.context import Role
from app.crypto.stream import ChunkPolicy
from app.errors import (
    BlobExists,
    EncryptionError,
    SidecarInvalid,
    StoreError,
    StoreUnavailable,
)
from app.storage.encrypted_store import EncryptedStore
from app.storage.local_disk import LocalDisk
from tests.unit.storage import os_faults
from tests.unit.storage.pictures import (
    MARKED,
    PUBLIC,
    SECRET_NAME,
    Keys,
    Picture,
    content,
    derived,
    opened,
)


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
