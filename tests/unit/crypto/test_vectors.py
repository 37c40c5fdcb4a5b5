"""The frozen vectors: what must open opens, what must not is refused, by two readers."""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.crypto.aead import ColumnCipher, open_private
from app.crypto.blind_index import blind_index, dedupe_index
from app.crypto.context import Role
from app.crypto.envelope import unwrap_key, wrap_key
from app.crypto.kdf import MasterKey, blob_subkey
from app.crypto.keys import SecretKey, parse_master_key
from app.crypto.mac import blob_etag
from app.crypto.stream import BlobReader, MemorySource, open_bytes, read_header
from app.errors import DecryptionFailed
from tests.vectors.independent_reader import Refused, open_blob

FOLDER = Path(__file__).parents[2] / "vectors"
BLOBS = json.loads((FOLDER / "blobs.json").read_text())["vectors"]
VALUES = json.loads((FOLDER / "values.json").read_text())
BY_NAME = {vector["name"]: vector for vector in BLOBS}

Vector = dict[str, Any]


def assemble(vector: Vector) -> bytes:
    """The blob of a vector, out of hex and pieces of other vectors."""
    blob = b""
    for piece in vector["blob"]:
        if isinstance(piece, str):
            blob += bytes.fromhex(piece)
        else:
            name, start, stop = piece
            blob += assemble(BY_NAME[name])[start:stop]
    assert hashlib.sha256(blob).hexdigest() == vector["sha256"]
    return blob


def plaintext(vector: Vector) -> bytes:
    return b"".join(bytes.fromhex(piece) * count for piece, count in vector["plain"])


def verdict(name: str, pool: list[Vector]) -> list[Any]:
    return [pytest.param(one, id=one["name"]) for one in pool if one["verdict"] == name]


@pytest.mark.parametrize("vector", verdict("accept", BLOBS))
def test_an_accepted_blob_opens_in_both_readers(vector: Vector) -> None:
    blob, dek, file_id = assemble(vector), bytes.fromhex(vector["dek"]), UUID(vector["file_id"])
    role, variant = Role(vector["role"]), vector["variant"]
    wanted = plaintext(vector)
    opened = open_bytes(blob, SecretKey(dek), file_id=file_id, role=role, variant=variant)
    assert opened == wanted
    assert open_blob(blob, dek, file_id, role, variant) == wanted


@pytest.mark.parametrize("vector", verdict("reject", BLOBS))
def test_a_rejected_blob_opens_in_neither_reader(vector: Vector) -> None:
    blob, dek, file_id = assemble(vector), bytes.fromhex(vector["dek"]), UUID(vector["file_id"])
    role, variant = vector["role"], vector["variant"]
    with pytest.raises(DecryptionFailed) as caught:
        open_bytes(blob, SecretKey(dek), file_id=file_id, role=role, variant=variant)
    assert str(caught.value) == "Decryption failed - invalid key or corrupted data"
    assert caught.value.details == {}
    with pytest.raises(Refused):
        open_blob(blob, dek, file_id, role, variant)


@pytest.mark.parametrize("vector", verdict("reject", BLOBS))
def test_a_rejected_blob_fails_verification_and_as_a_file(vector: Vector) -> None:
    source = MemorySource(assemble(vector))
    key, file_id = SecretKey(bytes.fromhex(vector["dek"])), UUID(vector["file_id"])

    def reader() -> BlobReader:
        return BlobReader(
            source,
            read_header(source),
            key,
            file_id=file_id,
            role=vector["role"],
            variant=vector["variant"],
        )

    with pytest.raises(DecryptionFailed):
        reader().verify()
    with pytest.raises(DecryptionFailed):
        reader().as_file().read()


def test_the_vectors_have_both_verdicts_and_a_reason_for_each_refusal() -> None:
    assert len(verdict("accept", BLOBS)) >= 12
    assert len(verdict("reject", BLOBS)) >= 50
    assert all(vector.get("why") for vector in BLOBS if vector["verdict"] == "reject")
    assert len(BY_NAME) == len(BLOBS)


def test_the_independent_reader_shares_no_code_and_runs_alone(tmp_path: Path) -> None:
    script = FOLDER / "independent_reader.py"
    assert "app" not in {
        line.split()[1].split(".")[0]
        for line in script.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }
    blob = tmp_path / "sealed"
    blob.write_bytes(assemble(BY_NAME["two chunks"]))
    vector = BY_NAME["two chunks"]
    arguments = [str(blob), vector["dek"], vector["file_id"], "2", "320"]
    done = subprocess.run(
        [sys.executable, "-I", str(script), *arguments], capture_output=True, check=True
    )
    assert done.stdout == bytes(4096) + b"tail"


