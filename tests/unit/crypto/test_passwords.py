"""Passwords: Argon2id, PHC strings, and strings that are none."""

import re

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from app.crypto.passwords import PasswordCost, hash_password, needs_rehash, verify_password

CHEAP = PasswordCost(memory_kib=64, iterations=1, lanes=1)
# Made by the reference implementation in C: Argon2id of "correct horse" with the salt
# "darkroomdarkroom".
REFERENCE = (
    "$argon2id$v=19$m=256,t=2,p=1$ZGFya3Jvb21kYXJrcm9vbQ"
    "$nhpGpuJHB45R/C9OmN0Llgbhzbh35ypo/HBHl90fpKk"
)


def test_the_right_password_and_no_other() -> None:
    phc = hash_password("correct horse", CHEAP)
    assert verify_password(phc, "correct horse")
    for wrong in ("", "correct horse ", "Correct horse", "correct hors", "battery staple"):
        assert not verify_password(phc, wrong)


def test_the_string_names_algorithm_and_cost() -> None:
    phc = hash_password("x", CHEAP)
    b64 = "[A-Za-z0-9+/]"
    assert re.fullmatch(rf"\$argon2id\$v=19\$m=64,t=1,p=1\${b64}{{22}}\${b64}{{43}}", phc)
    assert "correct" not in phc


def test_the_default_is_the_documented_cost() -> None:
    assert PasswordCost() == PasswordCost(memory_kib=19456, iterations=2, lanes=1)
    assert "$m=19456,t=2,p=1$" in hash_password("x")


def test_every_hash_has_a_salt_of_its_own() -> None:
    assert len({hash_password("x", CHEAP) for _ in range(20)}) == 20


def test_a_hash_made_by_the_reference_implementation_verifies() -> None:
    assert verify_password(REFERENCE, "correct horse")
    assert not verify_password(REFERENCE, "correct house")


def test_a_change_of_cost_asks_for_a_new_hash() -> None:
    phc = hash_password("x", CHEAP)
    assert not needs_rehash(phc, CHEAP)
    assert needs_rehash(phc, PasswordCost(128, 1, 1))
    assert needs_rehash(phc, PasswordCost(64, 2, 1))
    assert needs_rehash(phc, PasswordCost(64, 1, 2))
    assert needs_rehash("not a hash", CHEAP)


GOOD = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "x",
        "$",
        "plain password",
        GOOD.replace("argon2id", "argon2i"),
        GOOD.replace("v=19", "v=16"),
        GOOD.replace("m=64", "m="),
        GOOD.replace("m=64", "m=-64"),
        GOOD.replace("t=1", "t=0"),
        GOOD.replace("p=1", "p=0"),
        GOOD[:-20],
        GOOD + "!",
        GOOD.rsplit("$", 1)[0],
        GOOD.rsplit("$", 1)[0] + "$",
        "scrypt:32768:8:1$salt$" + "a" * 64,
    ],
)
def test_a_string_that_is_no_hash_verifies_nothing(damaged: str) -> None:
    assert not verify_password(damaged, "x")
    assert needs_rehash(damaged, CHEAP) or damaged.startswith(GOOD[:30])


@pytest.mark.parametrize("planted", ["m=4294967295", "m=99999999999999"])
def test_a_planted_cost_does_not_eat_the_memory(planted: str) -> None:
    assert not verify_password(GOOD.replace("m=64", planted), "x")


def test_planted_iterations_do_not_eat_the_time() -> None:
    assert not verify_password(GOOD.replace("t=1", "t=4000000000"), "x")


def test_one_password_is_one_on_every_keyboard() -> None:
    assert verify_password(hash_password("caf\u00e9", CHEAP), "cafe\u0301")


@pytest.mark.parametrize("odd", ["", "\x00", "a\x00b", "\ud800", "\U0001f426" * 50, "x" * 5000])
def test_odd_passwords_work_like_any(odd: str) -> None:
    phc = hash_password(odd, CHEAP)
    assert verify_password(phc, odd)
    assert not verify_password(phc, odd + "x")


def test_the_hash_is_argon2id_of_the_utf_8_password() -> None:
    phc = hash_password("caf\u00e9", CHEAP)
    Argon2id.verify_phc_encoded("caf\u00e9".encode(), phc)
