"""HKDF against RFC 5869 and the library; the purposes of the master key."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.kdf import MasterKey, blob_subkey, hkdf, hkdf_expand, hkdf_extract
from app.crypto.keys import SecretKey

# RFC 5869, A.1 to A.3: ikm, salt, info, PRK, OKM.
RFC_5869 = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    (
        "0b" * 22,
        "",
        "",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("ikm", "salt", "info", "prk", "okm"), RFC_5869)
def test_the_vectors_of_the_rfc(ikm: str, salt: str, info: str, prk: str, okm: str) -> None:
    made = hkdf_extract(bytes.fromhex(salt), bytes.fromhex(ikm))
    wanted = bytes.fromhex(okm)
    assert made.hex() == prk
    assert hkdf_expand(made, bytes.fromhex(info), len(wanted)) == wanted


@given(st.binary(), st.binary(), st.binary(), st.integers(1, 200))
def test_it_is_the_librarys_hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> None:
    theirs = HKDF(SHA256(), length, salt, info).derive(ikm)
    assert hkdf(ikm, salt=salt, info=info, length=length) == theirs


@pytest.mark.parametrize("length", [-1, 0, 255 * 32 + 1])
def test_an_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="8160"):
        hkdf_expand(bytes(32), b"", length)


def test_the_purposes_of_the_master_key() -> None:
    raw = bytes(range(32))
    master = MasterKey(SecretKey(raw))

    def purpose(name: str) -> bytes:
        info = f"darkroom/master/{name}/v1".encode()
        return HKDF(SHA256(), 32, None, info).derive(raw)

    assert master.vaultwrap.reveal() == purpose("vaultwrap")
    assert master.check.reveal() == purpose("check")
    assert master.backup.reveal() == purpose("backup")
    assert master.id == purpose("check").hex()[:8]
    assert set(MasterKey.__slots__) == {"vaultwrap", "check", "backup", "id"}


def test_a_master_key_shows_only_its_id() -> None:
    master = MasterKey(SecretKey(bytes(32)))
    assert repr(master) == f"<MasterKey {master.id}>"


@pytest.mark.parametrize("label", ["header", "content", "sidecar"])
def test_a_blobs_subkey_is_the_formula_of_the_format(label: str) -> None:
    dek, salt, scope = bytes(range(32)), b"\x55" * 28, b"\x01\x01\x02\x00"
    file_id = UUID("00112233-4455-6677-8899-aabbccddeeff")
    info = b"darkroom/v1/" + label.encode() + b"\x00" + scope + file_id.bytes
    wanted = HKDF(SHA256(), 32, salt, info).derive(dek)
    assert blob_subkey(SecretKey(dek), salt, label, scope, file_id).reveal() == wanted
