"""Names, slugs, filenames, e-mail addresses, passwords, ids."""

from __future__ import annotations

import unicodedata
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.credentials import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    check_password,
    clean_email,
    email_key,
)
from app.domain.filenames import MAX_FILENAME, clean_filename
from app.domain.ids import new_id, new_slug, parse_id, read_id
from app.domain.names import (
    MAX_DESCRIPTION,
    MAX_NAME,
    clean_description,
    clean_name,
    clean_slug,
    clean_tag,
    split_tags,
)
from app.errors import InvalidInput, NotFound

ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates too
CONTROLS = ["a\0b", "a\nb", "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb", "a\u2066b", "a\ud800b"]


class TestNames:
    @given(ANY_TEXT)
    def test_clean_or_refused(self, text: str) -> None:
        try:
            name = clean_name(text)
        except InvalidInput:
            return
        assert 1 <= len(name) <= MAX_NAME
        assert name == unicodedata.normalize("NFC", name).strip()
        assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in name)
        assert clean_name(name) == name
        name.encode()

    @pytest.mark.parametrize("bad", [*CONTROLS, "", "  ", None, 7, "x" * (MAX_NAME + 1)])
    def test_refused(self, bad: object) -> None:
        with pytest.raises(InvalidInput) as caught:
            clean_name(bad, "who")
        assert caught.value.mistakes[0].path == "who"
        assert "x" * 20 not in str(caught.value)

    def test_length_is_counted_in_characters_after_composing(self) -> None:
        assert clean_name("é" * MAX_NAME) == "é" * MAX_NAME
        assert clean_name("e\u0301" * MAX_NAME) == "é" * MAX_NAME
        assert clean_name("👩‍🚀") == "👩‍🚀"

    def test_descriptions_have_lines(self) -> None:
        assert clean_description(" a\r\n\tb\rc\n ") == "a\n\tb\nc"
        assert clean_description("") == ""
        for bad in ("a\0", "\ud800", "x" * (MAX_DESCRIPTION + 1), None):
            with pytest.raises(InvalidInput):
                clean_description(bad)

    def test_tags(self) -> None:
        assert split_tags(" sea, sand ,,sea") == ("sea", "sand")
        for bad in ("a,b", "x" * 65, ""):
            with pytest.raises(InvalidInput):
                clean_tag(bad)

    @pytest.mark.parametrize(
        "slug", ["abc", "a-b", "2026-holiday", "a--b", "x" * 63, "c-kw2efna58w"]
    )
    def test_slugs(self, slug: str) -> None:
        assert clean_slug(slug) == slug

    @pytest.mark.parametrize(
        "bad", ["", "ab", "-ab", "ab-", "Abc", "a_b", "a.b", "a/b", "été", "x" * 64, "a\nb", 3]
    )
    def test_bad_slugs(self, bad: object) -> None:
        with pytest.raises(InvalidInput):
            clean_slug(bad)


class TestFilenames:
    @given(ANY_TEXT)
    def test_never_a_path_never_empty(self, raw: str) -> None:
        name = clean_filename(raw)
        assert 1 <= len(name) <= MAX_FILENAME
        assert not set(name) & {"/", "\\", "\0", "\n", "\r"}
        assert name not in {".", ".."}
        assert clean_filename(name) == name
        name.encode()

    @pytest.mark.parametrize(
        ("raw", "clean"),
        [
            ("C:\\fakepath\\cat.jpg", "cat.jpg"),
            ("../../etc/passwd", "passwd"),
            ("a/b\\c.png", "c.png"),
            ("folder/", "unnamed"),
            ("..", "unnamed"),
            (".htaccess", "htaccess"),
            ("ev\u202egpj.exe", "evgpj.exe"),
            ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
            (None, "unnamed"),
            ("\ud800\udfff", "unnamed"),
            ("e\u0301te\u0301.jpg", "été.jpg"),
        ],
    )
    def test_examples(self, raw: str | None, clean: str) -> None:
        assert clean_filename(raw) == clean

    def test_a_long_one_keeps_its_extension(self) -> None:
        assert clean_filename("x" * 300 + ".jpeg") == "x" * 250 + ".jpeg"
        assert clean_filename("x" * 300) == "x" * 255


class TestEmail:
    @pytest.mark.parametrize(
        "address",
        [
            "ada@example.org",
            "Ada.Lovelace+x@sub.example.org",
            "me@localhost",
            "o'neil@example.org",
            "jörg@bücher.example",
            "a@xn--bcher-kva.example",
            "a@127.0.0.1",
        ],
    )
    def test_taken(self, address: str) -> None:
        assert clean_email(f" {address} ") == address

    @pytest.mark.parametrize(
        "bad",
        [
            "",
            "a",
            "@b.c",
            "a@",
            "a@b@c.d",
            "a b@c.d",
            "a@b..c",
            "a@-b.c",
            "a@b.c\nBcc: x@y.z",
            "a\0@b.c",
            "<a@b.c>",
            "a@b c",
            "x" * 65 + "@b.c",
            "a@" + "b." * 130 + "c",
            None,
        ],
    )
    def test_refused(self, bad: object) -> None:
        with pytest.raises(InvalidInput) as caught:
            clean_email(bad)
        assert [mistake.path for mistake in caught.value.mistakes] == ["email"]

    def test_one_account_for_every_spelling(self) -> None:
        keys = {
            email_key(a) for a in ("É@Example.ORG", "e\u0301@example.org", " é@EXAMPLE.org")
        }
        assert len(keys) == 1
        assert email_key("a@b.c") != email_key("a@b.d")

    @given(ANY_TEXT)
    def test_any_text_can_be_looked_up(self, text: str) -> None:
        assert email_key(text) == email_key(email_key(text).decode())


class TestPassword:
    def test_length_is_what_counts(self) -> None:
        for good in ("kq8 zz!wmp", "ten chars!", "k" * 5 + "lm" * 500, "éléphant vert"):
            assert check_password(good, "ada@example.org") == good

    @pytest.mark.parametrize(
        "bad",
        [
            "",
            "x7!" * 3,
            "ab" * (MAX_PASSWORD // 2) + "c",
            "aaaaaaaaaaaa",
            "ababababab",
            "1234567890",
            "Password123",
            "ADA.lovelace@example.org",
            "ada.lovelace",
            None,
        ],
    )
    def test_refused_without_repeating_it(self, bad: str | None) -> None:
        with pytest.raises(InvalidInput) as caught:
            check_password(bad, "ada.lovelace@example.org")
        assert [mistake.path for mistake in caught.value.mistakes] == ["password"]
        if bad:
            assert bad not in str(caught.value)

    def test_limits(self) -> None:
        assert check_password("x7!" * 3 + "w", "a@b.c")
        assert MIN_PASSWORD == 10


class TestIds:
    def test_only_the_usual_form(self) -> None:
        some = uuid4()
        assert parse_id(str(some)) == read_id(str(some).upper()) == some
        for bad in (some.hex, f"{{{some}}}", f"urn:uuid:{some}", f"{some}\n", "", None, 7):
            assert read_id(bad) is None
            with pytest.raises(NotFound):
                parse_id(bad)

    def test_are_random(self) -> None:
        assert new_id().version == 4
        assert len({new_slug() for _ in range(100)}) == 100
        assert all(len(new_slug()) == 12 for _ in range(10))
