"""A new master key over 10,000 keys of the local vault, against the same small files replaced
one after another: written beside, synced, renamed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from app.crypto.kdf import MasterKey
from app.crypto.keys import generate_key
from app.db.times import utc_now
from app.services.keys import KeyVaulting
from app.vault.interface import VaultEntry
from app.vault.key_file import KeyFile, encode_key_file
from app.vault.local import LocalVault
from tests.benchmarks._measure import Row, compare, report

COUNT = 10_000


def filled(path: Path, master: MasterKey) -> LocalVault:
    """A vault with so many keys, written without the syncs of an upload."""
    vault = LocalVault(path, grace=timedelta(hours=24), clock=utc_now)
    vault.prepare()
    vaulting, now = KeyVaulting(vault, [master]), utc_now()
    content_type = f"application/x-darkroom-dek;v=1;m={master.id}"
    for _ in range(COUNT):
        reference, version = f"file-{uuid4()}", os.urandom(16).hex()
        entry = VaultEntry(vaulting.wrap(generate_key()), content_type, True, now)
        raw = encode_key_file(KeyFile(reference, version, {version: entry}))
        folder = path / _folder(reference)
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / f"{reference}.json"
        file.write_bytes(raw)
        file.chmod(0o600)
    return vault


def _folder(reference: str) -> str:
    return hashlib.sha256(reference.encode()).hexdigest()[:2]


def replacing(path: Path) -> None:
    for file in path.rglob("*.json"):
        temporary = file.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, file.read_bytes())
        os.fsync(descriptor)
        os.close(descriptor)
        os.replace(temporary, file)


def measure(folder: Path) -> list[Row]:
    masters = [MasterKey(generate_key())]
    vault = filled(folder / "vault", masters[0])
    filled(folder / "files", masters[0])

    def rewrap() -> None:
        masters.insert(0, MasterKey(generate_key()))
        vaulting = KeyVaulting(vault, masters)
        told = vault.rewrite(lambda _, entry: vaulting.rewrapped(entry))
        assert sum(one.changed for one in told) == COUNT

    return [
        compare(
            "new master key over 10,000 keys",
            "the same files replaced",
            rewrap,
            lambda: replacing(folder / "files"),
            goal=1.5,
            rounds=3,
        )
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        report(measure(Path(name)))


if __name__ == "__main__":
    main()
