"""Pictures under their own keys: seal, open and discard the blobs of one image.

The order of things is the order that survives a crash: an original before its sidecar
before (elsewhere) its row; on deletion (after its key) the sidecar before the blobs.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack, suppress
from uuid import UUID

from app.crypto.blob_header import BlobHeader
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import (
    BlobWriter,
    ByteSource,
    ChunkPolicy,
    SealedFacts,
    seal_bytes,
    seal_stream,
)
from app.errors import DecryptionFailed, ForeignBlob, StoreError
from app.storage import sidecar as sidecars
from app.storage.interface import BlobStore
from app.storage.object_paths import ObjectPath
from app.storage.opening import Floor, KeySource, OpenBlob, open_verified
from app.storage.sidecar import (
    PrivateFacts,
    PublicFacts,
    Sidecar,
    SidecarEntry,
    WrappedDek,
)

__all__ = ["EncryptedStore", "Floor", "KeySource", "OpenBlob"]

DEFAULT_POLICY = ChunkPolicy()
DERIVATIVES = frozenset({Role.THUMBNAIL, Role.PREVIEW, Role.FRAME})


class EncryptedStore:
    """The sealed blobs of images in a ``BlobStore``; it keeps no state of its own.

    Every method may raise ``StoreUnavailable``, the sealing ones ``StoreFull``. ``version``
    is the 16-byte id of the DEK, sizes are in bytes.
    """

    def __init__(
        self, blobs: BlobStore, keys: KeySource, policy: ChunkPolicy = DEFAULT_POLICY
    ) -> None:
        self.blobs = blobs
        self._keys = keys
        self.policy = policy

    def seal_original(
        self,
        path: ObjectPath,
        image_id: UUID,
        dek: SecretKey,
        version: bytes,
        source: ByteSource,
        size: int,
        public: PublicFacts,
        private: PrivateFacts,
        *,
        generation: int = 1,
        content_rev: int = 0,
        wrapped_dek: WrappedDek | None = None,
    ) -> SealedFacts:
        """Blob, then sidecar; when this returns, both survive a loss of power.

        ``source`` gives the plaintext from its position. After an error neither is there,
        unless the medium fails too: ``reconcile`` finds what is left. ``BlobExists`` if the
        name is taken (which harms nothing), ``EncryptionError`` if the source is shorter
        than ``size``.
        """
        context = _context(path, image_id, Role.ORIGINAL, 0, version, generation, content_rev)
        with ExitStack() as undo:
            with self.blobs.stage(path.original) as staged:
                facts = seal_stream(source, staged, dek, context, self.policy, size=size)
                staged.commit(settle=False)  # the sidecar's commit settles both names
            undo.callback(self._forget, path.original)
            entry = SidecarEntry.of_blob(facts, wrapped_dek)
            sidecar = Sidecar(image_id, public, ()).with_entry(
                entry, private, dek, facts.header
            )
            self.write_sidecar(path, sidecar, replace=False)
            undo.pop_all()
        return facts

    def seal_derivative(
        self,
        path: ObjectPath,
        image_id: UUID,
        dek: SecretKey,
        version: bytes,
        role: Role,
        variant: int,
        data: bytes,
        content_rev: int = 0,
        *,
        generation: int = 1,
    ) -> SealedFacts:
        """A thumbnail, preview or frame: a sealed cache, so without sidecar and sync.

        It replaces what was there. Whoever does that after the upload holds :meth:`lock`
        and has looked at the state of the key again since.
        """
        if role not in DERIVATIVES:
            raise StoreError("Only derivatives are sealed so.", operation="blob.seal")
        context = _context(path, image_id, role, variant, version, generation, content_rev)
        blob, facts = seal_bytes(data, dek, context, self.policy)
        self.blobs.put(path.key(role, variant), blob, replace=True, durable=False)
        return facts

    def seal_record(
        self,
        key: str,
        context: BlobContext,
        dek: SecretKey,
        pieces: Iterable[bytes | memoryview],
    ) -> SealedFacts:
        """A record, of an image or of the store, piece by piece; it replaces what was there.

        Durable when it returns. Whoever calls it holds the lock of the image (of ``key``
        for the store's) and has looked at the state of the key since.
        """
        if context.role is not Role.RECORD:
            raise StoreError("Only records are sealed so.", operation="blob.seal")
        with self.blobs.stage(key) as staged:
            writer = BlobWriter(staged, dek, context, self.policy)
            for piece in pieces:
                writer.write(piece)
            facts = writer.finish()
            staged.commit(replace=True)
        return facts

    def open(
        self, key: str, image_id: UUID, role: Role, variant: int, floor: Floor
    ) -> OpenBlob:
        """Open a blob of this image by the rules of section 1; no sidecar is read.

        Raises ``BlobNotFound``; ``DecryptionFailed`` for damage (quarantine the image);
        ``RolledBack`` for a genuine but older blob or an unknown key: the caller reads the
        floor again and opens again, once. ``KeyNotFound`` and ``KeyVaultUnavailable`` come
        from the key source.
        """
        try:
            handle = self.blobs.open(key)
        except ForeignBlob:  # as much damage as any other bytes in the place of ours
            raise DecryptionFailed(operation="blob.open") from None
        try:
            return open_verified(handle, self._keys, image_id, role, variant, floor)
        except BaseException:
            handle.close()
            raise

    def key_of(self, header: BlobHeader) -> SecretKey:
        """The DEK that a verified header names."""
        return self._keys.key(header.file_id, header.key_version_id)

    def read_sidecar(self, path: ObjectPath) -> Sidecar:
        """Never while serving. ``BlobNotFound``, ``SidecarInvalid``."""
        sidecar = self.sidecar_at(path)
        if sidecar.file_id != path.image_id:
            raise sidecars.invalid("The sidecar belongs to another image.")
        return sidecar

    def sidecar_at(self, path: ObjectPath) -> Sidecar:
        """As ``read_sidecar``, whichever image it speaks of."""
        return self.sidecar_at_key(path.sidecar)

    def sidecar_at_key(self, key: str) -> Sidecar:
        """As ``sidecar_at``, for a walk through the store."""
        with self.blobs.open(key) as handle:
            if handle.size > sidecars.MAX_BYTES:
                raise sidecars.invalid("The sidecar is longer than 8 KiB.")
            raw = bytearray(handle.size)
            count = handle.pread_into(memoryview(raw), 0)
        return sidecars.parse(bytes(raw[:count]))

    def write_sidecar(
        self,
        path: ObjectPath,
        sidecar: Sidecar,
        *,
        replace: bool = True,
        tag: str | None = None,
    ) -> None:
        """Atomic and durable. A rotation that replaces it holds :meth:`lock`."""
        self.blobs.put(path.sidecar, sidecar.encode(), replace=replace, tag=tag)

    def discard(self, path: ObjectPath) -> int:
        """Remove the sidecar, then the blobs of all roles; may be repeated after a crash.
        Returns how many files went.

        The key was destroyed before, so what a crash leaves is unreadable. Takes
        :meth:`lock` itself, so that no rotation puts a blob back.
        """
        with self.lock(path):
            order = {path.sidecar: 0, path.original: 1}
            keys = sorted(
                self.blobs.keys(path.base + "."), key=lambda key: (order.get(key, 2), key)
            )
            for key in keys:
                self.blobs.delete(key, durable=key == keys[-1])
            return len(keys)

    def lock(self, path: ObjectPath) -> AbstractContextManager[None]:
        """The image's lock: held by whoever replaces one of its blobs. Not re-entrant."""
        return self.blobs.lock(path.original)

    def _forget(self, key: str) -> None:
        with suppress(StoreError):
            self.blobs.delete(key)


def _context(
    path: ObjectPath,
    image_id: UUID,
    role: Role,
    variant: int,
    version: bytes,
    generation: int,
    content_rev: int,
) -> BlobContext:
    if path.image_id != image_id:
        raise StoreError("This address belongs to another image.", operation="blob.seal")
    return BlobContext(
        file_id=image_id,
        role=role,
        variant=variant,
        generation=generation,
        key_version_id=version,
        content_rev=content_rev,
    )
