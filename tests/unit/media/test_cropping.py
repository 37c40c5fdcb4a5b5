"""Crops: every pixel as the file has it, the way up that the picture is shown."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageOps

from app.errors import UndecodableMedia
from app.media import formats
from app.media.cropped import check_crop, check_survey
from app.media.decoder_client import Decoder
from app.media.limits import DecodeLimits
from app.media.probe import HEAD_BYTES, probe
from tests.fixtures import pictures

BOX = (7, 3, 31, 21)
WIDTH, HEIGHT = 40, 30


def textured(mode: str = "RGB") -> Image.Image:
    """Each pixel differs from its neighbours in every channel."""
    made = Image.new("RGB", (WIDTH, HEIGHT))
    made.putdata(
        [(x * 6, y * 8, (x * y * 7 + x) % 256) for y in range(HEIGHT) for x in range(WIDTH)]
    )
    return made if mode == "RGB" else made.convert(mode)


def sixteen() -> Image.Image:
    values = bytearray()
    for n in range(WIDTH * HEIGHT):
        values += (n * 53 % 65536).to_bytes(2, "little")
    return Image.frombytes("I;16", (WIDTH, HEIGHT), bytes(values))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def crops(decoder: Decoder, data: bytes, *boxes: tuple[int, int, int, int]) -> list[bytes]:
    file_type = probe(data[:HEAD_BYTES], len(data))
    return list(decoder.crops(io.BytesIO(data), len(data), file_type, boxes))


def keeps(decoder: Decoder, data: bytes) -> str:
    file_type = probe(data[:HEAD_BYTES], len(data))
    return decoder.survey(io.BytesIO(data), len(data), file_type).keeps


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def see_through(mode: str) -> Image.Image:
    made = textured(mode)
    made.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    return made


def palette() -> Image.Image:
    return textured().quantize(200)


KEPT = {
    "1": lambda: saved(textured("1"), "PNG"),
    "L": lambda: saved(textured("L"), "PNG"),
    "LA": lambda: saved(see_through("L"), "PNG"),
    "RGB": lambda: saved(textured(), "PNG"),
    "RGBA": lambda: saved(see_through("RGB"), "PNG"),
    "P": lambda: saved(palette(), "PNG"),
    "P with a colour that is transparent": lambda: saved(palette(), "PNG", transparency=3),
    "RGB with a colour that is transparent": lambda: saved(
        textured(), "PNG", transparency=(0, 0, 0)
    ),
    "I;16": lambda: saved(sixteen(), "PNG"),
    "I;16 in TIFF": lambda: saved(sixteen(), "TIFF"),
    "L in JPEG": lambda: saved(textured("L"), "JPEG"),
    "JPEG": lambda: saved(textured(), "JPEG", quality=70),
    "WebP": lambda: saved(see_through("RGB"), "WEBP"),
    "GIF": lambda: saved(palette(), "GIF"),
    "BMP": lambda: saved(textured(), "BMP"),
    "TIFF": lambda: saved(textured(), "TIFF"),
    "AVIF": lambda: saved(textured(), "AVIF"),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_no_pixel_is_changed(name: str, decoder: Decoder) -> None:
    data = KEPT[name]()
    whole, (raw,) = opened(data), crops(decoder, data, BOX)
    part = opened(raw)
    assert keeps(decoder, data) == "kept"
    assert part.size == (24, 18)
    assert part.mode == whole.mode
    assert part.convert("RGBA").tobytes() == whole.crop(BOX).convert("RGBA").tobytes()
    if whole.mode == "I;16":
        assert part.tobytes() == whole.crop(BOX).tobytes()
        assert part.getextrema()[1] > 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_as_it_is_shown(orientation: int, kind: str, decoder: Decoder) -> None:
    tags = Image.Exif()
    tags[0x0112] = orientation
    data = saved(sixteen(), kind, exif=tags)
    upright = ImageOps.exif_transpose(opened(data))
    box = (2, 5, 19, 28)
    (raw,) = crops(decoder, data, box)
    assert opened(raw).tobytes() == upright.crop(box).tobytes()


def test_several_of_one_decode_the_whole_among_them(decoder: Decoder) -> None:
    data = KEPT["RGB"]()
    boxes = [(0, 0, WIDTH, HEIGHT), (0, 0, 1, 1), (39, 29, 40, 30), BOX]
    for raw, box in zip(crops(decoder, data, *boxes), boxes, strict=True):
        assert opened(raw).tobytes() == textured().crop(box).tobytes()


def test_a_pixel_beyond_its_palette_keeps_its_colour(decoder: Decoder) -> None:
    made = Image.new("P", (20, 10))
    made.putpalette([10, 20, 30, 40, 50, 60])
    made.putdata([n % 40 for n in range(200)])
    data = saved(made, "BMP")
    (raw,) = crops(decoder, data, (3, 2, 19, 9))
    wanted = opened(data).crop((3, 2, 19, 9)).convert("RGB")
    assert opened(raw).convert("RGB").tobytes() == wanted.tobytes()


@pytest.mark.parametrize("mode", ["CMYK", "F", "LAB", "I"])
def test_what_png_cannot_hold_is_told_and_shown(mode: str, decoder: Decoder) -> None:
    source = textured("L") if mode in {"F", "I"} else textured()
    data = saved(source.convert(mode) if mode != "LAB" else Image.new("LAB", (40, 30)), "TIFF")
    assert keeps(decoder, data) == "colours"
    (raw,) = crops(decoder, data, BOX)
    assert opened(raw).size == (24, 18)
    if mode == "F":
        assert opened(raw).tobytes() == textured("L").crop(BOX).tobytes()


def test_colours_of_sixteen_bits_are_told(decoder: Decoder) -> None:
    """2 x 1 pixels of 16-bit RGB, as libpng writes them."""
    head = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" + bytes(range(12)))
    chunks = ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    assert keeps(decoder, data) == "depth"
    (raw,) = crops(decoder, data, (1, 0, 2, 1))
    assert opened(raw).getpixel((0, 0)) == (6, 8, 10)


def test_the_profile_goes_along_and_nothing_else(decoder: Decoder) -> None:
    data = pictures.camera_jpeg(orientation=6)
    (raw,) = crops(decoder, data, (0, 0, 90, 60))
    assert pictures.SECRET.encode() not in raw
    assert not opened(raw).getexif()
    profile = b"a profile" * 20
    (raw,) = crops(decoder, saved(textured(), "PNG", icc_profile=profile), BOX)
    assert opened(raw).info == {"icc_profile": profile}


def test_beyond_the_picture_there_is_nothing(single: Decoder) -> None:
    data = KEPT["RGB"]()
    for box in [(0, 0, 41, 30), (-1, 0, 5, 5), (5, 5, 5, 9), (9, 5, 5, 9)]:
        with pytest.raises(UndecodableMedia):
            crops(single, data, box)
    assert len(crops(single, data, BOX)) == 1


def test_a_cut_file_gives_no_crop(decoder: Decoder) -> None:
    with pytest.raises(UndecodableMedia, match="cut short"):
        crops(decoder, KEPT["JPEG"]()[:-400], BOX)


def test_who_stops_in_the_middle_leaves_no_child_busy(single: Decoder) -> None:
    data = KEPT["RGB"]()
    begun = single.crops(io.BytesIO(data), len(data), formats.PNG.file_type, [BOX] * 9)
    next(begun)
    begun.close()
    assert not single._pool.busy
    assert len(crops(single, data, BOX)) == 1


HONEST = {"width": 40, "height": 30, "keeps": "kept"}


@pytest.mark.parametrize(
    "lie", [{"keeps": "x"}, {"keeps": []}, {"width": 0}, {"height": 1 << 20}]
)
def test_a_lie_about_the_picture_is_noticed(lie: dict) -> None:
    check_survey(HONEST, DecodeLimits())
    with pytest.raises(ValueError, match=r"not|number"):
        check_survey({**HONEST, **lie}, DecodeLimits())


def test_a_lie_about_a_crop_is_noticed() -> None:
    honest = saved(textured(), "PNG")
    whole = (0, 0, WIDTH, HEIGHT)
    assert check_crop({"bytes": len(honest)}, lambda _: honest, whole) == honest
    lies = [(honest, (0, 0, 30, 40)), (b"<html>" + honest, whole), (b"\x89PNG", whole)]
    for answer, box in lies:
        with pytest.raises(ValueError, match="not"):
            check_crop({"bytes": len(answer)}, lambda _, raw=answer: raw, box)
    with pytest.raises(ValueError, match="range"):
        check_crop({"bytes": 1 << 40}, lambda _: honest, whole)
