"""How much a picture may ask of the decoder; the defaults are those of the settings."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Caps that are checked before pixels are decoded, and what the child process gets.

    ``max_pixels`` and ``max_side`` (pixels) are of the whole picture, ``max_frames`` of an
    animation or of a file with pages, ``max_text_bytes`` of all text, profiles and metadata
    once unpacked. ``timeout_seconds`` is wall-clock time and CPU time of one file;
    ``memory_bytes`` is the child's address space, its code included.
    """

    max_pixels: int = 50_000_000
    max_side: int = 32_767
    max_frames: int = 2_000
    timeout_seconds: float = 20.0
    memory_bytes: int = 1024 * 1024 * 1024
    max_text_bytes: int = 8 * 1024 * 1024

    @property
    def max_file_bytes(self) -> int:
        """Half of the child's memory: a larger file leaves no room for its pixels."""
        return self.memory_bytes // 2

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DecodeLimits:
        return cls(**json.loads(text))
