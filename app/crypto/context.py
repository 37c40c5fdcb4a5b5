"""What a blob is: of which image, in which role, under which key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from uuid import UUID

from app.errors import EncryptionError

KEY_VERSION_BYTES: Final = 16
_U32_MAX: Final = 2**32 - 1


class Role(IntEnum):
    """What a blob is of its image (header byte 10)."""

    ORIGINAL = 1
    THUMBNAIL = 2
    PREVIEW = 3
    FRAME = 4
    RECORD = 5
    UPLOAD_PART = 6
    JOB_RESULT = 7


# A thumbnail's size, a frame's number, a part's index; every other role is one of a kind.
ROLES_WITH_VARIANTS: Final = frozenset({Role.THUMBNAIL, Role.FRAME, Role.UPLOAD_PART})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobContext:
    """All that the header of a new blob is made from, but for its random parts.

    ``key_version_id`` is the 16-byte id of the DEK (zero for roles 6 and 7), ``generation``
    starts at 1, ``content_rev`` at 0. Raises `EncryptionError` for what a header cannot
    hold.
    """

    file_id: UUID
    role: Role
    variant: int = 0
    generation: int = 1
    key_version_id: bytes
    content_rev: int = 0

    def __post_init__(self) -> None:
        if not self._is_possible():
            raise EncryptionError("A blob cannot be sealed so", operation="blob.context")

    def _is_possible(self) -> bool:
        return (
            isinstance(self.role, Role)
            and len(self.key_version_id) == KEY_VERSION_BYTES
            and 1 <= self.generation <= _U32_MAX
            and 0 <= self.content_rev <= _U32_MAX
            and 0 <= self.variant <= _U32_MAX
            and (self.variant == 0 or self.role in ROLES_WITH_VARIANTS)
        )
