"""One picture, part by part: original, sidecar, keys, derivatives, record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from app.crypto.blob_header import is_genuine
from app.crypto.context import Role
from app.db.times import utc_now
from app.errors import KeyManagementError, KeyVaultError, KeyVaultUnavailable
from app.services.derivatives import THUMBNAIL_SIZES
from app.services.verification.blobs import Blob, BlobCheck, Pace, at_once, require_content
from app.services.verification.findings import Damage, Finding, Flawed
from app.services.verification.rows import Expected, ExpectedImages
from app.services.verification.sidecars import compare, sidecar_of
from app.services.verification.vault_keys import check_keys

if TYPE_CHECKING:
    from app.storage.encrypted_store import EncryptedStore, KeySource
    from app.vault.interface import KeyVault

DERIVATIVES = (*((Role.THUMBNAIL, size) for size in THUMBNAIL_SIZES), (Role.PREVIEW, 0))
OF_KEYS = frozenset(
    [
        Damage.NO_KEY_ROW,
        Damage.KEY_MISSING,
        Damage.KEY_DISABLED,
        Damage.KEY_DAMAGED,
        Damage.KEY_FOREIGN,
    ]
)
OF_A_BENT_HEADER = frozenset([Damage.UNKNOWN_KEY, Damage.ANOTHERS])
ORIGINAL, SIDECAR, KEY = "original", "sidecar", "key"


class ImageCheck:
    """Looks at one picture at a time. ``keys`` must remember nothing."""

    def __init__(
        self,
        rows: ExpectedImages,
        store: EncryptedStore,
        keys: KeySource,
        vault: KeyVault,
        require_store: Callable[[], None],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._rows = rows
        self._store = store
        self._keys = keys
        self._vault = vault
        self._blobs = BlobCheck(store.blobs, keys, require_store)
        self._clock = clock

    def look(self, image_id: UUID, *, full: bool, pace: Pace = at_once) -> tuple[Finding, ...]:
        """One finding a part; nothing for a picture that is gone.

        What is wrong is looked at again with a fresh row: it may have been replaced or
        destroyed meanwhile.
        """
        found: tuple[Finding, ...] = ()
        for _ in range(2):
            expected = self._rows.get(image_id)
            if expected is None:
                return ()
            found = tuple(self._parts(expected, full=full, pace=pace))
            if not any(finding.damage for finding in found):
                break
        return found

    def sidecar(self, image_id: UUID) -> Finding | None:
        """The finding about its sidecar alone; None for a picture that is gone, and where
        the original itself is damaged: then a sidecar says nothing."""
        finding: Finding | None = None
        for _ in range(2):
            expected = self._rows.get(image_id)
            if expected is None:
                return None
            try:
                blob = self._original(expected, full=False, pace=at_once)
            except Flawed:
                return None
            look = partial(self._sidecar, expected, blob)
            finding = _tried(str(image_id), SIDECAR, look)
            if finding.damage is None:
                break
        return finding

    def original(self, expected: Expected, *, pace: Pace = at_once) -> Blob:
        """All of the original against its row; raises Flawed."""
        return self._original(expected, full=True, pace=pace)

    def _parts(self, expected: Expected, *, full: bool, pace: Pace) -> Iterator[Finding]:
        subject, blob, flaw = str(expected.id), None, None
        try:
            blob = self._original(expected, full=full, pace=pace)
        except Flawed as found:
            flaw = found
        yield _finding(subject, ORIGINAL, flaw)
        yield _tried(subject, SIDECAR, lambda: self._sidecar(expected, blob))
        if flaw is not None and flaw.damage in OF_KEYS:
            return
        yield _tried(subject, KEY, lambda: check_keys(self._vault, expected, self._clock()))
        for role, variant in DERIVATIVES:
            part = f"{role.name.lower()} {variant or ''}".strip()
            look = self._beside(expected, role, variant, Damage.DERIVATIVE, full, pace)
            yield _tried(subject, part, look)
        look = self._beside(expected, Role.RECORD, 0, Damage.RECORD, full, pace)
        yield _tried(subject, "record", look)

    def _original(self, expected: Expected, *, full: bool, pace: Pace) -> Blob:
        if not any(state in {"active", "retiring"} for state in expected.keys.values()):
            raise Flawed(Damage.NO_KEY_ROW)
        if expected.card is None or expected.meta is None:
            raise Flawed(Damage.ROW)
        try:
            blob = self._blobs.look(expected, Role.ORIGINAL, 0, full=full, pace=pace)
        except Flawed as flaw:
            if flaw.damage is Damage.HEADER and not self._key_opens_another(expected):
                raise Flawed(Damage.KEY_FOREIGN) from None
            if flaw.damage in OF_A_BENT_HEADER and self._is_known_to_sidecar(expected):
                raise Flawed(Damage.HEADER) from None
            raise
        require_content(expected, blob)
        return blob

    def _is_known_to_sidecar(self, expected: Expected) -> bool:
        """Whether this is the blob that the sidecar speaks of, whatever its header says."""
        header = self._blobs.header(expected, Role.ORIGINAL, 0)
        try:
            entries = sidecar_of(self._store, expected).entries
        except Flawed:
            return False
        tags = {entry.header_tag for entry in entries}
        return header is not None and header.header_tag in tags

    def _key_opens_another(self, expected: Expected) -> bool:
        """Whether some other blob of the picture bears witness for the key in the vault.

        True as well where nothing can be asked: then the header is the likelier culprit.
        """
        asked = False
        for role, variant in DERIVATIVES:
            header = self._blobs.header(expected, role, variant)
            if header is None or header.file_id != expected.id:
                continue
            asked = True
            try:
                if is_genuine(header, self._keys.key(expected.id, header.key_version_id)):
                    return True
            except KeyVaultUnavailable:
                raise
            except (KeyVaultError, KeyManagementError):
                continue
        return not asked

    def _sidecar(self, expected: Expected, blob: Blob | None) -> None:
        sidecar = sidecar_of(self._store, expected)
        if blob is not None:
            compare(sidecar, blob, expected)

    def _beside(
        self,
        expected: Expected,
        role: Role,
        variant: int,
        damage: Damage,
        full: bool,
        pace: Pace,
    ) -> Callable[[], None]:
        """A missing one is in order: it is made again."""

        def look() -> None:
            try:
                self._blobs.look(expected, role, variant, full=full, pace=pace)
            except Flawed as flaw:
                if flaw.damage is not Damage.BLOB_MISSING:
                    raise Flawed(damage, flaw.damage.words) from None

        return look


def _tried(subject: str, part: str, look: Callable[[], None]) -> Finding:
    try:
        look()
    except Flawed as flaw:
        return _finding(subject, part, flaw)
    return Finding(subject, part)


def _finding(subject: str, part: str, flaw: Flawed | None) -> Finding:
    if flaw is None:
        return Finding(subject, part)
    return Finding(subject, part, flaw.damage, flaw.detail)
