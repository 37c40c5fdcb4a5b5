"""What a key, a slug and a stored name may look like; see ``object_paths`` for the layout.

These are the only doors through which text from outside becomes part of a path.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from app.errors import BlobNotFound, InvalidInput

MARKER = ".darkroom-store"
TEMPORARY = ".tmp-"

# The longest key of S3, in bytes.
MAX_KEY = 1024

# 255 is the longest name of the usual file systems.
_PLAIN = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}"
_LAST = rf"(?:{_PLAIN}|\.tmp-[0-9a-f]{{32}})"
_NAME = re.compile(_LAST + r"\Z")
_KEY = re.compile(rf"(?:{_PLAIN}/){{0,7}}{_LAST}\Z|\.darkroom-store\Z")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
STORED_NAME = (
    r"(?P<kind>[a-z]{1,16})_(?P<ms>0|[1-9][0-9]{0,15})"
    r"_(?P<bits>[0-9a-f]{32})\.(?P<ext>[a-z0-9]{1,8})"
)
_STORED_NAME = re.compile(STORED_NAME + r"\Z")
# Without 0, 1, i, l, o and u: a slug is read aloud and typed.
_SLUG_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"


def no_such_blob() -> BlobNotFound:
    """The refusal of an address: it never repeats what was asked for."""
    return BlobNotFound("No blob can have this address.", operation="store.address")


def check_key(key: str) -> tuple[str, ...]:
    """Take a key apart into its names, or raise ``BlobNotFound``.

    Refuses whatever could mean something to a file system: absolute paths, empty names,
    ``.`` and ``..``, NUL, backslashes, names that begin with a dot (but the marker and
    temporary files), anything outside ASCII letters, digits, ``._-``, names of more than
    255 bytes, more than 8 names, and what is too long.
    """
    if len(key) > MAX_KEY or _KEY.match(key) is None:
        raise no_such_blob()
    return tuple(key.split("/"))


def is_name(name: str) -> bool:
    """Whether one name of a key is allowed; a temporary file's is, the marker's is not."""
    return _NAME.match(name) is not None


def check_prefix(prefix: str) -> tuple[tuple[str, ...], str]:
    """Split a prefix of keys into the names of its folders and the start of a name."""
    folder, slash, start = prefix.rpartition("/")
    if (slash and not folder) or (start and not is_name(start)):
        raise no_such_blob()
    return (check_key(folder) if folder else ()), start


def new_temporary_name(tag: str | None = None) -> str:
    """A name beside the blob that is being written.

    ``tag`` is 32 hex digits; None draws 128 random bits.
    """
    name = TEMPORARY + (secrets.token_hex(16) if tag is None else tag)
    if not is_name(name):
        raise no_such_blob()
    return name


def temporary_beside(key: str, tag: str) -> str:
    """The key of what is being written under ``tag`` and will lie at ``key``."""
    folder, slash, _ = key.rpartition("/")
    return folder + slash + new_temporary_name(tag)


def is_temporary(name: str) -> bool:
    return name.startswith(TEMPORARY)


def new_slug() -> str:
    """A random address of a collection: ``c-`` and ten characters (49 bits)."""
    return "c-" + "".join(secrets.choice(_SLUG_LETTERS) for _ in range(10))


def is_slug(text: str) -> bool:
    """1 to 63 lower-case letters, digits and inner hyphens: a DNS label, so safe anywhere."""
    return _SLUG.match(text) is not None


def check_slug(text: str) -> str:
    """The typed slug itself, or ``InvalidInput`` that says what a slug is made of."""
    if not is_slug(text):
        raise InvalidInput(
            "An address has 1 to 63 lower-case letters, digits and inner hyphens.",
            operation="store.slug",
        )
    return text


@dataclass(frozen=True, slots=True)
class StoredName:
    """``image_1625123456789_<32 hex>.jpg``; ``created_ms`` is Unix time in ms."""

    kind: str
    created_ms: int
    bits: str
    extension: str

    def __post_init__(self) -> None:
        if _STORED_NAME.match(str(self)) is None:
            raise no_such_blob()

    def __str__(self) -> str:
        return f"{self.kind}_{self.created_ms}_{self.bits}.{self.extension}"

    @classmethod
    def parse(cls, text: str) -> StoredName:
        """The parts of a stored name; ``BlobNotFound`` if it is none."""
        found = _STORED_NAME.match(text)
        if found is None:
            raise no_such_blob()
        return cls(found["kind"], int(found["ms"]), found["bits"], found["ext"])


def new_stored_name(kind: str, extension: str, now_ms: int) -> StoredName:
    """A fresh name; ``kind`` is ``image`` or ``video``, ``extension`` without its dot."""
    return StoredName(kind, now_ms, secrets.token_hex(16), extension)
