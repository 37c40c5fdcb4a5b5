"""AES-256-CBC with PKCS#7 padding, as the older programs wrote it. Read for import only.

::

    binary   IV 16 || ciphertext, a multiple of 16 bytes, at least 16
    text     hex(IV) ":" hex(ciphertext), white space at its end ignored

There is no tag: a wrong key passes the padding about once in 256, and a changed file may
pass as well. What comes out here is unproven; the caller asks for the magic bytes and a
full decode before it keeps anything. One error stands for all failures.
"""

from __future__ import annotations

import io
import re
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from app.crypto.keys import SecretKey
from app.errors import DecryptionFailed

IV_BYTES: Final = 16
BLOCK_BYTES: Final = 16
PIECE: Final = 256 * 1024
"""Bytes of ciphertext at a time, a multiple of 16: memory does not grow with the file."""
TEXT_HEAD: Final = 2 * IV_BYTES + 1

_TEXT_HEAD = re.compile(rb"[0-9a-fA-F]{32}:")
_TEXT = re.compile(r"[0-9a-fA-F]{32}:(?:[0-9a-fA-F]{32})+", re.ASCII)


class Readable(Protocol):
    """Gives up to ``size`` bytes, and b"" at the end."""

    def read(self, size: int, /) -> bytes: ...


class Sink(Protocol):
    """Where plaintext goes: memory, or a file that is sealed itself."""

    def write(self, data: bytes, /) -> int: ...


def is_text_form(head: bytes) -> bool:
    """Whether a file that begins so is ``hex(iv):hex(ct)``."""
    return _TEXT_HEAD.match(head) is not None


def is_sealed_text(text: str) -> bool:
    """Whether a whole value is ``hex(iv):hex(ct)``."""
    return _TEXT.fullmatch(text.strip()) is not None


def open_cbc(source: Readable, key: SecretKey, sink: Sink) -> None:
    """Decrypt the binary layout from the source's position to its end.

    ``DecryptionFailed`` leaves a part in the sink: throw it away.
    """
    iv = _exactly(source, IV_BYTES)
    decryptor = Cipher(algorithms.AES256(key.reveal()), modes.CBC(iv)).decryptor()
    padding = PKCS7(BLOCK_BYTES * 8).unpadder()
    try:
        while piece := source.read(PIECE):
            sink.write(padding.update(decryptor.update(piece)))
        sink.write(padding.update(decryptor.finalize()) + padding.finalize())
    except ValueError:  # no whole blocks, none at all, or wrong padding
        raise _failed() from None


def open_cbc_head(head: bytes, key: SecretKey) -> bytes:
    """The first bytes of a file that begins with ``head``, the binary layout; may be b"".

    Enough to tell what kind of file it would be. The padding, if it is in there, stays.
    """
    iv, body = head[:IV_BYTES], head[IV_BYTES:]
    if len(iv) < IV_BYTES:
        raise _failed()
    decryptor = Cipher(algorithms.AES256(key.reveal()), modes.CBC(iv)).decryptor()
    return decryptor.update(body)


def open_text(text: str, key: SecretKey) -> bytes:
    """The plaintext of one ``hex(iv):hex(ct)`` value; ``DecryptionFailed``."""
    if not is_sealed_text(text):
        raise _failed()
    plain = io.BytesIO()
    open_cbc(HexSource(io.BytesIO(text.strip().encode("ascii"))), key, plain)
    return plain.getvalue()


class HexSource:
    """The text layout, read as the binary one. ``DecryptionFailed`` where it is no hex."""

    def __init__(self, text: Readable) -> None:
        self._text = text
        self._head = False

    def read(self, size: int, /) -> bytes:
        if not self._head:
            self._head = True
            return self._iv()
        digits = self._text.read(2 * size)
        try:
            return bytes.fromhex(digits.strip().decode("ascii"))
        except ValueError:
            raise _failed() from None

    def _iv(self) -> bytes:
        head = self._text.read(TEXT_HEAD)
        if not is_text_form(head):
            raise _failed()
        return bytes.fromhex(head[:-1].decode("ascii"))


def _exactly(source: Readable, size: int) -> bytes:
    got = source.read(size)
    if len(got) != size:
        raise _failed()
    return got


def _failed() -> DecryptionFailed:
    return DecryptionFailed(operation="legacy.open")