def test_the_master_key() -> None:
    known = VALUES["master"]
    master = MasterKey(parse_master_key(known["key"]))
    assert master.vaultwrap.reveal().hex() == known["vaultwrap"]
    assert master.check.reveal().hex() == known["check"]
    assert master.backup.reveal().hex() == known["backup"]
    assert master.id == known["id"]


@pytest.mark.parametrize("vector", verdict("accept", VALUES["wraps"]))
def test_an_accepted_wrap(vector: Vector) -> None:
    wrapping, key = parse_master_key(vector["wrapping"]), parse_master_key(vector["key"])
    assert wrap_key(wrapping, key).hex() == vector["wrapped"]
    assert unwrap_key(wrapping, bytes.fromhex(vector["wrapped"])) == key


@pytest.mark.parametrize("vector", verdict("reject", VALUES["wraps"]))
def test_a_rejected_wrap(vector: Vector) -> None:
    with pytest.raises(DecryptionFailed):
        unwrap_key(parse_master_key(vector["wrapping"]), bytes.fromhex(vector["wrapped"]))


def columns() -> ColumnCipher:
    known = VALUES["columns"]
    version = bytes.fromhex(known["version"])
    return ColumnCipher({version: parse_master_key(known["key"])}, version)


@pytest.mark.parametrize("vector", verdict("accept", VALUES["columns"]["tokens"]))
def test_an_accepted_token(vector: Vector) -> None:
    opened = columns().open(vector["context"], bytes.fromhex(vector["token"]))
    assert opened == (vector["codec"], bytes.fromhex(vector["payload"]))


@pytest.mark.parametrize("vector", verdict("reject", VALUES["columns"]["tokens"]))
def test_a_rejected_token(vector: Vector) -> None:
    with pytest.raises(DecryptionFailed):
        columns().open(vector["context"], bytes.fromhex(vector["token"]))


def test_the_private_part_of_a_sidecar() -> None:
    known = VALUES["sidecar_private"]
    key = blob_subkey(
        SecretKey(bytes.fromhex(known["dek"])),
        bytes.fromhex(known["salt"]),
        "sidecar",
        bytes.fromhex(known["scope"]),
        UUID(known["file_id"]),
    )
    assert key.reveal().hex() == known["sidecar_key"]
    opened = open_private(key, bytes.fromhex(known["sealed"]), known["aad"].encode())
    assert opened.decode() == known["plain"]


def test_a_whole_sidecar() -> None:
    """By the page alone: the AAD is the sidecar with one entry without its sealed parts."""
    known = VALUES["sidecar"]
    vector = BY_NAME[known["blob"]]
    blob = assemble(vector)
    sidecar = json.loads(known["raw"])

    def canonical(value: object) -> str:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))

    assert canonical(sidecar) == known["raw"]
    [entry] = sidecar["entries"]
    private = base64.b64decode(entry.pop("private"))
    assert entry.pop("wrapped_dek") is None
    assert canonical(sidecar) == known["aad"]
    dek, file_id = SecretKey(bytes.fromhex(vector["dek"])), UUID(vector["file_id"])
    key = blob_subkey(dek, blob[60:88], "sidecar", blob[8:12], file_id)
    opened = open_private(key, private, known["aad"].encode())
    assert opened.rstrip(b" ").decode() == known["private"]
    assert base64.b64decode(entry["header_tag"]) == blob[96:128]
    assert base64.b64decode(entry["final_tag"]) == blob[-16:]
    assert entry["enc_size"] == len(blob)


def test_the_macs() -> None:
    known = VALUES["macs"]
    key = parse_master_key(known["key"])
    etag, dedupe, blind = known["etag"], known["dedupe"], known["blind_index"]
    role, variant, revision = Role(etag["role"]), etag["variant"], etag["content_rev"]
    assert blob_etag(key, UUID(etag["file_id"]), role, variant, revision).hex() == etag["mac"]
    digest = bytes.fromhex(dedupe["sha256"])
    assert dedupe_index(key, UUID(dedupe["collection_id"]), digest).hex() == dedupe["mac"]
    assert blind_index(key, *map(str.encode, blind["parts"])).hex() == blind["mac"]
