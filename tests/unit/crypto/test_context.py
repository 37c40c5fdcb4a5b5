"""What a header can hold, and what it cannot."""

from dataclasses import FrozenInstanceError, replace
from uuid import UUID

import pytest

from app.crypto.context import BlobContext, Role
from app.errors import EncryptionError

PLAIN = BlobContext(file_id=UUID(int=1), role=Role.ORIGINAL, key_version_id=bytes(16))


def test_the_roles_are_those_of_the_format() -> None:
    assert {role.name: role.value for role in Role} == {
        "ORIGINAL": 1,
        "THUMBNAIL": 2,
        "PREVIEW": 3,
        "FRAME": 4,
        "RECORD": 5,
        "UPLOAD_PART": 6,
        "JOB_RESULT": 7,
    }


def test_a_new_blob_is_of_generation_1_and_revision_0() -> None:
    assert (PLAIN.generation, PLAIN.content_rev, PLAIN.variant) == (1, 0, 0)


def test_a_context_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        PLAIN.variant = 1  # type: ignore[misc]


@pytest.mark.parametrize("role", [Role.THUMBNAIL, Role.FRAME, Role.UPLOAD_PART])
def test_sizes_frames_and_parts_are_numbered(role: Role) -> None:
    assert replace(PLAIN, role=role, variant=320).variant == 320


@pytest.mark.parametrize(
    "change",
    [
        {"role": 1},
        {"role": 8},
        {"variant": 1},
        {"role": Role.PREVIEW, "variant": 1600},
        {"role": Role.THUMBNAIL, "variant": -1},
        {"role": Role.THUMBNAIL, "variant": 2**32},
        {"generation": 0},
        {"generation": 2**32},
        {"content_rev": -1},
        {"content_rev": 2**32},
        {"key_version_id": bytes(15)},
        {"key_version_id": bytes(17)},
    ],
)
def test_what_a_header_cannot_hold_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(EncryptionError):
        replace(PLAIN, **change)
