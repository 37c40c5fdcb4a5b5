"""All values of one folder of the local vault changed, as for a new master key.

An update of one key syncs its folder and keeps the former file for the grace period. Here
neither is wanted: one sync does for many files, and a copy would hold the very values that
are being replaced, so it goes as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.errors import DarkroomError, KeyVaultUnavailable
from app.vault.interface import Change, Rewritten
from app.vault.key_file import KeyFile, decode_key_file, encode_key_file
from app.vault.key_place import COPY, FILE, TEMPORARY
from app.vault.private_folder import PrivateFolder

# How many files are changed under one lock: an upload waits for no more than these.
_AT_ONCE = 32
_OPERATION = "vault.rewrite"


def rewrite_folder(folder: PrivateFolder, change: Change) -> Iterator[Rewritten]:
    """What became of each reference; told only when it is durable. Raises OSError."""
    names = sorted(name for name in folder.names() if name.endswith(FILE))
    for start in range(0, len(names), _AT_ONCE):
        with folder.locked():
            part = [
                _rewritten(folder, name.removesuffix(FILE), change)
                for name in names[start : start + _AT_ONCE]
            ]
            if any(done.changed for done in part):
                folder.sync()
        yield from part


def _rewritten(folder: PrivateFolder, reference: str, change: Change) -> Rewritten:
    """KeyVaultUnavailable is raised: it is no fault of this reference."""
    try:
        return Rewritten(reference, _rewrite(folder, reference, change))
    except KeyVaultUnavailable:
        raise
    except DarkroomError as error:
        return Rewritten(reference, 0, error)


def _rewrite(folder: PrivateFolder, reference: str, change: Change) -> int:
    raw = folder.read(reference + FILE)
    if raw is None:  # deleted since the folder was listed
        return 0
    former = decode_key_file(reference, raw, _OPERATION)
    present, count = _changed(former, change)
    if count:
        temporary = TEMPORARY + reference
        data = encode_key_file(present)
        folder.replace(reference + FILE, data, temporary=temporary, settle=False)
    return count + _drop_copy(folder, reference, change, certainly=count > 0)


def _changed(former: KeyFile, change: Change) -> tuple[KeyFile, int]:
    present, count = former, 0
    for version, entry in former.versions.items():
        new = change(former.reference, entry)
        if new is not None:
            present, count = present.with_entry(version, new), count + 1
    return present, count


def _drop_copy(
    folder: PrivateFolder, reference: str, change: Change, *, certainly: bool
) -> int:
    """Remove the former file, if it holds what is being replaced; 1 if that was all."""
    if certainly:
        folder.remove(reference + COPY)
        return 0
    raw = folder.read(reference + COPY)
    if raw is None or not _holds_any(reference, raw, change):
        return 0
    folder.remove(reference + COPY)
    return 1


def _holds_any(reference: str, raw: bytes, change: Change) -> bool:
    """A copy that makes no sense, or that nobody can open, is worth nothing."""
    try:
        return _changed(decode_key_file(reference, raw, _OPERATION), change)[1] > 0
    except DarkroomError:
        return True
