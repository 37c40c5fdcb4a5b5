"""What is noticed when somebody touches a sidecar."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.context import Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, MemorySource, seal_bytes
from app.errors import DecryptionFailed, SidecarInvalid
from app.storage import canonical, sidecar
from app.storage.sidecar import PrivateFacts
from tests.unit.storage.sidecars import BLOB, DEK, IMAGE, NEXT, ONE, TWO


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


def test_an_entry_opens_only_for_its_own_blob_and_key() -> None:
    with pytest.raises(DecryptionFailed):
        TWO.open_private(TWO.entries[0], DEK, NEXT.header)
    with pytest.raises(DecryptionFailed):
        ONE.open_private(ONE.entries[0], SecretKey(bytes(32)), BLOB.header)


def test_another_blob_has_no_entry() -> None:
    with pytest.raises(SidecarInvalid):
        ONE.entry_of(NEXT.header)


def test_two_blobs_never_share_a_key() -> None:
    blob, facts = seal_bytes(b"x", DEK, BLOB.header.context)
    reader = BlobReader(
        MemorySource(blob), facts.header, DEK, file_id=IMAGE, role=Role.ORIGINAL
    )
    assert reader.read_all() == b"x"
    with pytest.raises(DecryptionFailed):
        ONE.open_private(ONE.entries[0], DEK, facts.header)
