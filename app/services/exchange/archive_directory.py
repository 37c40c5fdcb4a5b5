"""The list at the end of a ZIP file, looked at before a line of it is believed.

APPNOTE 6.3.10: the end record (4.3.16), its zip64 forms (4.3.14, 4.3.15), entries (4.3.12).
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from app.domain.text_rules import is_forbidden, to_nfc
from app.services.exchange.archive_limits import ArchiveLimits, refused, too_large

END: Final = struct.Struct("<4s4H2LH")
END_MARK: Final = b"PK\x05\x06"
END64: Final = struct.Struct("<4sQ2H2L4Q")
LOCATOR: Final = struct.Struct("<4sLQL")
LONGEST_COMMENT: Final = 0xFFFF
LOCAL_HEADER: Final = 30
ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
UTF8: Final = 0x800
RATIO_FROM: Final = 1 << 20
BROKEN: Final = "This is no ZIP file, or it is cut short or damaged."
_DRIVE_MARK: Final = ":"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: ``name`` is a relative path with slashes, NFC."""

    name: str
    size: int
    info: ZipInfo


def read_directory(file: BinaryIO, limits: ArchiveLimits) -> tuple[ZipFile, tuple[Entry, ...]]:
    """The opened archive and its files in their order; folders are left out.

    Raises ``InvalidInput`` with the entry that is wrong, ``FileTooLarge``.
    """
    _check_end(file, limits)
    try:
        archive = ZipFile(file)
    except (BadZipFile, ValueError, OverflowError, NotImplementedError, struct.error):
        raise refused("archive", BROKEN) from None
    infos = archive.infolist()
    if not infos:
        raise refused("archive", "There is nothing in this archive.")
    if len(infos) > limits.entries:
        raise _too_many(limits)
    _refuse_overlaps(infos)
    entries = tuple(_entries(infos, limits))
    sizes = (sum(info.file_size for info in infos), sum(info.compress_size for info in infos))
    if _is_bomb(*sizes, limits):
        raise refused("archive", "This unpacks to far more than it takes: a ZIP bomb.")
    return archive, entries


def _check_end(file: BinaryIO, limits: ArchiveLimits) -> None:
    """`zipfile` reads the whole list into memory: how long it is has to be known before."""
    size = file.seek(0, 2)
    tail_at = max(0, size - END.size - LONGEST_COMMENT)
    file.seek(tail_at)
    tail = file.read(size - tail_at)
    at = tail.rfind(END_MARK)
    if at < 0 or len(tail) - at < END.size:
        raise refused("archive", BROKEN)
    _, _, _, _, count, length, start, _ = END.unpack_from(tail, at)
    if _is_64(count, length, start):
        count, length = _end64(file, tail_at + at)
    if count > limits.entries:
        raise _too_many(limits)
    if length > limits.directory or length > size:
        raise too_large("The list of files in this archive is too long.")


def _is_64(count: int, length: int, start: int) -> bool:
    return count == 0xFFFF or length == 0xFFFFFFFF or start == 0xFFFFFFFF


def _end64(file: BinaryIO, end_at: int) -> tuple[int, int]:
    """How many entries the zip64 record tells, and the length of their list in bytes."""
    try:
        file.seek(end_at - LOCATOR.size)
        mark, _, at, _ = LOCATOR.unpack(file.read(LOCATOR.size))
        if mark != b"PK\x06\x07":
            raise refused("archive", BROKEN)
        file.seek(at)
        told = END64.unpack(file.read(END64.size))
    except (OSError, ValueError, OverflowError, struct.error):
        raise refused("archive", BROKEN) from None
    if told[0] != b"PK\x06\x06":
        raise refused("archive", BROKEN)
    return told[7], told[8]


def _refuse_overlaps(infos: Sequence[ZipInfo]) -> None:
    """A quine or a bomb of shared data has entries that lie on each other."""
    free_from = 0
    for info in sorted(infos, key=lambda each: each.header_offset):
        if info.header_offset < free_from:
            raise refused("archive", "Entries of this archive lie on each other.")
        shortest = LOCAL_HEADER + len(info.orig_filename)
        free_from = info.header_offset + shortest + info.compress_size


def _entries(infos: Sequence[ZipInfo], limits: ArchiveLimits) -> Iterator[Entry]:
    seen: set[str] = set()
    for number, info in enumerate(infos, 1):
        place = f"entry {number}"
        name = clean_path(_told_name(info), place, limits)
        _check_kind(info, place)
        if info.is_dir() or not name:
            continue
        if name in seen:
            raise refused(place, "Two entries of this archive have the same name.")
        seen.add(name)
        if _is_bomb(info.file_size, info.compress_size, limits):
            raise refused(place, "This entry unpacks to far more than it takes: a ZIP bomb.")
        yield Entry(name, info.file_size, info)


def _is_bomb(size: int, packed: int, limits: ArchiveLimits) -> bool:
    return size > RATIO_FROM and size > limits.ratio * packed


def _told_name(info: ZipInfo) -> str:
    """Many programs write UTF-8 without saying so (4.4.4, bit 11)."""
    if info.flag_bits & UTF8:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode()
    except UnicodeError:
        return info.orig_filename


def clean_path(told: str, place: str, limits: ArchiveLimits) -> str:
    """A relative path below nothing: backslashes part folders too, as some programs write.

    ``InvalidInput`` for one that leads elsewhere or holds a NUL.
    """
    name = to_nfc(told.replace("\\", "/"))
    if len(name) > limits.name or any(is_forbidden(character) for character in name):
        raise refused(place, "The name of this entry cannot be used.")
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or _DRIVE_MARK in parts[0]:
        raise refused(place, "The path of this entry is not relative.")
    if ".." in parts:
        raise refused(place, "The path of this entry leads out of the archive.")
    return "/".join(part for part in parts if part not in {"", "."})


def _check_kind(info: ZipInfo, place: str) -> None:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise refused(place, "This entry is a link or a device, not a file.")
    if info.flag_bits & ENCRYPTED:
        raise refused(place, "This entry is encrypted. Pack the files without a password.")
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise refused(place, "This entry is packed by a method that is not read here.")


def _too_many(limits: ArchiveLimits) -> Exception:
    return too_large(f"An archive has at most {limits.entries:,} entries.")
