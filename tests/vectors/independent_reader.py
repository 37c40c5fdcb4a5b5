"""Opens a sealed Darkroom file with nothing but docs/store-format.md in hand.

It shares no code with the application: if both agree on a file, the page that describes the
format is complete. Usage::

    python independent_reader.py FILE DEK_HEX FILE_ID ROLE [VARIANT] > plaintext
"""

import hmac
import sys
import uuid
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"\x89DKRM\r\n\x1a"
HEADER, TAG = 128, 16


class Refused(ValueError):
    """The file is not what was asked for, or was touched; the message says how."""


def number(raw: bytes, offset: int, length: int) -> int:
    return int.from_bytes(raw[offset : offset + length], "big")


def check(holds: bool, rule: str) -> None:
    if not holds:
        raise Refused(rule)


def check_header(head: bytes, file_id: uuid.UUID, role: int, variant: int) -> None:
    check(len(head) == HEADER, "a header has 128 bytes")
    check(head[:8] == MAGIC, "magic")
    check(head[8] == 1, "version")
    check(head[9] == 1, "suite")
    check(1 <= head[10] <= 7, "role")
    check(head[11] == 0, "no flag is defined")
    check(4 * 1024 <= number(head, 12, 4) <= 64 * 1024 * 1024, "chunk size")
    check(number(head, 32, 4) >= 1, "generations start at 1")
    check(head[10] in (2, 4, 6) or number(head, 56, 4) == 0, "variant of a role without one")
    check(head[95] == 0, "the zero byte")
    wanted = (file_id.bytes, role, variant)
    check((head[16:32], head[10], number(head, 56, 4)) == wanted, "not what was asked for")


def subkey(dek: bytes, head: bytes, label: bytes) -> bytes:
    info = b"darkroom/v1/" + label + b"\x00" + head[8:12] + head[16:32]
    return HKDF(SHA256(), 32, salt=head[60:88], info=info).derive(dek)


def open_blob(
    blob: bytes, dek: bytes, file_id: uuid.UUID, role: int, variant: int = 0
) -> bytes:
    """The plaintext; raises `Refused`."""
    head, body = blob[:HEADER], blob[HEADER:]
    check_header(head, file_id, role, variant)
    tag = hmac.digest(subkey(dek, head, b"header"), head[:96], "sha256")
    check(hmac.compare_digest(tag, head[96:]), "header tag")

    step = number(head, 12, 4) + TAG
    chunks = [body[start : start + step] for start in range(0, len(body), step)] or [b""]
    check(len(chunks) < 2**32, "at most 2^32 - 1 chunks")
    check(len(chunks[-1]) >= TAG, "the final chunk is shorter than its tag")
    check(len(chunks) == 1 or len(chunks[-1]) > TAG, "an empty final chunk after data")

    cipher = AESGCM(subkey(dek, head, b"content"))
    plain = []
    for index, chunk in enumerate(chunks):
        last = b"\x01" if index == len(chunks) - 1 else b"\x00"
        nonce = head[88:95] + index.to_bytes(4, "big") + last
        try:
            plain.append(cipher.decrypt(nonce, chunk, head))
        except InvalidTag:
            raise Refused(f"tag of chunk {index}") from None
    return b"".join(plain)


if __name__ == "__main__":
    path, key, asked, as_role, *size = sys.argv[1:]
    sys.stdout.buffer.write(
        open_blob(
            Path(path).read_bytes(),
            bytes.fromhex(key),
            uuid.UUID(asked),
            int(as_role),
            int(size[0]) if size else 0,
        )
    )
