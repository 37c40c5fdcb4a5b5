"""AES-256-GCM with one tag over the whole file, as an older program wrote it.

::

    nonce 12 || ciphertext || tag 16

The tag stands at the end, so plaintext is written to a sink that nobody reads before the
whole file was verified. Read for import only; one error stands for all failures.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.crypto.keys import SecretKey
from app.crypto.legacy_cbc import PIECE, Readable, Sink
from app.errors import DecryptionFailed

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
OVERHEAD: Final = NONCE_BYTES + TAG_BYTES
MAX_PLAIN: Final = 2**36 - 32
"""Bytes that GCM seals under one nonce: NIST SP 800-38D, section 5.2.1.1."""


def open_gcm(source: Readable, size: int, key: SecretKey, sink: Sink) -> None:
    """Decrypt a file of ``size`` bytes from its start.

    Only when this returns was anything verified: after ``DecryptionFailed`` throw away what
    the sink has.
    """
    left = size - OVERHEAD
    if not 0 <= left <= MAX_PLAIN:
        raise _failed()
    nonce = source.read(NONCE_BYTES)
    if len(nonce) != NONCE_BYTES:
        raise _failed()
    decryptor = Cipher(algorithms.AES256(key.reveal()), modes.GCM(nonce)).decryptor()
    while left:
        piece = source.read(min(PIECE, left))
        if not piece:
            raise _failed()
        sink.write(decryptor.update(piece))
        left -= len(piece)
    try:
        decryptor.finalize_with_tag(source.read(TAG_BYTES))
    except (InvalidTag, ValueError):  # a shorter tag is no tag
        raise _failed() from None


def _failed() -> DecryptionFailed:
    return DecryptionFailed(operation="legacy.open")
