"""The services that change how keys are kept: made from a house, for its commands and jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.crypto.aead import ColumnCipher
from app.db.field_cipher import FieldCipher
from app.db.times import utc_now
from app.services import draft_keys
from app.services.keys import FileKeyService, Keying, KeyRows, LocalKeyWrapper, RootKeys
from app.services.keys.changes import KeyChanges
from app.services.keys.kek_retirement import KekRetirement
from app.services.keys.kek_rotation import KekRotation
from app.services.keys.kept_rows import KeptRows
from app.services.keys.master_change import MasterChange
from app.services.keys.move import VaultMove
from app.services.keys.rekey import Rekey
from app.services.keys.rewrap import Rewrap
from app.services.keys.root_rotation import RootRotation, RootTerms
from app.services.keys.sidecar_keys import SidecarKeys
from app.vault.cache import KeyCache

if TYPE_CHECKING:
    from app.services.audit import AuditLog
    from app.services.runs import Runs
    from app.wiring import House


def live_cipher(roots: RootKeys) -> FieldCipher:
    """The cipher of encrypted columns; it takes new root keys as soon as they are known."""

    def known() -> ColumnCipher:
        active = roots.active("columns").version
        return ColumnCipher(roots.all("columns"), active, unknown)

    def unknown(key_id: bytes) -> ColumnCipher | None:
        return known() if roots.find("columns", key_id) is not None else None

    cipher = FieldCipher(known())
    roots.on_change(lambda: cipher.use(known()))
    return cipher


def build_keying(house: House, cache: KeyCache) -> Keying:
    """Envelopes by KEKs that never leave a real vault, or beside the local one: those are
    remembered in ``cache``."""
    own = house.vault_parts.wrapper
    return Keying(house.vaulting, own or LocalKeyWrapper(house.vaulting, cache))


def build_file_keys(house: House, cache: KeyCache) -> FileKeyService:
    """The keys of files, remembered in ``cache``."""
    return FileKeyService(
        house.vaulting,
        cache,
        utc_now,
        house.settings.rotation_days,
        require_vault=lambda: house.roots.require_in(house.vault),
        keying=house.keying,
        rows=KeyRows(lambda: house.uow),
        mode=house.settings.keying,
    )


def build_key_changes(house: House, audit: AuditLog, runs: Runs) -> KeyChanges:
    """Made on first use, as everything of a house."""
    sidecars = SidecarKeys(house.uow, house.store, lambda: house.keys)
    return KeyChanges(
        keks=_keks(house, sidecars, audit, runs),
        move=VaultMove(house.uow, house.masters, audit, runs, utc_now),
        rekey=Rekey(
            rows=KeptRows(house.uow),
            store=house.store,
            vaulting=house.vaulting,
            keying=house.keying,
            sidecars=sidecars,
            audit=audit,
            runs=runs,
        ),
        rewrap=Rewrap(
            uow=house.uow,
            vault=house.vault,
            vaulting=house.vaulting,
            keying=house.keying,
            change=MasterChange(house.uow, house.blobs, house.vaulting),
            sidecars=sidecars,
            audit=audit,
            runs=runs,
        ),
        roots=_roots(house, audit, runs),
    )


def _keks(house: House, sidecars: SidecarKeys, audit: AuditLog, runs: Runs) -> KekRotation:
    return KekRotation(
        uow=house.uow,
        keying=house.keying,
        sidecars=sidecars,
        audit=audit,
        runs=runs,
        retirement=KekRetirement(
            uow=house.uow,
            keying=house.keying,
            sidecars=sidecars,
            clock=utc_now,
            grace=timedelta(hours=house.settings.key_grace_hours),
        ),
    )


def _roots(house: House, audit: AuditLog, runs: Runs) -> RootRotation:
    return RootRotation(
        uow=house.uow,
        roots=house.roots,
        vaulting=house.vaulting,
        audit=audit,
        runs=runs,
        clock=utc_now,
        terms=RootTerms(
            grace=timedelta(hours=house.settings.key_grace_hours),
            links=timedelta(seconds=house.settings.signed_url_expiry),
            drafts=draft_keys.KEPT,
        ),
    )
