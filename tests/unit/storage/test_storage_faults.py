"""Fail and kill at every system call of what the store does.

Afterwards a blob is absent or complete, nothing is readable, what was there before is still
there, and ``reconcile`` names whatever was left behind.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from app.crypto.context import Role
from app.errors import StoreError, StoreFull, StoreUnavailable
from tests.fixtures.kills import Kills
from tests.unit.storage import os_faults
from tests.unit.storage.pictures import MARKED
from tests.unit.storage.scenes import Scene, scenes, seal

FAULTS = [
    pytest.param(errno.EIO, False, StoreUnavailable, id="one-EIO"),
    pytest.param(errno.EIO, True, StoreUnavailable, id="EIO-from-then-on"),
    pytest.param(errno.ENOSPC, False, StoreFull, id="one-ENOSPC"),
    pytest.param(errno.ENOSPC, True, StoreFull, id="ENOSPC-from-then-on"),
]


@pytest.mark.parametrize(("number", "onwards", "kind"), FAULTS)
def test_an_upload_that_fails_leaves_nothing_acknowledged(
    tmp_path: Path, number: int, onwards: bool, kind: type[StoreError]
) -> None:
    failed = 0
    for at, scene in scenes(tmp_path, seal):
        fault = os_faults.failing(at, number, onwards=onwards)
        try:
            with os_faults.watched(fault):
                seal(scene)
        except kind:
            failed += 1
            if not onwards:  # the disk works again: everything was taken back
                assert scene.left() == set()
        else:
            assert scene.whole(scene.arriving)
            assert scene.store.read_sidecar(scene.arriving.path).entries
        scene.check_nothing_is_readable()
        scene.whole(scene.arriving)
        assert scene.whole(scene.resident)
        complete = {scene.arriving.path.sidecar} if scene.whole(scene.arriving) else set()
        assert scene.left() - complete == scene.reported(scene.resident)
    assert failed > 10


def test_an_upload_that_is_killed_leaves_what_reconcile_finds(tmp_path: Path) -> None:
    outcomes = set()
    killed = Kills(os_faults.killed_at)
    for at, scene in scenes(tmp_path, seal):
        if not killed(at, partial(seal, scene)):
            continue
        scene.check_nothing_is_readable()
        whole = scene.whole(scene.arriving)
        with_sidecar = scene.disk.exists(scene.arriving.path.sidecar)
        assert whole or not with_sidecar
        if with_sidecar:
            assert scene.store.read_sidecar(scene.arriving.path).file_id
        complete = {scene.arriving.path.sidecar} if with_sidecar else set()
        assert scene.left() - complete == scene.reported(scene.resident)
        assert scene.whole(scene.resident)
        outcomes.add((whole, with_sidecar))
    assert outcomes == {(False, False), (True, False), (True, True)}


def replace(scene: Scene) -> None:
    with scene.disk.stage(scene.resident.path.record) as staged:
        staged.write(b"new " * 100)
        staged.commit(replace=True)


@pytest.mark.parametrize("kill", [False, True])
def test_a_replacement_shows_the_old_or_the_new(tmp_path: Path, kill: bool) -> None:
    seen = set()
    for at, scene in scenes(tmp_path, replace):
        scene.disk.put(scene.resident.path.record, b"old")
        if kill:
            os_faults.killed_at(at, partial(replace, scene))
        else:
            with (
                suppress(StoreUnavailable),
                os_faults.watched(os_faults.failing(at, errno.EIO, onwards=True)),
            ):
                replace(scene)
        data = scene.disk.read(scene.resident.path.record, 1000)
        assert data in (b"old", b"new " * 100)
        seen.add(data)
        left = {temporary.key for temporary in scene.disk.temporaries()}
        assert left == scene.left() - {scene.resident.path.record}
    assert len(seen) == 2


def put_new(scene: Scene) -> None:
    scene.disk.put(scene.arriving.path.original, b"all of it")


@pytest.mark.parametrize(("number", "onwards", "kind"), FAULTS)
def test_a_put_that_fails_is_absent_or_complete(
    tmp_path: Path, number: int, onwards: bool, kind: type[StoreError]
) -> None:
    key = Scene(tmp_path / "first").arriving.path.original
    for at, scene in scenes(tmp_path, put_new):
        key = scene.arriving.path.original
        try:
            with os_faults.watched(os_faults.failing(at, number, onwards=onwards)):
                put_new(scene)
        except kind:
            assert onwards or not scene.disk.exists(key)
        else:
            assert scene.disk.exists(key)
        if scene.disk.exists(key):
            assert scene.disk.read(key, 100) == b"all of it"


def thumbnail(scene: Scene) -> None:
    resident = scene.resident
    scene.store.seal_derivative(
        resident.path,
        resident.image_id,
        resident.dek,
        resident.version,
        Role.THUMBNAIL,
        320,
        MARKED,
    )


@pytest.mark.parametrize("kill", [False, True])
def test_a_derivative_is_absent_or_complete(tmp_path: Path, kill: bool) -> None:
    for at, scene in scenes(tmp_path, thumbnail):
        resident = scene.resident
        if kill:
            os_faults.killed_at(at, partial(thumbnail, scene))
        else:
            with (
                suppress(StoreFull),
                os_faults.watched(os_faults.failing(at, errno.ENOSPC, onwards=False)),
            ):
                thumbnail(scene)
        scene.check_nothing_is_readable()
        key = resident.path.thumbnail(320)
        if scene.disk.exists(key):
            with scene.store.open(
                key, resident.image_id, Role.THUMBNAIL, 320, resident.floor()
            ) as blob:
                assert blob.reader.read_all() == MARKED
        assert scene.left() - {key} == scene.reported(resident)
        assert scene.whole(resident)


def discard(scene: Scene) -> None:
    scene.store.discard(scene.arriving.path)


@pytest.mark.parametrize("kill", [False, True])
def test_a_deletion_can_be_repeated(tmp_path: Path, kill: bool) -> None:
    """The sidecar goes first; what is left has no row and is reported; again finishes it."""

    def prepared(scene: Scene) -> None:
        seal(scene)
        path = scene.arriving.path
        for key in (path.preview, path.thumbnail(320), path.thumbnail(640), path.record):
            scene.disk.put(key, b"sealed", durable=False)

    rehearsal = Scene(tmp_path / "rehearsal")
    prepared(rehearsal)
    calls = os_faults.count(lambda: discard(rehearsal))
    assert rehearsal.left() == set()
    killed = Kills(os_faults.killed_at)
    for at in range(1, calls + 1):
        scene = Scene(tmp_path / f"scene-{at}")
        prepared(scene)
        if kill:
            killed(at, partial(discard, scene))
        else:
            with (
                suppress(StoreUnavailable),
                os_faults.watched(os_faults.failing(at, errno.EIO, onwards=True)),
            ):
                discard(scene)
        sidecar = scene.arriving.path.sidecar
        if sidecar in scene.left():
            assert scene.whole(scene.arriving)
        assert scene.left() - {sidecar} == scene.reported(scene.resident)
        discard(scene)
        assert scene.left() == set()
        assert scene.whole(scene.resident)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE])
def test_reading_from_a_broken_disk_is_unavailable_and_not_damage(
    tmp_path: Path, number: int
) -> None:
    """An I/O error must not quarantine a picture."""

    def read(scene: Scene) -> None:
        assert scene.whole(scene.resident)
        list(scene.disk.keys())

    for at, scene in scenes(tmp_path, read):
        with (
            suppress(StoreUnavailable),
            os_faults.watched(os_faults.failing(at, number, onwards=False)),
        ):
            read(scene)


def test_no_descriptor_is_lost_by_any_failure(tmp_path: Path) -> None:
    for operation in (seal, replace, discard):
        for at, scene in scenes(tmp_path / operation.__name__, operation):
            before = sorted(os.listdir("/proc/self/fd"))
            with (
                suppress(StoreError),
                os_faults.watched(os_faults.failing(at, errno.EIO, onwards=False)),
            ):
                operation(scene)
            assert sorted(os.listdir("/proc/self/fd")) == before
