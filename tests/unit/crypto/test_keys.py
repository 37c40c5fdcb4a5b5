"""Keys: the exact messages, and nothing that shows one."""

import copy
import json
import pickle
import traceback

import pytest

from app.crypto.keys import KEY_BYTES, SecretKey, generate_key, parse_master_key
from app.errors import EncryptionError

RAW = bytes(range(32))


def test_a_master_key_is_64_hex_characters_in_either_case() -> None:
    assert parse_master_key(RAW.hex()).reveal() == RAW
    assert parse_master_key(RAW.hex().upper()).reveal() == RAW


def test_space_around_a_master_key_is_ignored() -> None:
    assert parse_master_key(f"  {RAW.hex()}\n").reveal() == RAW


@pytest.mark.parametrize("missing", [None, "", "  \n"])
def test_a_missing_master_key_is_named(missing: str | None) -> None:
    with pytest.raises(EncryptionError) as caught:
        parse_master_key(missing)
    assert str(caught.value) == "ENCRYPTION_KEY not configured"


@pytest.mark.parametrize(
    "wrong",
    [
        "ab" * 31,
        "ab" * 33,
        "ab" * 31 + "a",
        "zz" * 32,
        "ab" * 16 + " " + "ab" * 16,
        "0x" + "ab" * 31,
        "\u0661" * 64,  # a digit, but not a hexadecimal one
        "change-me",
    ],
)
def test_a_malformed_master_key_is_refused_without_being_quoted(wrong: str) -> None:
    with pytest.raises(EncryptionError) as caught:
        parse_master_key(wrong)
    assert str(caught.value) == "Key must be exactly 32 bytes (64 hex characters)"
    assert wrong not in "".join(traceback.format_exception_only(caught.value))
    assert wrong not in json.dumps(caught.value.details)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(EncryptionError, match="exactly 32 bytes"):
        SecretKey(bytes(length))


def test_generated_keys_have_the_length_and_differ() -> None:
    keys = [generate_key() for _ in range(50)]
    assert {len(key.reveal()) for key in keys} == {KEY_BYTES}
    assert len({key.reveal() for key in keys}) == 50


def test_a_key_shows_nothing_of_itself() -> None:
    key = SecretKey(RAW)
    shown = f"{key} {key!r} {key!s} {[key]} {dir(key)}"
    assert repr(key) == "<SecretKey>"
    assert RAW.hex() not in shown
    assert repr(RAW) not in shown
    assert not hasattr(key, "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(SecretKey(RAW), protocol=protocol)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps({"state": [SecretKey(RAW)]}, protocol=protocol)


def test_a_copy_is_the_same_object() -> None:
    key = SecretKey(RAW)
    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0] is key


def test_keys_compare_by_value_and_have_no_hash() -> None:
    assert SecretKey(RAW) == SecretKey(bytearray(RAW))
    assert SecretKey(RAW) != SecretKey(bytes(32))
    assert SecretKey(RAW) != RAW
    with pytest.raises(TypeError, match="unhashable"):
        hash(SecretKey(RAW))


def test_a_key_does_not_follow_the_buffer_it_was_made_from() -> None:
    buffer = bytearray(RAW)
    key = SecretKey(buffer)
    buffer[0] ^= 1
    assert key.reveal() == RAW
