"""Sealing and opening in memory through the whole format, against the bare cipher.

Both sides cut the same chunks and use their buffers again. An opened chunk is a new object
on both sides: a buffer that is used again would hold unverified plaintext.
"""

from __future__ import annotations

import os
import time
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto.context import BlobContext, Role
from app.crypto.keys import generate_key
from app.crypto.stream import (
    BlobReader,
    BlobWriter,
    ChunkPolicy,
    MemorySource,
    read_header,
    seal_bytes,
)
from tests.benchmarks._measure import Row, Work, compare, report

MIB = 1 << 20
POLICY = ChunkPolicy()
NONCE, HEADER = bytes(12), bytes(128)
ROUNDS = 15


class Forgets:
    """A sink that takes everything and keeps nothing."""

    def write(self, data: memoryview | bytes) -> int:
        return len(data)


class Sealed:
    """Our way: writer and reader."""

    def __init__(self, plain: bytes) -> None:
        self.plain, self.key = plain, generate_key()
        self.about = BlobContext(
            file_id=uuid4(), role=Role.ORIGINAL, key_version_id=os.urandom(16)
        )
        self.source = MemorySource(seal_bytes(plain, self.key, self.about, POLICY)[0])

    def seal(self) -> None:
        writer = BlobWriter(Forgets(), self.key, self.about, POLICY, len(self.plain))
        writer.write(self.plain)
        writer.finish()

    def open(self) -> None:
        header = read_header(self.source)
        reader = BlobReader(
            self.source, header, self.key, file_id=self.about.file_id, role=self.about.role
        )
        for _ in reader.chunks():
            pass


class Bare:
    """The cipher alone, over the same chunks."""

    def __init__(self, plain: bytes) -> None:
        size = len(plain)
        chunk = size if size <= POLICY.single_chunk_limit else POLICY.stream_chunk
        self.cipher, view = AESGCM(os.urandom(32)), memoryview(plain)
        self.out = memoryview(bytearray(chunk + 16))
        self.cuts = [view[at : at + chunk] for at in range(0, size, chunk)]
        self.sealed = [self.cipher.encrypt(NONCE, cut, HEADER) for cut in self.cuts]

    def seal(self) -> None:
        for cut in self.cuts:
            self.cipher.encrypt_into(NONCE, cut, HEADER, self.out[: len(cut) + 16])

    def open(self) -> None:
        for piece in self.sealed:
            self.cipher.decrypt(NONCE, piece, HEADER)


def repeated(work: Work, times: int) -> Work:
    def many() -> None:
        for _ in range(times):
            work()

    return many


def rows(size: int, times: int) -> list[Row]:
    """Of ``size`` bytes, ``times`` in a row so that one round takes milliseconds."""
    plain = os.urandom(size)
    ours, bare = Sealed(plain), Bare(plain)
    label = f"{size // MIB} MiB" if size >= MIB else f"{size // 1024} KiB"

    def row(work: str, baseline: str, mine: Work, other: Work) -> Row:
        return compare(
            f"{work} {label} in memory", baseline, repeated(mine, times),
            repeated(other, times), goal=0.8, higher_is_better=True, rounds=ROUNDS,
            amount=times * size / MIB, unit="MiB/s", clock=time.process_time,
        )  # fmt: skip

    return [
        row("seal", "AESGCM.encrypt_into, same chunks", ours.seal, bare.seal),
        row("open", "AESGCM.decrypt, same chunks", ours.open, bare.open),
    ]


def main() -> None:
    report(rows(200 * 1024, 50) + rows(4 * MIB, 4) + rows(64 * MIB, 1))


if __name__ == "__main__":
    main()
