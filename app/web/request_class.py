"""The request: bodies are bounded, and a file of a form is sealed while it is parsed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from flask import Request, current_app
from typing_extensions import override
from werkzeug.exceptions import RequestEntityTooLarge

from app.storage.spool import SealedSpool
from app.web.json_hardening import parse_json

FORM_BYTES = 1 << 20
"""The most that a body without files may hold."""


class FileOfForm(SealedSpool):
    """A sealed spool that stops keeping what exceeds the limit of one file.

    ``overflowed`` tells that the file was larger; the rest of it was read and dropped, so
    that the other files of the same form are still understood.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        super().__init__(folder)
        self._limit = limit
        self._taken = 0
        self.overflowed = False

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        self._taken += len(data)
        if self._taken > self._limit:
            self.overflowed = True
            return len(data)
        return super().write(data)


class DarkroomRequest(Request):
    """Flask's request with sealed uploads and hardened JSON."""

    max_form_memory_size: ClassVar[int | None] = 500_000  # type: ignore[misc]
    max_form_parts: ClassVar[int | None] = 1_000  # type: ignore[misc]

    @override
    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        config = current_app.config
        return cast("IO[bytes]", FileOfForm(config["SPOOL_FOLDER"], config["FILE_BYTES"]))

    @override
    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Parse the body by our own rules whatever the caller asked for."""
        if not (force or self.is_json):
            return None
        raw = self.get_data(cache=True)
        if self.content_length is None and len(raw) >= (self.max_content_length or sys.maxsize):
            raise RequestEntityTooLarge  # werkzeug cuts a body without a length at its limit
        return parse_json(raw)
