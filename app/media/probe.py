"""What a file is, told from its first bytes; its name and what the client says count nothing.

Two opinions must agree: our own reading of the signature at the very start of the file, and
the ``filetype`` package, which also knows signatures elsewhere and names what is refused. A
file that is two things at once is refused. Decoding confirms the rest.
"""

from __future__ import annotations

import filetype

from app.errors import UnsupportedType
from app.media.formats import ACCEPTED, FileType
from app.media.signatures import by_signature

HEAD_BYTES = 4096
"""How much of the start ``probe`` wants to see; less is fine for a shorter file."""

_NAMES = {
    "application/dicom": "a DICOM file",
    "application/pdf": "a PDF document",
    "application/postscript": "a PostScript (EPS) file",
    "application/zip": "a ZIP archive",
    "image/jp2": "a JPEG 2000 picture",
    "image/jpx": "a JPEG 2000 picture",
    "image/jxl": "a JPEG XL picture",
    "image/vnd.adobe.photoshop": "a Photoshop document",
    "image/x-canon-cr2": "a Canon raw picture",
    "image/x-icon": "an icon file",
    "video/x-msvideo": "an AVI clip",
}
TWO_BYTE_TYPES = (
    "application/postscript",
    "application/x-compress",
    "application/x-msdownload",
    "audio/aac",
    "audio/mpeg",
)
"""What ``filetype`` tells from two bytes alone: random bytes are one of them once in 7,000."""
_OTHER_SIGNATURES = (
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)"),
    (b"\x01\x00\x00\x00\x28\x00\x00\x00", "a Windows metafile (EMF)"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<svg", "an SVG drawing"),
)


def probe(head: bytes, size: int) -> FileType:
    """The type of a file of ``size`` bytes that begins with ``head`` (HEAD_BYTES or all).

    Raises UnsupportedType with a sentence that says what the file seems to be.
    """
    if size <= 0 or not head:
        raise UnsupportedType(f"The file is empty. {ACCEPTED}", operation="media.probe")
    row = by_signature(head, size)
    guess = _second_opinion(head)
    if row is None or (guess and guess not in row.guesses):
        raise _unsupported(head, guess)
    return row.file_type


def _second_opinion(head: bytes) -> str:
    guess = filetype.guess(head)
    return "" if guess is None else str(guess.mime)


def _unsupported(head: bytes, guess: str) -> UnsupportedType:
    known = _NAMES.get(guess) or _other_name(head) or (f"of the type {guess}" if guess else "")
    what = (
        f"This is {known}, which is not accepted."
        if known
        else ("This is no picture of a known type.")
    )
    return UnsupportedType(
        f"{what} {ACCEPTED}",
        operation="media.probe",
        details={"recognised": guess or known or None},
    )


def _other_name(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for signature, name in _OTHER_SIGNATURES:
        if start.startswith(signature) or head.startswith(signature):
            return name
    if start.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in start:
        return "an SVG drawing"
    if head[4:8] == b"ftyp" and head[8:10] == b"3g":
        return "a 3GP clip"
    return ""
