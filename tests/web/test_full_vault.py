"""A vault without space refuses an upload as a full store does, and nothing is left of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import KeyVaultUnavailable
from app.vault.key_place import vault_faults
from tests.fixtures.uploads import PictureRoom, picture, send_file

WRITES = ("write", "fsync", "replace", "mkdir")


def is_below(folder: Path, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if name in {"write", "fsync"}:
        place = os.readlink(f"/proc/self/fd/{args[0]}")
    else:
        above = kwargs.get("dir_fd", kwargs.get("src_dir_fd"))
        place = os.readlink(f"/proc/self/fd/{above}") if above is not None else str(args[0])
    return Path(place).is_relative_to(folder)


def let_fail(patch: pytest.MonkeyPatch, folder: Path, name: str, code: int) -> list[str]:
    """From now on this call fails below ``folder``; the list tells how often it came to it."""
    real: Callable[..., Any] = getattr(os, name)
    failed: list[str] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        if is_below(folder, name, args, kwargs):
            failed.append(name)
            raise OSError(code, os.strerror(code))
        return real(*args, **kwargs)

    patch.setattr(os, name, call)
    return failed


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT], ids=["ENOSPC", "EDQUOT"])
@pytest.mark.parametrize("name", WRITES)
def test_an_upload_is_a_507_in_our_words(room: PictureRoom, name: str, code: int) -> None:
    api, before = room.installation.api(), room.left()
    with pytest.MonkeyPatch.context() as patch:
        failed = let_fail(patch, room.installation.settings.vault_path, name, code)
        answer = send_file(api, picture(), "a.bmp")
    assert failed
    assert answer.status_code == 507
    assert '"store_full"' in answer.text
    assert "The key vault is full: no space is left." in answer.text
    assert os.strerror(code) not in answer.text
    assert room.left() == before
    assert send_file(api, picture(), "a.bmp").status_code == 201


def test_it_is_still_a_vault_that_cannot_be_used_now() -> None:
    """What the services wait for when a key cannot be written or destroyed."""
    with pytest.raises(KeyVaultUnavailable), vault_faults("vault.put", "file-a"):
        raise OSError(errno.ENOSPC, "text")
