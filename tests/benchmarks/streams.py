"""Sealed files on the disk: a long stream out and back, and one thumbnail; no fsync."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from app.crypto.context import BlobContext, Role
from app.crypto.keys import generate_key
from app.crypto.stream import BlobReader, ChunkPolicy, read_header, seal_bytes, seal_stream
from app.storage.local_disk import LocalDisk
from tests.benchmarks._measure import Row, compare, report
from tests.benchmarks._site import folder as a_folder

MIB = 1 << 20
BLOCK = MIB
POLICY = ChunkPolicy()


def context() -> BlobContext:
    return BlobContext(file_id=uuid4(), role=Role.ORIGINAL, key_version_id=os.urandom(16))


def on_disk(folder: Path) -> list[Row]:
    """256 MiB to disk and back against a plain copy and a plain read; no fsync on either."""
    size = 256 * MIB
    source, copy = folder / "source", folder / "copy"
    with source.open("wb") as file:
        for _ in range(256):
            file.write(os.urandom(MIB))
    key, about = generate_key(), context()
    store = LocalDisk(folder / "store")
    store.create()

    def seal() -> None:
        with (
            source.open("rb", buffering=0) as plain,
            store.stage("dam/x.enc", durable=False) as staged,
        ):
            seal_stream(plain, staged, key, about, POLICY, size=size)
            staged.commit(replace=True)

    def plain_copy() -> None:
        with source.open("rb", buffering=0) as plain, copy.open("wb", buffering=0) as out:
            while block := plain.read(BLOCK):
                out.write(block)

    def open_sealed() -> None:
        with store.open("dam/x.enc") as handle:
            reader = BlobReader(
                handle, read_header(handle), key, file_id=about.file_id, role=about.role
            )
            for _ in reader.chunks():
                pass

    def plain_read() -> None:
        with copy.open("rb", buffering=0) as plain:
            while plain.read(BLOCK):
                pass

    return [
        compare(
            "seal a 256 MiB stream to disk",
            "plain copy, 1 MiB blocks",
            seal,
            plain_copy,
            goal=1.0,
            rounds=5,
        ),
        compare(
            "open the same",
            "plain read, 1 MiB blocks",
            open_sealed,
            plain_read,
            goal=1.1,
            rounds=7,
        ),
    ]


def thumbnail(folder: Path) -> list[Row]:
    """One 20 KB thumbnail with its key at hand, against reading a plain file."""
    key, data = generate_key(), os.urandom(20_000)
    about = BlobContext(
        file_id=uuid4(), role=Role.THUMBNAIL, variant=320, key_version_id=os.urandom(16)
    )
    store = LocalDisk(folder / "thumbs")
    store.create()
    sealed, _ = seal_bytes(data, key, about, POLICY)
    store.put("dam/t.enc", sealed, durable=False)
    plain = folder / "plain"
    plain.write_bytes(data)
    many = 500

    def ours() -> None:
        for _ in range(many):
            with store.open("dam/t.enc") as handle:
                BlobReader(
                    handle,
                    read_header(handle),
                    key,
                    file_id=about.file_id,
                    role=about.role,
                    variant=320,
                ).read_all()

    def theirs() -> None:
        for _ in range(many):
            with plain.open("rb", buffering=0) as file:
                file.read()

    row = compare(
        "open one 20 KB thumbnail, key cached",
        "read a plain file",
        ours,
        theirs,
        goal=99,
        clock=time.process_time,
    )
    mine, other = row.ours * 1000 / many, row.theirs * 1000 / many
    more = mine - other
    return [
        replace(
            row, ours=mine, theirs=other, unit="us", goal=f"<= 25 us more: {more:.1f}",
            met=more <= 25,
        )
    ]  # fmt: skip


def main() -> None:
    with a_folder() as folder:
        rows = on_disk(folder) + thumbnail(folder)
    report(rows)


if __name__ == "__main__":
    main()
