"""Backups in a bucket, against a real S3 server."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from app.config_backup import split_bucket
from app.errors import BlobExists, BlobNotFound, StoreUnavailable
from app.jobs.watch import UNWATCHED
from app.storage.s3_archive import Bucket, S3Archive
from tests.fixtures.backups import BackupRoom
from tests.fixtures.seaweed import S3Server
from tests.fixtures.uploads import PictureRoom


@pytest.fixture
def bucket(s3_server: S3Server) -> Bucket:
    return Bucket(
        name=s3_server.bucket,
        prefix=f"tests/{uuid4().hex}",
        region="us-east-1",
        endpoint=s3_server.endpoint,
        access_key_id=s3_server.access_key_id,
        secret_access_key=s3_server.secret_access_key,
    )


def test_a_whole_life(s3_server: S3Server, install, tmp_path: Path) -> None:
    """Made, made again, looked at, pruned, restored; nothing is listed that is not there."""
    target = f"s3://{s3_server.bucket}/life/{uuid4().hex}"
    installation = install(**s3_server.settings, BACKUP_TARGET=target)
    room = BackupRoom(installation, tmp_path / "unused", PictureRoom(installation))
    ids = [room.upload(seed) for seed in range(3)]
    before = room.contents(room.house, ids)
    backups, recovery = installation.services.backups, room.house.recovery
    first = backups.run(UNWATCHED, keep=1)
    ids.append(room.upload(5))
    before = room.contents(room.house, ids)
    second = backups.run(UNWATCHED, keep=1)
    assert (first.reused_files, second.removed_backups) == (0, 1)
    assert second.reused_files > 0
    assert recovery.names(target) == [second.backup]
    drill = recovery.verify(UNWATCHED, target)
    assert (drill.problems, drill.sampled) == ((), 4)
    there = tmp_path / "elsewhere"
    recovery.restore(UNWATCHED, target, to=there)
    house = room.started_at(there)
    try:
        assert room.contents(house, ids) == before
    finally:
        house.close()


def test_blobs_come_whole_or_not_at_all(bucket: Bucket) -> None:
    archive = S3Archive(bucket)
    large = bytes(range(256)) * 80_000  # 20 MB: more than one part of an upload
    with archive.stage("objects/aa/large") as staged:
        staged.write(large[:1000])
        staged.write(large[1000:])
        assert list(archive.keys()) == []
        staged.commit()
    with archive.stage("objects/aa/given-up") as staged:
        staged.write(large)
    archive.put("generations/one/manifest.json", b"{}")
    with pytest.raises(BlobExists):
        archive.put("generations/one/manifest.json", b"other")
    assert sorted(archive.keys()) == ["generations/one/manifest.json", "objects/aa/large"]
    assert list(archive.keys("objects/")) == ["objects/aa/large"]
    with archive.open("objects/aa/large") as handle:
        found = bytearray(5)
        assert handle.size == len(large)
        assert handle.pread_into(memoryview(found), 999) == 5
        assert bytes(found) == large[999:1004]
        assert handle.pread_into(memoryview(found), len(large) - 2) == 2
        assert handle.pread_into(memoryview(found), len(large)) == 0
    assert archive.read("objects/aa/large", len(large)) == large
    with pytest.raises(BlobNotFound):
        archive.open("objects/aa/none")
    archive.delete("objects/aa/large")
    assert list(archive.keys("objects/")) == []
    archive.check()
    assert list(archive.keys("check")) == []


@pytest.mark.parametrize("change", ["secret_access_key", "endpoint"])
def test_a_bucket_that_cannot_be_used(bucket: Bucket, change: str) -> None:
    """The message says what to look at, and neither address nor secret."""
    from dataclasses import replace

    wrong = {
        "secret_access_key": "not-the-secret",
        "endpoint": "http://127.0.0.1:9",
    }
    other = replace(bucket, **{change: wrong[change]})
    with pytest.raises(StoreUnavailable, match="bucket") as refused:
        S3Archive(other).check()
    told = f"{refused.value} {refused.value.__cause__} {refused.value.details}"
    assert not any(value in told for value in (*wrong.values(), bucket.access_key_id))
    assert "not-the-secret" not in repr(other)


@pytest.mark.parametrize("text", ["s3://", "s3://A/b", "ftp://bucket/x", "s3://bu/x", "folder"])
def test_what_is_no_bucket(text: str) -> None:
    with pytest.raises(ValueError, match="must be a folder"):
        split_bucket(text)
