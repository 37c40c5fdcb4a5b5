"""Sealing one 200 KB picture - key file, blob, sidecar - against the same files in plain."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from app.crypto.kdf import MasterKey
from app.crypto.keys import generate_key
from app.services.keys import FileKeyService, KeyVaulting
from app.storage.encrypted_store import EncryptedStore
from app.storage.local_disk import LocalDisk
from app.storage.object_paths import ObjectPath, new_stored_name
from app.storage.sidecar import PrivateFacts, PublicFacts
from app.vault.cache import KeyCache
from app.vault.local import LocalVault
from tests.benchmarks._measure import compare, report
from tests.benchmarks._site import folder

SIZE = 200 * 1024
# Until nearly all of the 256 folders on either side are there, as in any used installation.
FIRST = 1000


def now() -> datetime:
    return datetime.now(UTC)


def write_durably(path: Path, data: bytes) -> None:
    """What everybody does: temporary file, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(".tmp")
    with temporary.open("wb", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())
    os.replace(temporary, path)
    parent = os.open(path.parent, os.O_RDONLY)
    os.fsync(parent)
    os.close(parent)


def main() -> None:
    with folder() as place:
        vault = LocalVault(place / "vault", grace=timedelta(hours=24), clock=now)
        vault.prepare()
        blobs = LocalDisk(place / "store")
        blobs.create()
        vaulting = KeyVaulting(vault, [MasterKey(generate_key())])
        keys = FileKeyService(vaulting, KeyCache(1000, 3600), now, 30)
        store, content = EncryptedStore(blobs, keys), os.urandom(SIZE)
        secret, sidecar = os.urandom(400), os.urandom(1200)

        def ours() -> None:
            image = uuid4()
            path = ObjectPath("c-benchmark2", image, new_stored_name("image", "jpg", 1))
            new = keys.new(image)
            private = PrivateFacts(
                "a.jpg", uuid4(), uuid4(), now().isoformat(), "0" * 64, "0" * 32
            )
            store.seal_original(
                path, image, new.dek, new.version, io.BytesIO(content), SIZE,
                PublicFacts("image", "image/jpeg"), private,
            )  # fmt: skip

        def theirs() -> None:
            name = uuid4().hex
            write_durably(place / "plain" / name[:2] / f"{name}.json", secret)
            write_durably(place / "files" / name[:2] / f"{name}.jpg", content)
            write_durably(place / "files" / name[:2] / f"{name}.jpg.meta", sidecar)

        for _ in range(FIRST):
            ours()
            theirs()
        row = compare(
            "seal one 200 KB picture: key, blob, sidecar",
            "three plain files, fsync, rename",
            ours,
            theirs,
            goal=1.3,
            rounds=41,
        )
    report([row])


if __name__ == "__main__":
    main()
