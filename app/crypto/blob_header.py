"""The 128 bytes at the start of every sealed file (docs/store-format.md, section 1)."""

from __future__ import annotations

import hmac
import os
import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.crypto.context import ROLES_WITH_VARIANTS, BlobContext, Role
from app.crypto.kdf import BlobSubkeys
from app.crypto.keys import SecretKey
from app.errors import DecryptionFailed

HEADER_BYTES: Final = 128
TAGGED_BYTES: Final = 96

MAGIC: Final = bytes.fromhex("89 44 4B 52 4D 0D 0A 1A")
VERSION: Final = 1
SUITE: Final = 1
SMALLEST_CHUNK: Final = 4 * 1024
LARGEST_CHUNK: Final = 64 * 1024 * 1024

SALT_BYTES: Final = 28
NONCE_PREFIX_BYTES: Final = 7
HEADER_TAG_BYTES: Final = 32

LAYOUT: Final = struct.Struct(">8s B B B B I 16s I 16s I I 28s 7s B 32s")
_TAGGED: Final = struct.Struct(LAYOUT.format.removesuffix(" 32s"))
SCOPE: Final = slice(8, 12)
FILE_ID: Final = slice(16, 32)
SALT: Final = slice(60, 88)
NONCE_PREFIX: Final = slice(88, 95)
_KNOWN_ROLES: Final = {int(role): role for role in Role}


@dataclass(frozen=True, slots=True)
class BlobHeader:
    """One header.

    ::

        off len field
          0   8  magic           89 44 4B 52 4D 0D 0A 1A
          8   1  version         01
          9   1  suite           01: HKDF-SHA-256, AES-256-GCM, STREAM nonces, HMAC-SHA-256
         10   1  role            1 to 7, see `Role`
         11   1  flags           00
         12   4  chunk_size      plaintext bytes in a chunk, 4 KiB to 64 MiB
         16  16  file_id         the image's UUID
         32   4  generation      of the key, from 1
         36  16  key_version_id  names the DEK
         52   4  content_rev     of the content, from 0
         56   4  variant         size, frame or part; else 0
         60  28  salt            random
         88   7  nonce_prefix    random
         95   1  zero            00
         96  32  header_tag      HMAC-SHA-256(k_header, bytes 0..95)

    All integers big endian. The tag authenticates the header and commits to the DEK; the
    whole header is the AAD of every chunk.
    """

    chunk_size: int
    file_id: UUID
    role: Role
    generation: int
    key_version_id: bytes
    content_rev: int
    variant: int
    salt: bytes
    nonce_prefix: bytes
    header_tag: bytes

    def pack(self) -> bytes:
        """The 128 bytes."""
        return LAYOUT.pack(
            MAGIC,
            VERSION,
            SUITE,
            self.role,
            0,
            self.chunk_size,
            self.file_id.bytes,
            self.generation,
            self.key_version_id,
            self.content_rev,
            self.variant,
            self.salt,
            self.nonce_prefix,
            0,
            self.header_tag,
        )

    @property
    def context(self) -> BlobContext:
        """What the blob claims to be; only `BlobReader` says that it is."""
        return BlobContext(
            file_id=self.file_id,
            role=self.role,
            variant=self.variant,
            generation=self.generation,
            key_version_id=self.key_version_id,
            content_rev=self.content_rev,
        )

    @property
    def scope(self) -> bytes:
        """Bytes 8..11 (version, suite, role, flags), which every subkey is bound to."""
        return bytes((VERSION, SUITE, self.role, 0))


def subkeys_of(packed: bytes, dek: SecretKey) -> BlobSubkeys:
    """The keys of the encryption run that a packed header starts."""
    return BlobSubkeys(dek, packed[SALT], packed[SCOPE], packed[FILE_ID])


def header_tag(subkeys: BlobSubkeys, packed: bytes) -> bytes:
    """HMAC-SHA-256(k_header, bytes 0..95) of a packed header."""
    return hmac.digest(subkeys.derive(b"header"), packed[:TAGGED_BYTES], "sha256")


def is_genuine(header: BlobHeader, key: SecretKey) -> bool:
    """Whether this key made this header, every byte of it; in constant time."""
    packed = header.pack()
    return hmac.compare_digest(header_tag(subkeys_of(packed, key), packed), header.header_tag)


def new_header(
    context: BlobContext, chunk_size: int, dek: SecretKey
) -> tuple[BlobHeader, bytes, BlobSubkeys]:
    """A signed header with a fresh salt and nonce prefix, its bytes, the keys of its run."""
    fresh = os.urandom(SALT_BYTES + NONCE_PREFIX_BYTES)
    salt, nonce_prefix = fresh[:SALT_BYTES], fresh[SALT_BYTES:]
    tagged = _TAGGED.pack(
        MAGIC,
        VERSION,
        SUITE,
        context.role,
        0,
        chunk_size,
        context.file_id.bytes,
        context.generation,
        context.key_version_id,
        context.content_rev,
        context.variant,
        salt,
        nonce_prefix,
        0,
    )
    subkeys = subkeys_of(tagged, dek)
    tag = header_tag(subkeys, tagged)
    header = BlobHeader(
        chunk_size,
        context.file_id,
        context.role,
        context.generation,
        context.key_version_id,
        context.content_rev,
        context.variant,
        salt,
        nonce_prefix,
        tag,
    )
    return header, tagged + tag, subkeys


def parse_header(raw: bytes) -> BlobHeader:
    """Read 128 bytes; nothing of it is authenticated yet.

    Raises `DecryptionFailed` for what no writer writes: another length, magic, version or
    suite, an unknown role, a set flag, an impossible chunk size, generation 0, a variant
    where the role has none, a zero byte that is not zero.
    """
    if len(raw) != HEADER_BYTES:
        raise DecryptionFailed(operation="blob.header")
    magic, version, suite, role, flags, chunk_size, file_id, *rest = LAYOUT.unpack(raw)
    generation, key_version_id, content_rev, variant, salt, nonce_prefix, zero, tag = rest
    known_role = _KNOWN_ROLES.get(role)
    if (
        known_role is None
        or (magic, version, suite, flags, zero) != (MAGIC, VERSION, SUITE, 0, 0)
        or not SMALLEST_CHUNK <= chunk_size <= LARGEST_CHUNK
        or generation == 0
        or (variant and known_role not in ROLES_WITH_VARIANTS)
    ):
        raise DecryptionFailed(operation="blob.header")
    return BlobHeader(
        chunk_size,
        UUID(bytes=file_id),
        known_role,
        generation,
        key_version_id,
        content_rev,
        variant,
        salt,
        nonce_prefix,
        tag,
    )
