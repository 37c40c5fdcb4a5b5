"""What makes a lost database anew: parts that ask no database for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Engine

from app.crypto.aead import ColumnCipher
from app.db.field_cipher import FieldCipher
from app.db.session import make_engine
from app.services.rebuild import Rebuild
from app.services.rebuild.database import NewDatabase
from app.services.rebuild.keys import BareKeys

if TYPE_CHECKING:
    from app.services.audit import AuditLog
    from app.wiring import House


def build_rebuild(house: House, audit: AuditLog) -> Rebuild:
    """The service behind ``store rebuild-db``."""

    def engine(url: str) -> Engine:
        columns = house.roots.all("columns")
        cipher = ColumnCipher(columns, house.roots.active("columns").version)
        return make_engine(url, FieldCipher(cipher))

    return Rebuild(
        blobs=house.blobs,
        keys=BareKeys(house.vaulting, house.keying, house.settings.rotation_days),
        roots=lambda: house.roots,
        masters=house.masters,
        decoder=house.decoder,
        database=NewDatabase(house.settings.database_url, engine),
        audit=audit,
        instance=house.settings.instance_path,
    )
