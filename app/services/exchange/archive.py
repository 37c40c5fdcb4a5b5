"""An uploaded data set: a ZIP file read in place, or one file of labels by itself.

Nothing is unpacked to a disk. A document is read whole, within limits; a picture is handed
out as a file that is sealed again where it is large.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from zipfile import BadZipFile, ZipFile

from app.domain.filenames import clean_filename
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
        self.documents: Mapping[str, bytes] = _Documents(self, self._document_sizes())

    @property
    def pictures(self) -> tuple[str, ...]:
        """The paths of the pictures, in the order of the archive."""
        return tuple(n for n in self._entries if _kind(n) in PICTURES and not _is_junk(n))

    @property
    def ignored(self) -> tuple[str, ...]:
        """What is neither: archives in the archive, programs, what systems leave behind."""
        known = DOCUMENTS | PICTURES
        return tuple(n for n in self._entries if _kind(n) not in known or _is_junk(n))

    def leave_out(self, folder: str) -> None:
        """Go on as if nothing were below ``folder``, which ends with a slash."""
        self._entries = {
            name: entry for name, entry in self._entries.items() if not name.startswith(folder)
        }
        self.documents = _Documents(self, self._document_sizes())

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

    def _document_sizes(self) -> dict[str, int]:
        if self._archive is None:
            sizes = {self._single: self._file.seek(0, 2)}
        else:
            sizes = {
                name: entry.size
                for name, entry in self._entries.items()
                if _kind(name) in DOCUMENTS and not _is_junk(name)
            }
        limits = self._limits
        if max(sizes.values(), default=0) > limits.document:
            raise too_large(f"A file of labels has at most {limits.document >> 20} MiB.")
        if sum(sizes.values()) > limits.documents:
            raise too_large(f"All labels together have at most {limits.documents >> 20} MiB.")
        return sizes

    def _blocks(self, entry: Entry) -> Iterator[bytes]:
        """Exactly as much as the list told: `zipfile` never gives more."""
        assert self._archive is not None  # noqa: S101 - for the type: there are entries
        left = entry.size
        try:
            with self._archive.open(entry.info) as part:
                while block := part.read(BLOCK):
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


def _is_junk(name: str) -> bool:
    """What macOS and Windows leave in archives: never a label, never a picture."""
    parts = name.split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith("._") or parts[-1] in _LEFTOVERS


_LEFTOVERS: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
