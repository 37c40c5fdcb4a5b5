"""The duties of ``app.storage.interface``, tried for every blob store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from app.errors import BlobExists, BlobNotFound, DarkroomError, StoreError, StoreUnavailable
from app.storage.interface import BlobStore
from app.storage.local_disk import LocalDisk
from app.storage.object_names import temporary_beside

KEY = "dam/c-abc/3f/image_1_00112233445566778899aabbccddeeff.jpg.enc"
OTHER = "dam/c-abc/3f/image_2_00112233445566778899aabbccddeeff.jpg.enc"
FAR = "dam/c-abc/40/image_3_00112233445566778899aabbccddeeff.jpg.enc"
IMPOSSIBLE = [
    "",
    "/",
    "/etc/passwd",
    "dam//x",
    "dam/../x",
    "..",
    ".",
    "./dam",
    "dam/x/",
    "dam/x\0.enc",
    "dam\\x",
    "dam/ x",
    "dam/x\n",
    "dam/\u00e9",
    ".git/config",
    "dam/.hidden",
    "dam/.tmp-short",
    ".tmp-00112233445566778899aabbccddeeff/x",
    "a" * 256,
    "/".join(["a" * 200] * 6),
    "/".join("abcdefghi"),
]


def local_disk(folder: Path) -> BlobStore:
    store = LocalDisk(folder / "store", lock_timeout=0.2)
    store.create()
    return store


STORES: dict[str, Callable[[Path], BlobStore]] = {"local_disk": local_disk}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return STORES[request.param](tmp_path)


def left_behind(store: BlobStore) -> list[str]:
    return [temporary.key for temporary in store.temporaries()]


def test_what_was_put_is_read(store: BlobStore) -> None:
    for size in (0, 1, 4096, 1_000_000):
        data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        store.put(KEY, data, replace=True)
        assert store.read(KEY, size) == data
        assert store.exists(KEY)
    assert left_behind(store) == []


@pytest.mark.parametrize("durable", [True, False])
def test_a_staged_blob_is_invisible_until_the_commit(store: BlobStore, durable: bool) -> None:
    with store.stage(KEY, durable=durable) as staged:
        assert staged.write(b"first ") == 6
        assert staged.write(memoryview(bytearray(b"second"))) == 6
        assert not store.exists(KEY)
        assert list(store.keys("")) == []
        with pytest.raises(BlobNotFound):
            store.open(KEY)
        staged.commit()
        assert store.read(KEY, 100) == b"first second"
    assert store.read(KEY, 100) == b"first second"
    assert left_behind(store) == []


@pytest.mark.parametrize("replace", [True, False])
def test_a_blob_is_visible_before_its_name_is_settled(store: BlobStore, replace: bool) -> None:
    with store.stage(KEY) as staged:
        staged.write(b"x")
        staged.commit(replace=replace, settle=False)
    assert store.read(KEY, 1) == b"x"
    assert left_behind(store) == []


def test_a_temporary_blob_can_be_told_by_its_age(store: BlobStore) -> None:
    with store.stage(KEY) as staged:
        staged.write(b"half")
        (temporary,) = store.temporaries()
        assert temporary.modified_ms > 1_600_000_000_000
    assert left_behind(store) == []


@pytest.mark.parametrize("durable", [True, False])
def test_what_was_written_can_be_read_before_anybody_sees_it(
    store: BlobStore, durable: bool
) -> None:
    store.put(KEY, b"before")
    with store.stage(KEY, durable=durable) as staged:
        staged.write(b"first ")
        staged.write(b"second")
        with staged.review() as handle:
            found = bytearray(handle.size)
            assert handle.pread_into(memoryview(found), 0) == 12
            identity = handle.identity
        assert bytes(found) == b"first second"
        assert store.read(KEY, 100) == b"before"
        staged.commit(replace=True)
    assert store.read(KEY, 100) == b"first second"
    with store.open(KEY) as handle:
        assert handle.identity == identity
    with pytest.raises(StoreError):
        staged.review()
    assert left_behind(store) == []


def test_what_a_killed_writer_left_can_be_removed_by_its_tag(store: BlobStore) -> None:
    tag = "0123456789abcdef" * 2
    killed = store.stage(KEY, tag=tag)
    killed.write(b"half")
    assert left_behind(store) == [temporary_beside(KEY, tag)]
    with pytest.raises(BlobExists):
        store.stage(KEY, tag=tag)
    assert store.delete(temporary_beside(KEY, tag))
    assert left_behind(store) == []
    with pytest.raises(StoreError):
        killed.commit()
    with store.stage(KEY, tag=tag) as staged:
        staged.write(b"whole")
        staged.commit()
    assert store.read(KEY, 100) == b"whole"
    assert left_behind(store) == []


@pytest.mark.parametrize("tag", ["", "short", "0" * 31 + "G", "0" * 30 + "/x", "A" * 32])
def test_an_impossible_tag_is_refused(store: BlobStore, tag: str) -> None:
    with pytest.raises(BlobNotFound):
        store.stage(KEY, tag=tag)
    assert left_behind(store) == []


def test_what_is_not_committed_is_forgotten(store: BlobStore) -> None:
    with store.stage(KEY) as staged:
        staged.write(b"never")
    staged.abort()
    broken = store.stage(KEY)
    broken.write(b"never")
    with pytest.raises(RuntimeError), broken:
        raise RuntimeError
    assert not store.exists(KEY)
    assert left_behind(store) == []


def test_a_second_commit_is_refused(store: BlobStore) -> None:
    with store.stage(KEY) as staged:
        staged.commit()
        with pytest.raises(StoreError):
            staged.commit()
    assert store.read(KEY, 0) == b""


def test_a_taken_key_is_replaced_only_on_demand(store: BlobStore) -> None:
    store.put(KEY, b"one")
    with pytest.raises(BlobExists):
        store.put(KEY, b"two")
    assert store.read(KEY, 10) == b"one"
    store.put(KEY, b"three", replace=True)
    assert store.read(KEY, 10) == b"three"
    assert left_behind(store) == []


def test_one_of_many_writers_wins(store: BlobStore) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            store.put(KEY, bytes([number]) * 1000)
        except BlobExists:
            outcomes.append("refused")
        else:
            outcomes.append("won")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["won"]
    assert len(set(store.read(KEY, 1000))) == 1
    assert left_behind(store) == []


def test_a_handle_outlives_replacement_and_deletion(store: BlobStore) -> None:
    store.put(KEY, b"old content")
    with store.open(KEY) as handle:
        store.put(KEY, b"new", replace=True)
        store.delete(KEY)
        buffer = bytearray(11)
        assert handle.pread_into(memoryview(buffer), 0) == 11
        assert buffer == b"old content"
        assert handle.size == 11


def test_any_range_is_read(store: BlobStore) -> None:
    data = bytes(range(256)) * 8
    store.put(KEY, data)
    with store.open(KEY) as handle:
        for offset, length in [(0, 1), (0, 2048), (5, 1000), (2040, 8), (2040, 100), (2048, 4)]:
            buffer = bytearray(length)
            count = handle.pread_into(memoryview(buffer), offset)
            assert bytes(buffer[:count]) == data[offset : offset + length]


def test_the_identity_changes_with_the_content(store: BlobStore) -> None:
    seen = set()
    for content in (b"a", b"bb", b"cc"):
        store.put(KEY, content, replace=True)
        with store.open(KEY) as first, store.open(KEY) as second:
            assert first.identity == second.identity
            seen.add(first.identity)
    assert len(seen) == 3


def test_a_handle_may_be_closed_twice(store: BlobStore) -> None:
    store.put(KEY, b"x")
    handle = store.open(KEY)
    handle.close()
    handle.close()
    with pytest.raises(StoreError):
        handle.pread_into(memoryview(bytearray(1)), 0)


def test_a_missing_blob(store: BlobStore) -> None:
    with pytest.raises(BlobNotFound):
        store.open(KEY)
    with pytest.raises(BlobNotFound):
        store.read(KEY, 10)
    assert not store.exists(KEY)
    assert store.delete(KEY) is False


def test_a_blob_that_is_too_large_is_not_read(store: BlobStore) -> None:
    store.put(KEY, b"12345")
    assert store.read(KEY, 5) == b"12345"
    with pytest.raises(StoreError):
        store.read(KEY, 4)


@pytest.mark.parametrize("durable", [True, False])
def test_deletion(store: BlobStore, durable: bool) -> None:
    store.put(KEY, b"x")
    store.put(OTHER, b"y")
    assert store.delete(KEY, durable=durable) is True
    assert not store.exists(KEY)
    assert store.delete(KEY, durable=durable) is False
    assert store.exists(OTHER)


def test_keys_by_prefix(store: BlobStore) -> None:
    for key in (KEY, OTHER, FAR, "parts/x/0.part", ".darkroom-store"):
        store.put(key, b"x")
    assert sorted(store.keys("")) == sorted([KEY, OTHER, FAR, "parts/x/0.part"])
    assert sorted(store.keys("dam/")) == sorted([KEY, OTHER, FAR])
    assert sorted(store.keys("dam/c-abc/3f/")) == sorted([KEY, OTHER])
    assert list(store.keys("dam/c-abc/3f/image_2")) == [OTHER]
    assert list(store.keys("dam/c-abc/4")) == [FAR]
    assert list(store.keys("dam/nothing/")) == []
    assert list(store.keys("x")) == []


def test_keys_of_a_folder_come_together(store: BlobStore) -> None:
    keys = [f"dam/c-{n % 3}/{n % 5:02x}/x{n}.enc" for n in range(30)]
    for key in keys:
        store.put(key, b"", durable=False)
    folders = [key.rpartition("/")[0] for key in store.keys("")]
    changes = sum(a != b for a, b in pairwise(folders))
    assert changes + 1 == len(set(folders))


@pytest.mark.parametrize("key", IMPOSSIBLE)
def test_impossible_keys_are_refused(store: BlobStore, key: str) -> None:
    for call in (
        lambda: store.open(key),
        lambda: store.stage(key),
        lambda: store.put(key, b"x"),
        lambda: store.read(key, 10),
        lambda: store.delete(key),
        lambda: store.exists(key),
        lambda: store.lock(key),
    ):
        with pytest.raises(BlobNotFound) as refusal:
            call()
        assert key.strip("./") == "" or key not in refusal.value.message


@pytest.mark.parametrize("prefix", ["/", "/dam/", "dam/../", "../x", "dam//", ".git/", "a\0"])
def test_impossible_prefixes_are_refused(store: BlobStore, prefix: str) -> None:
    with pytest.raises(BlobNotFound):
        list(store.keys(prefix))


def test_nobody_writes_under_the_name_of_a_temporary_file(store: BlobStore) -> None:
    with pytest.raises(BlobNotFound):
        store.put("dam/.tmp-00112233445566778899aabbccddeeff", b"x")


def test_a_lock_keeps_others_out(store: BlobStore) -> None:
    with store.lock(KEY), pytest.raises(StoreUnavailable), store.lock(KEY):
        pass
    with store.lock(KEY):
        pass


def test_a_lock_is_released_by_an_error(store: BlobStore) -> None:
    with pytest.raises(RuntimeError), store.lock(KEY):
        raise RuntimeError
    with store.lock(KEY):
        pass


def test_locked_increments_are_not_lost(store: BlobStore) -> None:
    store.put(KEY, b"0")

    def increment() -> None:
        for _ in range(5):
            with store.lock(KEY):
                number = int(store.read(KEY, 10))
                store.put(KEY, b"%d" % (number + 1), replace=True, durable=False)

    threads = [threading.Thread(target=increment) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read(KEY, 10) == b"15"


def test_a_healthy_store_passes_its_check(store: BlobStore) -> None:
    store.check()
    free = store.free_bytes()
    assert free is None or free > 0


def test_every_error_is_of_the_tree(store: BlobStore) -> None:
    with pytest.raises(DarkroomError) as refusal:
        store.open(KEY)
    assert refusal.value.operation
    assert refusal.value.__cause__ is None
