"""Engines with the schema of the models and a column cipher of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from app.crypto.aead import ColumnCipher
from app.crypto.keys import generate_key
from app.db.field_cipher import FieldCipher
from app.db.session import UnitOfWork, make_engine
from app.models import Annotation, Base, Collection, Image, User

LABEL = "c0ffee00c0ffee00c0ffee00c0ffee00"
BOX = (10.5, 20.25, 300.0, 400.0)


def new_cipher() -> FieldCipher:
    version = os.urandom(16)
    return FieldCipher(ColumnCipher({version: generate_key()}, version))


@pytest.fixture
def cipher() -> FieldCipher:
    return new_cipher()


@pytest.fixture
def engine(tmp_path: Path, cipher: FieldCipher) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{tmp_path}/darkroom.db", cipher)
    with made.begin() as connection:
        Base.metadata.create_all(connection)
    yield made
    made.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each kind of database in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("engine")
        return
    new_url: Callable[[], str] = request.getfixturevalue("new_postgres_url")
    made = make_engine(new_url(), request.getfixturevalue("cipher"))
    with made.begin() as connection:
        Base.metadata.create_all(connection)
    yield made
    made.dispose()


@pytest.fixture
def work(engine: Engine) -> UnitOfWork:
    return UnitOfWork(engine)


@pytest.fixture
def any_work(any_engine: Engine) -> UnitOfWork:
    return UnitOfWork(any_engine)


def new_user() -> User:
    return User(email="ann@example.org", email_index=os.urandom(32), name="Ann")


def new_collection(owner_id: UUID) -> Collection:
    return Collection(slug=f"c-{os.urandom(5).hex()}", name="Harbour", owner_id=owner_id)


def new_image(collection_id: UUID, **values: object) -> Image:
    facts: dict[str, object] = {
        "store_slug": "c-0123456789",
        "stored_name": f"image_1_{os.urandom(16).hex()}.jpg",
        "mime_type": "image/jpeg",
        "size": 1000,
        "enc_size": 1144,
        "card": {"name": "harbour.jpg", "width": 640, "height": 480},
    }
    return Image(collection_id=collection_id, **facts | values)


def new_annotation(image_id: UUID, **values: object) -> Annotation:
    facts: dict[str, object] = {"label": LABEL, "box": BOX}
    return Annotation(image_id=image_id, **facts | values)


def stored_image(work: UnitOfWork, **values: object) -> Image:
    """An image with its collection and owner, committed."""
    owner = new_user()
    collection = new_collection(owner.id)
    image = new_image(collection.id, **values)
    with work.write() as session:
        session.add_all([image, collection, owner])
    return image
