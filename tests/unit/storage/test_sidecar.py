"""Sidecars: canonical bytes, the AAD rule, and what is noticed when somebody touches them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, MemorySource, SealedFacts, seal_bytes
from app.errors import DecryptionFailed, SidecarInvalid
from app.storage import canonical, sidecar
from app.storage.encrypted_store import EncryptedStore
from app.storage.sidecar import PrivateFacts, PublicFacts, Sidecar, SidecarEntry, WrappedDek
from tests.unit.storage.pictures import SECRET_NAME, Picture

IMAGE = UUID("00112233-4455-4677-8899-aabbccddeeff")
DEK = SecretKey(bytes(range(32)))
FACTS = Picture(b"content").private


def sealed(plain: bytes = b"x" * 5000, generation: int = 1) -> SealedFacts:
    context = BlobContext(
        file_id=IMAGE,
        role=Role.ORIGINAL,
        generation=generation,
        key_version_id=bytes([0xA0 + generation]) * 16,
    )
    return seal_bytes(plain, DEK, context)[1]


BLOB = sealed()
NEXT = sealed(generation=2)
ONE = Sidecar(IMAGE, PublicFacts("image", "image/jpeg"), ()).with_entry(
    SidecarEntry.of_blob(BLOB), FACTS, DEK, BLOB.header
)
TWO = ONE.with_entry(SidecarEntry.of_blob(NEXT), FACTS, DEK, NEXT.header)


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


def test_another_blob_has_no_entry() -> None:
    with pytest.raises(SidecarInvalid):
        ONE.entry_of(NEXT.header)


def test_an_entry_opens_only_for_its_own_blob_and_key() -> None:
    with pytest.raises(DecryptionFailed):
        TWO.open_private(TWO.entries[0], DEK, NEXT.header)
    with pytest.raises(DecryptionFailed):
        ONE.open_private(ONE.entries[0], SecretKey(bytes(32)), BLOB.header)


def touched(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda named: named.update(changes)


def touched_entry(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda named: named["entries"][0].update(changes)


OTHER_TAG = base64.b64encode(bytes(32)).decode()
SHORT_TAG = base64.b64encode(bytes(15)).decode()


@pytest.mark.parametrize(
    "touch",
    [
        touched(file_type="video"),
        touched(mime_type="image/png"),
        touched_entry(generation=2),
        touched_entry(content_rev=1),
        touched_entry(key_version="ab" * 16),
        touched_entry(chunk_size=12288),
        touched_entry(enc_size=128 + 5001 + 16, plain_size=5001),
        touched_entry(header_tag=OTHER_TAG),
        touched_entry(final_tag=base64.b64encode(bytes(16)).decode()),
        touched_entry(private=base64.b64encode(bytes(300)).decode()),
        touched_entry(private=""),
    ],
)
def test_a_plausible_change_of_any_field_is_noticed_on_opening(
    touch: Callable[[dict[str, Any]], None],
) -> None:
    named = json.loads(ONE.encode())
    touch(named)
    read = sidecar.parse(canonical.encode(named))
    assert read != ONE
    with pytest.raises((DecryptionFailed, SidecarInvalid)):
        read.open_private(read.entry_of(BLOB.header), DEK, BLOB.header)


def test_the_sidecar_of_one_image_says_nothing_of_another() -> None:
    other = UUID(int=5)
    named = json.loads(ONE.encode()) | {"file_id": str(other), "key_reference": f"file-{other}"}
    read = sidecar.parse(canonical.encode(named))
    with pytest.raises(DecryptionFailed):
        read.open_private(read.entries[0], DEK, BLOB.header)


@pytest.mark.parametrize(
    "touch",
    [
        touched(v=2),
        touched(v=True),
        touched(v="1"),
        touched(role="thumbnail"),
        touched(file_id=str(IMAGE).upper()),
        touched(file_id=IMAGE.hex),
        touched(file_id=None),
        touched(key_reference="file-" + str(UUID(int=5))),
        touched(file_type="text"),
        touched(mime_type="text/html"),
        touched(mime_type="image/jpeg\n"),
        touched(mime_type="image/" + "x" * 70),
        touched(mode="none"),
        touched(mode="envelope"),
        touched(extra=1),
        touched(entries=[]),
        touched(entries={}),
        touched(entries=[None]),
        lambda named: named["entries"].append(named["entries"][0]),
        lambda named: named["entries"].extend(json.loads(TWO.encode())["entries"]),
        lambda named: named.pop("mime_type"),
        lambda named: named["entries"][0].pop("private"),
        touched_entry(extra=None),
        touched_entry(generation=0),
        touched_entry(generation=-1),
        touched_entry(generation=True),
        touched_entry(generation="1"),
        touched_entry(generation=2**32),
        touched_entry(content_rev=2**32),
        touched_entry(key_version="AB" * 16),
        touched_entry(key_version="ab" * 15),
        touched_entry(chunk_size=0),
        touched_entry(chunk_size=2**27),
        touched_entry(enc_size=5143),
        touched_entry(plain_size=4999),
        touched_entry(plain_size=2**60, enc_size=2**60),
        touched_entry(header_tag=SHORT_TAG),
        touched_entry(header_tag=OTHER_TAG[:-2] + "B="),
        touched_entry(header_tag=OTHER_TAG.rstrip("=")),
        touched_entry(header_tag=" " + OTHER_TAG),
        touched_entry(header_tag=None),
        touched_entry(final_tag=OTHER_TAG),
        touched_entry(wrapped_dek=""),
        touched_entry(wrapped_dek={"kek": "kek-3f", "version": "1", "ct": ""}),
        touched_entry(private=7),
        touched_entry(private="*"),
    ],
)
def test_impossible_fields_are_refused(touch: Callable[[dict[str, Any]], None]) -> None:
    named = json.loads(ONE.encode())
    touch(named)
    with pytest.raises(SidecarInvalid):
        sidecar.parse(canonical.encode(named))


def open_facts_of(raw: bytes) -> PrivateFacts:
    read = sidecar.parse(raw)
    return read.open_private(read.entry_of(BLOB.header), DEK, BLOB.header)


def test_every_flipped_bit_is_noticed() -> None:
    raw = ONE.encode()
    for place in range(len(raw)):
        for bit in range(8):
            damaged = bytearray(raw)
            damaged[place] ^= 1 << bit
            with pytest.raises((SidecarInvalid, DecryptionFailed)):
                open_facts_of(bytes(damaged))


def test_every_cut_is_refused() -> None:
    raw = ONE.encode()
    for length in range(len(raw)):
        with pytest.raises(SidecarInvalid):
            sidecar.parse(raw[:length])


@given(st.binary(max_size=200))
def test_noise_is_refused(raw: bytes) -> None:
    with pytest.raises(SidecarInvalid):
        sidecar.parse(raw)


def test_deep_and_long_input_is_refused() -> None:
    for raw in (b"[" * 8192, b"[" * 9000, b'"' + b"x" * 8191 + b'"', b"9" * 8192):
        with pytest.raises(SidecarInvalid):
            sidecar.parse(raw)


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


def test_two_blobs_never_share_a_key() -> None:
    blob, facts = seal_bytes(b"x", DEK, BLOB.header.context)
    reader = BlobReader(
        MemorySource(blob), facts.header, DEK, file_id=IMAGE, role=Role.ORIGINAL
    )
    assert reader.read_all() == b"x"
    with pytest.raises(DecryptionFailed):
        ONE.open_private(ONE.entries[0], DEK, facts.header)
