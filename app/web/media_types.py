"""What a derivative is, told by its first bytes."""

from __future__ import annotations


def derivative_type(data: bytes) -> str:
    """Return the type of a thumbnail or preview by its first bytes: JPEG, else WebP."""
    return "image/jpeg" if data.startswith(b"\xff\xd8\xff") else "image/webp"
