"""Sidecars: canonical bytes, the AAD rule, the sealed facts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.context import Role
from app.crypto.stream import SealedFacts
from app.errors import SidecarInvalid
from app.storage import sidecar
from app.storage.encrypted_store import EncryptedStore
from app.storage.sidecar import PrivateFacts, PublicFacts, Sidecar, SidecarEntry, WrappedDek
from tests.unit.storage.pictures import SECRET_NAME, Picture
from tests.unit.storage.sidecars import BLOB, DEK, FACTS, IMAGE, NEXT, ONE, TWO


def test_the_bytes_are_those_of_the_format() -> None:
    named = json.loads(ONE.encode())
    (entry,) = named.pop("entries")
    assert named == {
        "v": 1,
        "file_id": str(IMAGE),
        "role": "original",
        "file_type": "image",
        "mime_type": "image/jpeg",
        "key_reference": f"file-{IMAGE}",
        "mode": "direct",
    }
    private = base64.b64decode(entry.pop("private"))
    assert entry == {
        "generation": 1,
        "content_rev": 0,
        "key_version": "a1" * 16,
        "chunk_size": 8192,
        "enc_size": 128 + 5000 + 16,
        "plain_size": 5000,
        "header_tag": base64.b64encode(BLOB.header_tag).decode(),
        "final_tag": base64.b64encode(BLOB.final_tag).decode(),
        "wrapped_dek": None,
    }
    assert (len(private) - 12 - 16) % 256 == 0


def test_the_private_part_opens_by_the_letter_of_the_format() -> None:
    """Without the code under test: HKDF, AAD and JSON written out from the page."""
    named = json.loads(TWO.encode())
    entry = named["entries"][1]
    private = base64.b64decode(entry.pop("private"))
    entry.pop("wrapped_dek")
    named["entries"] = [entry]
    aad = json.dumps(named, sort_keys=True, separators=(",", ":")).encode("ascii")
    prk = hmac.digest(NEXT.header.salt, DEK.reveal(), "sha256")
    info = b"darkroom/v1/sidecar\0" + bytes([1, 1, 1, 0]) + IMAGE.bytes
    key = hmac.digest(prk, info + b"\x01", "sha256")
    plain = AESGCM(key).decrypt(private[:12], private[12:], aad)
    assert len(plain) % 256 == 0
    assert plain.endswith(b" ")
    facts = json.loads(plain)
    assert facts["filename"] == SECRET_NAME
    assert facts["sha256"] == hashlib.sha256(b"content").hexdigest()
    assert facts["provenance"] == "sealed"
    assert set(facts) == {
        "filename",
        "owner_id",
        "collection_id",
        "uploaded_at",
        "taken_at",
        "width",
        "height",
        "duration_ms",
        "sha256",
        "md5",
        "uploaded_from",
        "provenance",
    }


def test_nothing_private_can_be_read() -> None:
    raw = ONE.encode()
    for secret in (SECRET_NAME, str(FACTS.owner_id), FACTS.uploaded_at, FACTS.sha256):
        assert secret.encode() not in raw
        assert base64.b64encode(secret.encode())[2:-4] not in raw
        assert secret not in repr(ONE)
    assert repr(FACTS) == "<PrivateFacts>"


@pytest.mark.parametrize(("original", "blob"), [(ONE, BLOB), (TWO, BLOB), (TWO, NEXT)])
def test_what_was_sealed_is_opened(original: Sidecar, blob: SealedFacts) -> None:
    read = sidecar.parse(original.encode())
    assert read == original
    entry = read.entry_of(blob.header)
    assert entry.generation == blob.header.generation
    assert read.open_private(entry, DEK, blob.header) == FACTS


def test_each_entry_stands_alone() -> None:
    """An entry opens whether the other stands beside it or not."""
    after = replace(TWO, entries=TWO.entries[1:])
    assert after.open_private(after.entries[0], DEK, NEXT.header) == FACTS


def test_envelope_keying() -> None:
    public = PublicFacts("image", "image/png", mode="envelope")
    wrapped = WrappedDek("kek-00", "7c" * 16, bytes(40))
    made = Sidecar(IMAGE, public, ()).with_entry(
        SidecarEntry.of_blob(BLOB, wrapped), FACTS, DEK, BLOB.header
    )
    read = sidecar.parse(made.encode())
    assert read.entries[0].wrapped_dek == wrapped
    rewrapped = replace(read.entries[0], wrapped_dek=replace(wrapped, kek="kek-01"))
    assert read.open_private(rewrapped, DEK, BLOB.header) == FACTS
    with pytest.raises(SidecarInvalid):
        replace(made, entries=ONE.entries).encode()


def test_two_entries_with_the_longest_names_fit() -> None:
    public = PublicFacts("video", "video/" + "x" * 63, mode="envelope")
    facts = replace(
        FACTS,
        filename="\U0001f600" * 255,
        uploaded_from="2001:0db8:0000:0000:0000:ff00:0042:8329",
        provenance="legacy-cbc-unverified",
        duration_ms=10**12,
    )
    made = Sidecar(IMAGE, public, ())
    for blob in (BLOB, NEXT):
        wrapped = WrappedDek("kek-00", "7c" * 16, bytes(512))
        entry = SidecarEntry.of_blob(blob, wrapped)
        made = made.with_entry(entry, facts, DEK, blob.header)
    assert len(made.encode()) <= 8192
    assert made.open_private(made.entries[1], DEK, NEXT.header) == facts


@pytest.mark.parametrize(
    "changes",
    [
        {"filename": "x" * 3000},
        {"filename": "\ud800"},
        {"filename": 5},
        {"owner_id": "nobody"},
        {"sha256": "AB" * 32},
        {"sha256": "ab"},
        {"md5": None},
        {"md5": "ab"},
        {"width": -1},
        {"width": True},
        {"height": "3"},
        {"taken_at": 5},
        {"provenance": "guessed"},
    ],
)
def test_impossible_facts_are_not_sealed(changes: dict[str, Any]) -> None:
    with pytest.raises(SidecarInvalid):
        replace(FACTS, **changes).encode()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)


@given(filename=texts, where=st.none() | texts, width=st.none() | st.integers(0, 10**6))
def test_facts_survive(filename: str, where: str | None, width: int | None) -> None:
    facts = replace(FACTS, filename=filename, uploaded_from=where, width=width)
    assert PrivateFacts.decode(facts.encode() + b"   ") == facts


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 2000])
def test_what_is_no_private_part(raw: bytes) -> None:
    with pytest.raises(SidecarInvalid):
        PrivateFacts.decode(raw)


def test_a_sidecar_is_read_for_its_own_image_only(
    store: EncryptedStore, stored: Picture
) -> None:
    assert store.read_sidecar(stored.path).file_id == stored.image_id
    raw = store.blobs.read(stored.path.sidecar, 8192)
    other = Picture(b"", now_ms=stored.now_ms)
    store.blobs.put(other.path.sidecar, raw)
    with pytest.raises(SidecarInvalid):
        store.read_sidecar(other.path)
    store.blobs.put(stored.path.sidecar, raw + b" " * 8192, replace=True)
    with pytest.raises(SidecarInvalid):
        store.read_sidecar(stored.path)


def test_the_private_part_is_bound_to_what_the_blob_says(
    store: EncryptedStore, stored: Picture
) -> None:
    read = store.read_sidecar(stored.path)
    floor = stored.floor()
    with store.open(stored.path.original, stored.image_id, Role.ORIGINAL, 0, floor) as blob:
        entry = read.entry_of(blob.reader.header)
        assert read.open_private(entry, stored.dek, blob.reader.header) == stored.private
        assert entry.enc_size == blob.handle.size
        assert entry.plain_size == blob.reader.plain_size
