"""Opening a source: a plain picture as it lies there, an old sealed one into a sealed spool."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from app.crypto.keys import SecretKey
from app.crypto.legacy_cbc import (
    TEXT_HEAD,
    HexSource,
    Sink,
    is_text_form,
    open_cbc,
    open_cbc_head,
)
from app.crypto.legacy_gcm import open_gcm
from app.errors import DecryptionFailed, FileTooLarge, InvalidInput, UnsupportedType
from app.media.formats import CLIPS_REFUSED, FileType
from app.media.probe import HEAD_BYTES, probe
from app.services.examination import Source as Content
from app.services.migration.meta_file import Meta, read_meta
from app.services.migration.sources import META, SEALED, Source
from app.services.new_image import SEALED as PROVEN
from app.services.new_image import UNVERIFIED
from app.storage.spool import SealedSpool

MOST_UNNAMED_KEYS: Final = 32
"""So many keys of a secrets file are tried one after the other where no name tells which."""
NOT_SEALED: Final = "This picture is not encrypted: `encryption migrate` takes it in."
NO_KEY: Final = (
    "There is no key for it: IMAGE_ENCRYPTION_KEY is not set, and no key of the secrets file"
    " has the id that its name or .meta tells."
)


@dataclass(frozen=True, slots=True)
class Opened:
    """``size`` in bytes of plaintext."""

    content: Content
    size: int
    name: str
    provenance: str

    @property
    def unproven(self) -> bool:
        """Whether only magic bytes and a full decode can tell that the key was right."""
        return self.provenance == UNVERIFIED


@dataclass(frozen=True, slots=True, repr=False)
class OldKeys:
    """``shared`` is the one key of CBC files; ``single`` are those of tagged files."""

    shared: SecretKey | None = None
    single: Mapping[str, SecretKey] = field(default_factory=dict)


class Opener(Protocol):
    """Hands out the plaintext of a source for as long as the block lasts.

    Raises ``OSError``, ``RefusedError`` or ``DecryptionFailed``, one message for all that a
    key can be wrong about.
    """

    def open(self, source: Source) -> AbstractContextManager[Opened]: ...


class PlainFiles:
    """Pictures that lie there in clear."""

    @contextmanager
    def open(self, source: Source) -> Iterator[Opened]:
        """The file itself."""
        with source.path.open("rb") as file:
            facts = os.fstat(file.fileno())
            yield Opened(file, facts.st_size, source.path.name, PROVEN)


class OldFiles:
    """Sealed files of the older programs."""

    def __init__(self, keys: OldKeys, spool_folder: Path, max_size: int) -> None:
        """``max_size``: bytes of the largest picture that can be stored."""
        self._keys = keys
        self._folder = spool_folder
        self._max_size = max_size

    @property
    def has_keys(self) -> bool:
        """Whether anything could be opened at all."""
        return self._keys.shared is not None or bool(self._keys.single)

    @contextmanager
    def open(self, source: Source) -> Iterator[Opened]:
        """A spool that holds all of it; nothing in clear touches the disk."""
        told = read_meta(source.meta)
        with source.path.open("rb") as file, SealedSpool(self._folder) as spool:
            facts = os.fstat(file.fileno())
            provenance = self._fill(source, told, file, facts.st_size, spool)
            name = told.name or _bare_name(source.path)
            yield Opened(spool, spool.size, name, provenance)

    def _fill(
        self, source: Source, told: Meta, file: io.BufferedReader, size: int, spool: SealedSpool
    ) -> str:
        single = self._single(source, told)
        if single:
            self._refuse_large(size)
            for key in single[:-1]:
                if _opens(file, size, key):
                    _read_tagged(file, size, key, spool)
                    return PROVEN
            _read_tagged(file, size, single[-1], spool)
            return PROVEN
        if self._keys.shared is None:
            raise InvalidInput(NO_KEY, operation="legacy.key")
        try:
            self._read_shared(file, size, self._keys.shared, spool)
        except DecryptionFailed:
            _say_if_plain(file, size)
            raise
        return UNVERIFIED

    def _single(self, source: Source, told: Meta) -> list[SecretKey]:
        """The keys to try: those that a name tells, else all where there are but a few."""
        single = self._keys.single
        named = [single[reference] for reference in _references(source, told, single)]
        if named or self._keys.shared is not None or len(single) > MOST_UNNAMED_KEYS:
            return named
        return list(single.values())

    def _read_shared(
        self, file: io.BufferedReader, size: int, key: SecretKey, sink: Sink
    ) -> None:
        file.seek(0)
        text = is_text_form(file.read(TEXT_HEAD))
        kind = _kind_of(file, key, text=text)
        if kind is not None and kind.kind == "video":
            raise UnsupportedType(CLIPS_REFUSED, operation="legacy.kind")
        self._refuse_large(size // 2 if text else size)
        file.seek(0)
        open_cbc(HexSource(file) if text else file, key, sink)

    def _refuse_large(self, size: int) -> None:
        if size > self._max_size + 64:
            raise FileTooLarge(
                f"The file is larger than {self._max_size >> 20} MiB, the limit for one file"
                " (UPLOAD_MAX_SIZE).",
                operation="legacy.size",
            )


class AllFiles:
    """Old sealed files and plain ones, told apart: for the proof of both."""

    def __init__(self, old: OldFiles) -> None:
        self._old = old
        self._plain = PlainFiles()

    def open(self, source: Source) -> AbstractContextManager[Opened]:
        """As whichever it is; a name that ends in .enc or has a .meta is of a sealed one."""
        sealed = source.path.suffix == SEALED or source.meta is not None
        if not sealed and self._old.has_keys:
            with source.path.open("rb") as file:
                sealed = _known(file.read(HEAD_BYTES), source.path.stat().st_size) is None
        opener: Opener = self._old if sealed else self._plain
        return opener.open(source)


def _kind_of(file: io.BufferedReader, key: SecretKey, *, text: bool) -> FileType | None:
    """What it would be under this key, by its first bytes."""
    file.seek(0)
    reader = HexSource(file) if text else file
    head = open_cbc_head(reader.read(16) + reader.read(HEAD_BYTES // 16 * 16), key)
    return _known(head, max(len(head), 1))


def _known(head: bytes, size: int) -> FileType | None:
    try:
        return probe(head, size)
    except UnsupportedType:
        return None


def _say_if_plain(file: io.BufferedReader, size: int) -> None:
    file.seek(0)
    if _known(file.read(HEAD_BYTES), size) is not None:
        raise InvalidInput(NOT_SEALED, operation="legacy.plain") from None


def _read_tagged(file: io.BufferedReader, size: int, key: SecretKey, sink: Sink) -> None:
    file.seek(0)
    open_gcm(file, size, key, sink)


def _opens(file: io.BufferedReader, size: int, key: SecretKey) -> bool:
    try:
        _read_tagged(file, size, key, _Nowhere())
    except DecryptionFailed:
        return False
    return True


class _Nowhere:
    def write(self, data: bytes, /) -> int:
        return len(data)


def _references(source: Source, told: Meta, known: Mapping[str, SecretKey]) -> Iterator[str]:
    """The references that fit, ``file-<id>``: as ``.meta`` tells, or as the file is called."""
    stem = _bare_name(source.path)
    names = [told.reference, stem, stem.partition(".")[0], stem.rpartition("_")[2]]
    for name in dict.fromkeys(filter(None, names)):
        yield from (one for one in (name, f"file-{name}") if one in known)


def _bare_name(path: Path) -> str:
    return path.name.removesuffix(META).removesuffix(SEALED)


def identity_of(path: Path) -> tuple[int, ...]:
    """(dev, inode, size in bytes, mtime in ns): equal as long as nobody changed the file."""
    facts = path.lstat()
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
