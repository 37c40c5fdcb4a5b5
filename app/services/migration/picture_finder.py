"""Which picture of a collection an older program meant by a path, a name, an id or a hash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import select

from app.domain.filenames import clean_filename
from app.domain.ids import read_id
from app.errors import InvalidInput
from app.models.image import LIVE, NOT_DESTROYED, Image

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

BATCH: Final = 500
ENC: Final = ".enc"
ORIGIN: Final = "import:"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SLASHES = re.compile(r"[/\\]")


@dataclass(frozen=True, slots=True)
class Meant:
    """A picture; ``width`` and ``height`` as it is shown."""

    id: UUID
    width: int
    height: int


class PictureFinder:
    """Opens the card of every live picture of a collection once, and remembers its names."""

    def __init__(self, uow: UnitOfWork, collection_id: UUID) -> None:
        self._pictures: dict[UUID, Meant] = {}
        self._named: dict[str, set[UUID]] = {}
        for row in _rows(uow, collection_id):
            self._remember(row)

    def find(self, reference: str) -> Meant:
        """By id, SHA-256, or the last part of a path, with or without ``.enc``.

        ``InvalidInput`` where no picture is meant, or more than one.
        """
        id_ = read_id(reference)
        if id_ in self._pictures and id_ is not None:
            return self._pictures[id_]
        found = self._named.get(_key(reference), set())
        if not found:
            raise InvalidInput("Its picture is not in the collection: import it first.")
        if len(found) > 1:
            raise InvalidInput("Several pictures of the collection have this name.")
        return self._pictures[next(iter(found))]

    def _remember(self, row: Any) -> None:
        card = row.card.told(row.id, {}) if row.card is not None else {}
        meta = row.meta.told(row.id, {}) if row.meta is not None else {}
        width, height = int(card.get("width") or 0), int(card.get("height") or 0)
        self._pictures[row.id] = Meant(row.id, width, height)
        origin = str(meta.get("uploaded_from") or "")
        names = [card.get("name"), meta.get("sha256")]
        names += [origin.removeprefix(ORIGIN)] if origin.startswith(ORIGIN) else []
        for name in filter(None, names):
            self._named.setdefault(_key(str(name)), set()).add(row.id)


def _key(reference: str) -> str:
    if _SHA256.fullmatch(reference.lower()):
        return reference.lower()
    return clean_filename(_SLASHES.split(reference)[-1].removesuffix(ENC))


def _rows(uow: UnitOfWork, collection_id: UUID) -> Iterator[Any]:
    after = UUID(int=0)
    while True:
        wanted = (
            select(Image.id, Image.card, Image.meta)
            .where(Image.collection_id == collection_id, LIVE, NOT_DESTROYED, Image.id > after)
            .order_by(Image.id)
            .limit(BATCH)
        )
        with uow.read_rows() as connection:
            rows = connection.execute(wanted).all()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1].id
