"""An uploaded data set: a ZIP file read in place, or one file of labels by itself.

Nothing is unpacked to a disk. A document is read whole, within limits; a picture is handed
out as a file that is sealed again where it is large.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Literal, Self
from zipfile import BadZipFile, ZipFile

from app.domain.filenames import clean_filename
from app.errors import InvalidInput
from app.media.signatures import by_signature
from app.services.exchange.archive_directory import BROKEN, Entry, read_directory
from app.services.exchange.archive_limits import USUAL, ArchiveLimits, refused, too_large
from app.storage.spool import SealedSpool

BLOCK: Final = 1 << 20
DOCUMENTS: Final = frozenset(
    {"json", "jsonl", "xml", "csv", "tsv", "txt", "yaml", "yml", "names", "data"}
)
PICTURES: Final = frozenset(
    {"jpg", "jpeg", "jpe", "png", "gif", "webp", "avif", "heic", "heif", "tif", "tiff", "bmp"}
)
KNOWN: Final = DOCUMENTS | PICTURES
HEAD: Final = 4096
"""Bytes of an entry by which a picture is known, whatever it is called."""
Part = Literal["document", "picture", "neither"]
ZIP_MARKS: Final = (b"PK\x03\x04", b"PK\x05\x06")


class Upload:
    """The parts of an upload by their names; ``close`` leaves the file that it reads alone."""

    def __init__(
        self, file: BinaryIO, name: str, folder: Path, limits: ArchiveLimits = USUAL
    ) -> None:
        """``file`` can seek; ``folder`` is where large pictures are sealed while they are
        read. Raises ``InvalidInput`` with the place, ``FileTooLarge``.
        """
        self._file = file
        self._folder = folder
        self._limits = limits
        self._archive: ZipFile | None = None
        file.seek(0)
        if file.read(4) in ZIP_MARKS:
            self._archive, entries = read_directory(file, limits)
            self._entries = {entry.name: entry for entry in entries}
        else:
            self._single = _single_name(name)
            self._entries = {}
        self._parts: dict[str, Part] = {}
        self._documents: _Documents | None = None
        self._check_documents()

    @property
    def documents(self) -> Mapping[str, bytes]:
        """The files of labels by their paths."""
        if self._documents is None:
            self._documents = _Documents(self, self._document_sizes())
        return self._documents

    @property
    def pictures(self) -> tuple[str, ...]:
        """The paths of the pictures, in the order of the archive: what is called as pictures
        are, and what begins as one."""
        return tuple(name for name in self._entries if self._part(name) == "picture")

    @property
    def ignored(self) -> tuple[str, ...]:
        """What is neither: archives in the archive, programs, what systems leave behind."""
        return tuple(name for name in self._entries if self._part(name) == "neither")

    def leave_out(self, folder: str) -> None:
        """Go on as if nothing were below ``folder``, which ends with a slash."""
        self._entries = {
            name: entry for name, entry in self._entries.items() if not name.startswith(folder)
        }
        self._documents = None

    def size_of(self, name: str) -> int:
        return self._entries[name].size

    def open_picture(self, name: str) -> SealedSpool:
        """The picture as a file of its own; ``FileTooLarge``, ``InvalidInput`` if damaged."""
        entry = self._entries[name]
        if entry.size > self._limits.picture:
            raise too_large("A picture of this archive is larger than this site takes.")
        spool = SealedSpool.for_body(self._folder, entry.size)
        try:
            for block in self._blocks(entry):
                spool.write(block)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return spool

    def read(self, name: str) -> bytes:
        """A document whole."""
        if self._archive is None:
            self._file.seek(0)
            return self._file.read()
        return b"".join(self._blocks(self._entries[name]))

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _part(self, name: str) -> Part:
        """A file that a person called ``a.mp3`` or ``notes.txt`` may be a picture."""
        if name not in self._parts:
            called = _called(name)
            is_picture = called == "picture" or self._begins_as_picture(name)
            self._parts[name] = "picture" if is_picture else called
        return self._parts[name]

    def _begins_as_picture(self, name: str) -> bool:
        entry = self._entries[name]
        try:
            head = next(self._blocks(entry, HEAD), b"")
        except InvalidInput:  # told where it is read
            return False
        row = by_signature(head, entry.size)
        return row is not None and row.file_type.kind == "image"

    def _document_sizes(self) -> dict[str, int]:
        if self._archive is None:
            return {self._single: self._file.seek(0, 2)}
        return {
            name: entry.size
            for name, entry in self._entries.items()
            if self._part(name) == "document"
        }

    def _check_documents(self) -> None:
        """``FileTooLarge``. No entry is opened for this unless those that are called as labels
        are too large."""
        limits = self._limits
        if self._archive is None:
            sizes = self._document_sizes()
        else:
            called = {n: e.size for n, e in self._entries.items() if _called(n) == "document"}
            most, total = max(called.values(), default=0), sum(called.values())
            if most <= limits.document and total <= limits.documents:
                return
            sizes = self._document_sizes()
        if max(sizes.values(), default=0) > limits.document:
            raise too_large(f"A file of labels has at most {limits.document >> 20} MiB.")
        if sum(sizes.values()) > limits.documents:
            raise too_large(f"All labels together have at most {limits.documents >> 20} MiB.")

    def _blocks(self, entry: Entry, size: int = BLOCK) -> Iterator[bytes]:
        """Exactly as much as the list told: `zipfile` never gives more."""
        assert self._archive is not None  # noqa: S101 - for the type: there are entries
        left = entry.size
        try:
            with self._archive.open(entry.info) as part:
                while block := part.read(size):
                    left -= len(block)
                    yield block
        except (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error):
            raise refused(entry.name, BROKEN) from None
        if left:
            raise refused(entry.name, BROKEN)


class _Documents(Mapping[str, bytes]):
    """Read when they are asked for, each time anew: never all in memory."""

    def __init__(self, upload: Upload, sizes: Mapping[str, int]) -> None:
        self._upload = upload
        self._sizes = sizes

    def __getitem__(self, name: str) -> bytes:
        if name not in self._sizes:
            raise KeyError(name)
        return self._upload.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)


def _single_name(name: str) -> str:
    clean = clean_filename(name)
    if _kind(clean) not in DOCUMENTS:
        raise refused(
            "archive", "Send a ZIP file, or one file of labels: .json, .xml, .csv or .txt."
        )
    return clean


def _kind(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _called(name: str) -> Part:
    """What the name says."""
    kind = _kind(name)
    if _is_junk(name) or kind not in KNOWN:
        return "neither"
    return "document" if kind in DOCUMENTS else "picture"


def _is_junk(name: str) -> bool:
    """What macOS and Windows leave in archives."""
    parts = name.split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith("._") or parts[-1] in _LEFTOVERS


_LEFTOVERS: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
