from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.limits import (
    Usage,
    after_releasing,
    after_reserving,
    clean_page_size,
    in_words,
)
from app.domain.scopes import ALL, EVERY_SCOPE, SCOPE_TITLES, Scope, grantable, parse_scopes
from app.errors import InvalidInput, QuotaExceeded

BYTES = st.integers(0, 2**62)


@given(BYTES, BYTES, BYTES)
def test_a_reservation_fits_or_changes_nothing(used: int, limit: int, size: int) -> None:
    usage = Usage(used, limit)
    if used + size <= limit or size == 0:
        assert after_reserving(usage, size) == Usage(used + size, limit)
        assert after_releasing(after_reserving(usage, size), size) == usage
    else:
        with pytest.raises(QuotaExceeded):
            after_reserving(usage, size)


def test_no_limit_and_no_negative_use() -> None:
    assert after_reserving(Usage(5, None), 2**62).used == 5 + 2**62
    assert Usage(5, None).left is None
    assert after_releasing(Usage(5, 10), 7) == Usage(0, 10)
    for change in (after_reserving, after_releasing):
        with pytest.raises(ValueError, match="negative"):
            change(Usage(5, 10), -1)


def test_the_refusal_says_how_much_is_left() -> None:
    with pytest.raises(QuotaExceeded, match=r"2\.0 KiB.*1\.0 KiB of your 10\.0 KiB"):
        after_reserving(Usage(9 * 1024, 10 * 1024), 2048)


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (10 << 30, "10.0 GiB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert in_words(size) == words


def test_page_sizes() -> None:
    assert [clean_page_size(n) for n in (None, -1, 0, 1, 200, 201)] == [20, 1, 1, 1, 200, 200]


class TestScopes:
    def test_all_means_what_the_user_may_have(self) -> None:
        assert parse_scopes([ALL], grantable(True)) == EVERY_SCOPE
        assert parse_scopes([ALL], grantable(False)) == EVERY_SCOPE - {Scope.ADMIN}

    def test_no_key_makes_a_wider_one(self) -> None:
        own = frozenset({Scope.ACCOUNT_WRITE, Scope.IMAGES_READ, Scope.ADMIN})
        assert grantable(True, own) == own
        assert grantable(False, own) == own - {Scope.ADMIN}
        assert parse_scopes(["all"], grantable(True, own)) == own

    @pytest.mark.parametrize(
        ("names", "path"),
        [
            ([], "scopes"),
            (["images:read", "images:fly"], "scopes[1]"),
            (["admin"], "scopes[0]"),
        ],
    )
    def test_refused(self, names: list[str], path: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            parse_scopes(names, grantable(False))
        assert [mistake.path for mistake in caught.value.mistakes] == [path]

    def test_every_scope_has_a_title(self) -> None:
        assert set(SCOPE_TITLES) == EVERY_SCOPE
