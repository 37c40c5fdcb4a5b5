"""Sample pictures, drawn on the spot: quiet landscapes in a few moods and shapes.

Each comes with the boxes of what was drawn into it, so that a demonstration has labels that
fit. Nothing is random: the same number always gives the same picture.
"""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
SHAPES = ((1600, 1067), (1067, 1600), (1600, 900), (1400, 1400), (1920, 823), (1200, 1500))
SCALE = 2
"""Drawn at twice the size, then reduced: smooth edges without an effort."""


@dataclass(frozen=True, slots=True)
class Mood:
    """Colours of the sky from top to horizon, of the sun, and of the hills near and far."""

    top: Colour
    horizon: Colour
    sun: Colour
    far: Colour
    near: Colour


MOODS = (
    Mood((24, 40, 72), (242, 158, 92), (255, 226, 170), (96, 78, 104), (24, 26, 38)),
    Mood((92, 148, 198), (222, 234, 238), (255, 252, 236), (128, 158, 164), (44, 74, 58)),
    Mood((14, 18, 34), (60, 76, 118), (232, 238, 248), (38, 48, 78), (10, 12, 22)),
    Mood((178, 196, 202), (238, 232, 218), (255, 246, 224), (168, 170, 158), (92, 92, 74)),
    Mood((72, 30, 66), (246, 120, 98), (255, 214, 150), (122, 52, 84), (36, 16, 36)),
    Mood((46, 108, 122), (198, 226, 204), (252, 250, 226), (86, 138, 128), (26, 58, 54)),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A JPEG, its name, and boxes (label, x, y, width, height) in pixels."""

    name: str
    content: bytes
    boxes: tuple[tuple[str, float, float, float, float], ...]


def sample(number: int) -> Sample:
    """Draw the sample with this number (from 0)."""
    dice = random.Random(number)  # noqa: S311 - a picture, no secret
    mood = MOODS[number % len(MOODS)]
    width, height = SHAPES[(number * 5 + number // 6) % len(SHAPES)]
    size = (width // SCALE * SCALE, height // SCALE * SCALE)
    picture = _sky(size, mood)
    sun = _sun(picture, mood, dice)
    _hills(picture, mood, dice)
    trees = _trees(picture, mood, dice)
    boxes = [("sun", *sun), *(("tree", *tree) for tree in trees)]
    return Sample(f"landscape-{number + 1:02}.jpg", _jpeg(picture, number), tuple(boxes))


def _sky(size: tuple[int, int], mood: Mood) -> Image.Image:
    ramp = Image.linear_gradient("L").resize(size)
    return Image.composite(
        Image.new("RGB", size, mood.horizon), Image.new("RGB", size, mood.top), ramp
    )


def _sun(
    picture: Image.Image, mood: Mood, dice: random.Random
) -> tuple[float, float, float, float]:
    width, height = picture.size
    radius = min(width, height) * dice.uniform(0.05, 0.09)
    x, y = width * dice.uniform(0.2, 0.8), height * dice.uniform(0.22, 0.46)
    glow = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(glow)
    draw.ellipse(_around(x, y, radius * 3), fill=70)
    glow = glow.filter(ImageFilter.GaussianBlur(radius))
    ImageDraw.Draw(glow).ellipse(_around(x, y, radius), fill=255)
    picture.paste(
        Image.new("RGB", picture.size, mood.sun), mask=glow.filter(ImageFilter.GaussianBlur(2))
    )
    return (x - radius, y - radius, radius * 2, radius * 2)


def _hills(picture: Image.Image, mood: Mood, dice: random.Random) -> None:
    width, height = picture.size
    layers = 5
    for layer in range(layers):
        part = layer / (layers - 1)
        base, rise = height * (0.52 + 0.11 * layer), height * (0.12 - 0.012 * layer)
        waves = [
            (dice.uniform(0.6, 3.2) * (layer + 1), dice.uniform(0, 6.3), dice.uniform(0.3, 1))
            for _ in range(4)
        ]
        line = [
            (
                x,
                base
                - rise
                * sum(size * math.sin(x / width * pace + start) for pace, start, size in waves)
                / 2,
            )
            for x in range(0, width + 8, 8)
        ]
        ImageDraw.Draw(picture).polygon(
            [(0, height), *line, (width, height)], fill=_between(mood.far, mood.near, part)
        )


def _trees(
    picture: Image.Image, mood: Mood, dice: random.Random
) -> list[tuple[float, float, float, float]]:
    width, height = picture.size
    draw, boxes = ImageDraw.Draw(picture), []
    for _ in range(dice.randint(1, 4)):
        tall = height * dice.uniform(0.12, 0.26)
        wide, foot = tall * 0.42, height * dice.uniform(0.84, 0.95)
        x = width * dice.uniform(0.08, 0.9)
        dark = _between(mood.near, (0, 0, 0), 0.35)
        draw.rectangle((x - wide * 0.06, foot - tall * 0.2, x + wide * 0.06, foot), fill=dark)
        for step in range(4):
            top, low = foot - tall * (1 - step * 0.2), foot - tall * (0.62 - step * 0.17)
            half = wide * (0.26 + step * 0.08)
            draw.polygon([(x, top), (x - half, low), (x + half, low)], fill=dark)
        boxes.append((x - wide / 2, foot - tall, wide, tall))
    return boxes


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return (x - radius, y - radius, x + radius, y + radius)


def _between(one: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def _jpeg(picture: Image.Image, number: int) -> bytes:
    """Encode with a little grain and a camera's metadata, as a real file would have."""
    grain = Image.effect_noise(picture.size, 14).convert("RGB")
    textured = Image.blend(picture, grain, 0.04)
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Darkroom"
    exif[ExifTags.Base.Model] = "Sample"
    exif[ExifTags.Base.ImageDescription] = f"Sample landscape {number + 1}"
    out = io.BytesIO()
    textured.save(out, "JPEG", quality=88, exif=exif)
    return out.getvalue()
