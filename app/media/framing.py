"""What goes through the two pipes between the application and a decoder.

A frame is ``u32 length || JSON || body``; the JSON says how long the body is. Both ends build
and read it with this file; the application's end trusts nothing that it reads.

======== ============================================================== ===================
frame    JSON                                                           body
======== ============================================================== ===================
request  size, formats (Pillow's names), sizes (pixels)                 the file
crops    size, formats, crops: [[left, top, right, bottom]] (pixels)    the file
ready    ready: true                                                    none
rendered width, height, frames, taken_at, metadata, parts: [[n, bytes]] derivatives by n,
                                                                        n = 0: placeholder
opened   width, height, keeps: "kept", "colours" or "depth"             none
crop     bytes; one frame for each of the crops, behind "opened"        a PNG
refused  refused (a reason), found, limit                               none
======== ============================================================== ===================
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

LENGTH = struct.Struct(">I")
MAX_HEADER_BYTES = 256 * 1024
KEPT, COLOURS, DEPTH = "kept", "colours", "depth"
"""What becomes of pixels in crops, see `app.media.cropping`."""
PLACEHOLDER = 0
"""The part number of the placeholder among the derivatives."""


def pack_header(header: Mapping[str, Any]) -> bytes:
    raw = json.dumps(header, allow_nan=False).encode("ascii")
    return LENGTH.pack(len(raw)) + raw


def parse_header(raw: bytes) -> dict[str, Any]:
    """Raises ValueError for anything but one JSON object without NaN or infinities."""
    header = json.loads(raw, parse_constant=_refuse_constant)
    if not isinstance(header, dict):
        raise ValueError("a header is an object")
    return header


def read_header(pipe: BinaryIO) -> dict[str, Any] | None:
    """The next header from a blocking pipe; None when the other end has closed it."""
    prefix = pipe.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(prefix)
    return parse_header(pipe.read(length))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
