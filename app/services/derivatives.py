"""Making a thumbnail or preview again, or in a size that was not made at the upload."""

from __future__ import annotations

from io import BufferedReader

from app.crypto.context import Role
from app.media.decoder_client import STANDARD_SIZES, Decoder
from app.media.formats import FileType
from app.services.image_access import ImageAccess
from app.storage.encrypted_store import EncryptedStore, KeySource

THUMBNAIL_SIZES = (160, 320, 640, 960, 1280, 1920)
PREVIEW_SIDE = 1600


def derivative_of(side: int) -> tuple[Role, int]:
    """Return role and variant of the derivative whose longest side has so many pixels."""
    return (Role.PREVIEW, 0) if side == PREVIEW_SIDE else (Role.THUMBNAIL, side)


class Derivatives:
    """Derivatives are a sealed cache: what is missing is made from the original."""

    def __init__(self, store: EncryptedStore, keys: KeySource, decoder: Decoder) -> None:
        self._store = store
        self._keys = keys
        self._decoder = decoder

    def make(self, image: ImageAccess, role: Role, variant: int) -> None:
        """Decode the original and seal one derivative of it, under the image's lock.

        Raises DecryptionFailed or BlobNotFound if the original itself is damaged.
        """
        side = PREVIEW_SIDE if role is Role.PREVIEW else variant
        path = image.path
        with (
            self._store.lock(path),
            self._store.open(
                path.original, image.id, Role.ORIGINAL, 0, image.floor
            ) as original,
        ):
            reader = original.reader
            rendered = self._decoder.render(
                BufferedReader(reader.as_file()),
                reader.plain_size,
                file_type_of(image),
                sizes=_decoded_with(side),
            )
            header = reader.header
            self._store.seal_derivative(
                path,
                image.id,
                self._keys.key(image.id, header.key_version_id),
                header.key_version_id,
                role,
                variant,
                rendered.derivatives[side],
                header.content_rev,
                generation=header.generation,
            )


def _decoded_with(side: int) -> tuple[int, ...]:
    """What was made at the upload is made from size to size, as then: the same bytes again,
    since the ETag is the same."""
    return STANDARD_SIZES if side in STANDARD_SIZES else (side,)


def file_type_of(image: ImageAccess) -> FileType:
    """Return what ingest found the file to be."""
    return FileType("image", image.mime_type, image.path.stored_name.extension)
