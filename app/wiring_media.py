"""The decoder, with the limits of the settings."""

from __future__ import annotations

from app.config import Settings
from app.media.decoder_client import Decoder
from app.media.limits import DecodeLimits


def build_decoder(settings: Settings) -> Decoder:
    """Return the decoder; its children are started on first use."""
    return Decoder(
        DecodeLimits(
            max_pixels=settings.image_max_pixels,
            max_side=settings.image_max_side,
            max_frames=settings.image_max_frames,
            timeout_seconds=settings.decode_timeout_seconds,
            memory_bytes=settings.decode_memory,
        )
    )
