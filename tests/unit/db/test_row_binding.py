"""Tokens that were moved, cut or changed are noticed on load; other rows are spared."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from app.crypto.aead import ColumnCipher
from app.crypto.keys import generate_key
from app.db.codecs import BOX as BOX_CODEC
from app.db.codecs import JSON, TEXT
from app.db.field_cipher import Bound, FieldCipher
from app.db.session import UnitOfWork
from app.errors import DecryptionFailed
from app.models import Annotation, Image, Tag
from tests.unit.db.conftest import new_annotation, stored_image

MESSAGE = "Decryption failed - invalid key or corrupted data"


def two_tags(work: UnitOfWork) -> tuple[Tag, Tag]:
    image = stored_image(work)
    pair = tuple(Tag(collection_id=image.collection_id, name=name) for name in ("sea", "sky"))
    with work.write() as session:
        session.add_all(pair)
    return pair[0], pair[1]


def swap(work: UnitOfWork, statement: str, **values: object) -> None:
    with work.write() as session:
        session.execute(text(statement), values)


def test_a_token_of_another_row_does_not_open(work: UnitOfWork) -> None:
    first, second = two_tags(work)
    swap(
        work,
        "UPDATE tags SET name = (SELECT name FROM tags WHERE id = :other) WHERE id = :id",
        id=first.id.hex,
        other=second.id.hex,
    )
    with pytest.raises(DecryptionFailed, match=MESSAGE), work.read() as session:
        session.get_one(Tag, first.id)
    with work.read() as session:
        assert session.get_one(Tag, second.id).name == "sky"


def test_a_token_of_another_column_does_not_open(work: UnitOfWork) -> None:
    image = stored_image(work, meta={"camera": "x"})
    swap(work, "UPDATE images SET card = meta")
    with pytest.raises(DecryptionFailed, match=MESSAGE), work.read() as session:
        session.get_one(Image, image.id)


def test_boxes_of_one_image_cannot_change_places(work: UnitOfWork) -> None:
    image = stored_image(work)
    pair = [new_annotation(image.id, box=(n, n, 1, 1)) for n in range(2)]
    with work.write() as session:
        session.add_all(pair)
    swap(work, "UPDATE annotations SET box = (SELECT max(box) FROM annotations)")
    with pytest.raises(DecryptionFailed), work.read() as session:
        session.scalars(select(Annotation)).all()


def test_a_refresh_is_compared_as_well(work: UnitOfWork) -> None:
    first, second = two_tags(work)
    with work.write() as session:
        tag = session.get_one(Tag, first.id)
        session.expire(tag, ["name"])
        assert tag.name == "sea"
        other = text("UPDATE tags SET name = (SELECT name FROM tags WHERE id = :other)")
        session.execute(other, {"other": second.id.hex})
        with pytest.raises(DecryptionFailed):
            session.refresh(tag)


def test_one_bad_row_of_a_core_list_spares_the_others(work: UnitOfWork) -> None:
    first, second = two_tags(work)
    swap(work, "UPDATE tags SET name = substr(name, 1, 40) WHERE id = :id", id=first.id.hex)
    with work.read_rows() as connection:
        rows = {row.id: row.name for row in connection.execute(select(Tag.id, Tag.name))}
    assert rows[second.id].of(second.id) == "sky"
    with pytest.raises(DecryptionFailed):
        rows[first.id].of(first.id)
    with pytest.raises(DecryptionFailed):
        rows[second.id].of(first.id)


def test_every_flipped_bit_of_a_token_is_noticed(cipher: FieldCipher) -> None:
    row = uuid4()
    token = cipher.row_sealer("tags.name", TEXT)(Bound(row, "sea"))
    assert token is not None
    opener = cipher.row_opener("tags.name", TEXT)
    assert opener(token).of(row) == "sea"
    for bit in range(len(token) * 8):
        damaged = bytearray(token)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecryptionFailed):
            opener(bytes(damaged)).of(row)
    for length in range(len(token)):
        with pytest.raises(DecryptionFailed):
            opener(token[:length]).of(row)


def test_a_codec_or_binding_of_another_kind_does_not_open(cipher: FieldCipher) -> None:
    row = uuid4()
    bound = cipher.row_sealer("tags.name", TEXT)(Bound(row, "sea"))
    free = cipher.sealer("tags.name", TEXT)("sea")
    assert bound is not None
    assert free is not None
    for attempt in (
        lambda: cipher.row_opener("tags.name", JSON)(bound).of(row),
        lambda: cipher.row_opener("tags.name", BOX_CODEC)(bound).of(row),
        lambda: cipher.row_opener("tags.name", TEXT)(free).of(row),
        lambda: cipher.opener("tags.name", TEXT)(bound),
        lambda: cipher.opener("tags.slug", TEXT)(free),
    ):
        with pytest.raises(DecryptionFailed):
            attempt()


def test_the_payload_is_the_row_id_and_the_value(cipher: FieldCipher) -> None:
    """As docs/store-format.md says: an independent reader must be able to follow."""
    tokens = cipher._tokens
    row = uuid4()
    token = cipher.row_sealer("tags.name", TEXT)(Bound(row, "sea"))
    assert token is not None
    codec, payload = tokens.open("tags.name", token)
    assert (codec, payload) == (0x11, row.bytes + b"\0\3sea".ljust(2 + 32, b"\0"))


def test_keys_change_in_place(cipher: FieldCipher) -> None:
    versions = [os.urandom(16), os.urandom(16)]
    keys = {version: generate_key() for version in versions}
    row = uuid4()
    seal, opener = cipher.row_sealer("a.b", TEXT), cipher.row_opener("a.b", TEXT)
    cipher.use(ColumnCipher({versions[0]: keys[versions[0]]}, versions[0]))
    old = seal(Bound(row, "sea"))
    cipher.use(ColumnCipher(keys, versions[1]))
    new = seal(Bound(row, "sea"))
    assert old is not None
    assert new is not None
    assert (old[3:7], new[3:7]) == (versions[0][:4], versions[1][:4])
    assert opener(old).of(row) == opener(new).of(row) == "sea"
    cipher.use(ColumnCipher({versions[1]: keys[versions[1]]}, versions[1]))
    with pytest.raises(DecryptionFailed):
        opener(old).of(row)
