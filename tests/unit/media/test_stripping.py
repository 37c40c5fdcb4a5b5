"""Metadata goes, pixels stay: each kind of file, each policy, and files that make no sense."""

from __future__ import annotations

import io
import struct
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps, ImageSequence

from app.media.stripping import Policy, can_strip, strip
from app.media.stripping.exif import orientation_only, without_gps
from tests.fixtures import pictures

SECRET = pictures.SECRET.encode()
LATITUDE = b"".join(n.to_bytes(4, order) for order in ("little",) for n in (48, 1, 12, 1))


@cache
def told(name: str, orientation: int = 6) -> bytes:
    """A picture of this format that tells as much as the format can; always the same one,
    since a colour profile has the second in it at which it was made."""
    if name == "JPEG":
        return pictures.camera_jpeg(orientation=orientation) + b"trailer with " + SECRET
    exif = pictures.exif(orientation)
    if name == "GIF":
        return pictures.save(pictures.scene(mode="P"), "GIF", comment=SECRET)
    if name == "BMP":
        return pictures.save(pictures.scene(), "BMP")
    if name == "TIFF":
        return _tiff_with_place(orientation)
    more = {"xmp": pictures.xmp()} if name == "WEBP" else {}
    if name == "WEBP":
        more["lossless"] = True
    if name == "PNG":
        more["pnginfo"] = _text()
    return pictures.save(
        pictures.scene(), name, exif=exif, icc_profile=pictures.profile(), **more
    )


def _text() -> object:
    from PIL import PngImagePlugin

    made = PngImagePlugin.PngInfo()
    made.add_text("Comment", pictures.SECRET)
    made.add_itxt("XML:com.adobe.xmp", pictures.xmp().decode(), zip=True)
    return made


def _tiff_with_place(orientation: int) -> bytes:
    """Pillow writes no GPS into a TIFF: its directory is appended once more, with a place."""
    made = pictures.save(
        pictures.scene(),
        "TIFF",
        exif=pictures.exif(orientation),
        icc_profile=pictures.profile(),
    )
    (first,) = struct.unpack_from("<I", made, 4)
    (count,) = struct.unpack_from("<H", made, first)
    entries = made[first + 2 : first + 2 + 12 * count]
    gps_at = len(made) + len(made) % 2
    gps = struct.pack("<HHHI4sHHIII", 2, 1, 2, 2, b"N\0\0\0", 2, 5, 3, gps_at + 30, 0)
    gps += LATITUDE + struct.pack("<II", 2952, 100)
    last = gps_at + len(gps)
    pointer = struct.pack("<HHII", 0x8825, 4, 1, gps_at)
    directory = struct.pack("<H", count + 1) + entries + pointer + bytes(4)
    whole = made[:4] + struct.pack("<I", last) + made[8:]
    return whole.ljust(gps_at, b"\0") + gps + directory


KINDS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")


def frames(data: bytes) -> list[bytes]:
    """What is shown: every frame as it lies upright."""
    with Image.open(io.BytesIO(data)) as image:
        return [
            ImageOps.exif_transpose(frame.convert("RGBA")).tobytes()
            for frame in ImageSequence.Iterator(image)
        ]


def shown(data: bytes) -> tuple[list[bytes], object]:
    with Image.open(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
        return frames(data), (upright.size, image.info.get("icc_profile"))


def gps_of(data: bytes) -> dict[int, object]:
    with Image.open(io.BytesIO(data)) as image:
        return dict(image.getexif().get_ifd(ExifTags.IFD.GPSInfo))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", [Policy.GPS, Policy.ALL])
def test_the_picture_is_the_same(kind: str, policy: Policy) -> None:
    before = told(kind)
    after = strip(before, f"image/{kind.lower()}", policy)
    assert after.clean
    assert shown(after.data) == shown(before)
    assert gps_of(after.data) == {}
    if kind not in {"GIF", "BMP"}:
        assert gps_of(before), "there was something to take out"
    if policy is Policy.ALL:
        assert SECRET not in after.data
    elif kind in {"JPEG", "PNG", "WEBP", "TIFF"}:
        with Image.open(io.BytesIO(after.data)) as image:
            assert image.getexif()[ExifTags.Base.Make] == "Maker"
            assert image.getexif()[ExifTags.Base.ImageDescription] == pictures.SECRET


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_no_byte_of_the_place_is_left(kind: str) -> None:
    """The numbers are zeroed, not only no longer pointed to."""
    with_place, without = told(kind), strip(told(kind), f"image/{kind.lower()}", Policy.GPS)
    big = b"".join(n.to_bytes(4, "big") for n in (48, 1, 12, 1))
    assert LATITUDE in with_place or big in with_place
    assert LATITUDE not in without.data
    assert big not in without.data


def test_an_upright_picture_needs_no_orientation() -> None:
    data = strip(told("JPEG", orientation=1), "image/jpeg", Policy.ALL).data
    assert b"Exif" not in data
    assert b"trailer" not in data


def test_progressive_and_restarts_pass() -> None:
    before = pictures.save(
        pictures.photograph(), "JPEG", progressive=True, restart_marker_blocks=4, comment=SECRET
    )
    after = strip(before, "image/jpeg", Policy.ALL)
    assert after.clean
    assert frames(after.data) == frames(before)


def test_keep_keeps_every_byte() -> None:
    assert strip(b"whatever", "image/jpeg", Policy.KEEP).data == b"whatever"


def test_what_cannot_be_understood_says_so() -> None:
    assert not can_strip("image/heic")
    assert not strip(b"x" * 99, "image/heic", Policy.ALL).clean
    for kind in ("jpeg", "png", "webp", "gif", "tiff"):
        assert not strip(b"no picture " * 9, f"image/{kind}", Policy.ALL).clean
        assert not strip(b"", f"image/{kind}", Policy.GPS).clean


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS[:5]), st.data())
def test_damaged_files_never_raise(kind: str, data: st.DataObject) -> None:
    whole = bytearray(told(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, min(len(whole), 4096) - 1))] = data.draw(
            st.integers(0, 255)
        )
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    for each in (bytes(whole), cut):
        for policy in (Policy.GPS, Policy.ALL):
            strip(each, f"image/{kind.lower()}", policy)


@given(st.binary(max_size=200))
def test_any_bytes_as_exif(raw: bytes) -> None:
    for order in (b"II*\0", b"MM\0*"):
        assert orientation_only(order + raw) in {
            None,
            *(orientation_only(pictures.exif(n).tobytes()[6:]) for n in range(2, 9)),
        }
        try:
            assert len(without_gps(order + raw)) == len(raw) + 4
        except ValueError:
            continue


def test_a_turn_that_only_xmp_tells_is_not_lost() -> None:
    data = pictures.save(pictures.scene(), "JPEG", xmp=pictures.xmp(orientation=6))
    assert not strip(data, "image/jpeg", Policy.ALL).clean
    assert strip(data, "image/jpeg", Policy.GPS).data == data
