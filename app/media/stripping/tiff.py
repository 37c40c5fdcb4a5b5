"""TIFF: directories changed in place, so that no strip moves. BigTIFF is left alone."""

from __future__ import annotations

from typing import Final

from app.media.stripping.exif import GPS, Block

TOLD: Final = frozenset(
    (
        *(0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C),
        *(0x02BC, 0x8298, 0x83BB, 0x8649, 0x8769, GPS, 0x927C, 0x935C, 0xA005, 0xC4A5),
        *range(0x9C9B, 0x9CA0),
    )
)
"""Names, words, dates, makers, XMP, IPTC, Photoshop, EXIF, GPS, Windows' own, private."""
_XMP: Final = 0x02BC


def strip_tiff(data: bytes, everything: bool) -> bytes:
    """The same file with entries taken out and zeroed; ``ValueError``."""
    block = Block(data)
    for directory in list(block.chain()):
        if everything:
            block.drop(directory, TOLD.__contains__)
        else:
            block.drop(directory, _gps_of(block, directory).__contains__)
    return bytes(block.data)


def _gps_of(block: Block, directory: int) -> frozenset[int]:
    told = {GPS}
    for field in block.fields(directory):
        value = block.data[field.value_at : field.value_at + field.value_size]
        if field.tag == _XMP and b"GPS" in value:
            told.add(_XMP)
    return frozenset(told)
