"""Pictures made on the spot: landscapes, lights at night, still lifes; small and seeded."""

from __future__ import annotations

import base64
import io
import math
import random
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SHAPES = ((3, 2), (3, 2), (2, 3), (4, 3), (16, 9), (1, 1), (3, 2), (3, 4), (5, 2), (4, 5))
SKIES = (
    ("#1b2a4a", "#e9a26b"),
    ("#7fa8c9", "#e8e4d6"),
    ("#23304f", "#9d7f9f"),
    ("#4a6b8a", "#f0cf9e"),
    ("#8fa3ad", "#dfe3e1"),
    ("#0c1430", "#3d5a80"),
)
EARTHS = ("#20332c", "#3a2f2a", "#2b3a4f", "#4a4637", "#1d2a3a", "#3f4d3a")


DISTINCT = 30
LONGEST = 900


def _rgb(text: str) -> tuple[int, int, int]:
    return tuple(int(text[i : i + 2], 16) for i in (1, 3, 5))  # type: ignore[return-value]


def _mix(a: tuple[int, ...], b: tuple[int, ...], t: float) -> tuple[int, ...]:
    return tuple(round(x + (y - x) * t) for x, y in zip(a, b, strict=True))


def _gradient(size: tuple[int, int], top: str, bottom: str) -> Image.Image:
    column = Image.new("RGB", (1, 256))
    for y in range(256):
        column.putpixel((0, y), _mix(_rgb(top), _rgb(bottom), (y / 255) ** 1.3))
    return column.resize(size, Image.Resampling.BICUBIC)


def _ridge(
    rng: random.Random, width: int, base: float, rough: float
) -> list[tuple[float, float]]:
    """A skyline by midpoint displacement, 65 points over the width."""
    heights = [0.0] * 65
    heights[0], heights[64] = rng.uniform(-1, 1), rng.uniform(-1, 1)
    step, force = 64, 1.0
    while step > 1:
        for i in range(step // 2, 64, step):
            mean = (heights[i - step // 2] + heights[i + step // 2]) / 2
            heights[i] = mean + rng.uniform(-force, force)
        step, force = step // 2, force * 0.52
    return [(i * width / 64, base + h * rough) for i, h in enumerate(heights)]


def _landscape(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    width, height = size
    top, bottom = rng.choice(SKIES)
    picture = _gradient(size, top, bottom)
    glow = Image.new("RGB", size)
    x, y, r = rng.uniform(0.2, 0.8) * width, rng.uniform(0.3, 0.5) * height, height * 0.05
    ImageDraw.Draw(glow).ellipse((x - r, y - r, x + r, y + r), fill="#fff1d0")
    picture = ImageChops.screen(picture, glow.filter(ImageFilter.GaussianBlur(height / 14)))
    picture = ImageChops.screen(picture, glow.filter(ImageFilter.GaussianBlur(height / 200)))
    draw, earth = ImageDraw.Draw(picture), _rgb(rng.choice(EARTHS))
    for layer in range(5):
        far = 1 - layer / 4
        base = height * (0.52 + 0.11 * layer)
        skyline = _ridge(rng, width, base, height * (0.09 + 0.02 * layer))
        colour = _mix(earth, _rgb(bottom), far * 0.75)
        draw.polygon([*skyline, (width, height), (0, height)], fill=colour)
    return picture


def _lights(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    width, height = size
    picture = _gradient(size, "#07090f", rng.choice(("#1d1420", "#101c2b", "#221a12")))
    for _ in range(46):
        x, y = rng.uniform(0, width), rng.gauss(height * 0.6, height * 0.2)
        r = rng.uniform(0.01, 0.07) * max(size)
        warm = rng.choice(("#7a4a16", "#8a6a2a", "#2a4a6a", "#6a2a2a", "#50402a"))
        side = round(2.4 * r) + 2
        disc = Image.new("RGB", (side, side))
        ImageDraw.Draw(disc).ellipse((0.2 * r, 0.2 * r, 2.2 * r, 2.2 * r), fill=warm)
        disc = disc.filter(ImageFilter.GaussianBlur(r / 9))
        corner = (round(x - 1.2 * r), round(y - 1.2 * r))
        below = picture.crop((*corner, corner[0] + side, corner[1] + side))
        picture.paste(ImageChops.screen(below, disc), corner)
    return picture


def _still_life(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    width, height = size
    wall, table = rng.choice(
        (("#b9b2a3", "#7a6a57"), ("#8c9a97", "#4c4a44"), ("#c7b9a6", "#937a62"))
    )
    picture = _gradient(size, wall, table)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, height * 0.68, width, height), fill=table)
    for _ in range(rng.randint(3, 6)):
        r = rng.uniform(0.07, 0.14) * min(size)
        x, y = rng.uniform(0.15, 0.85) * width, height * rng.uniform(0.68, 0.82) - r
        body = _rgb(rng.choice(("#b5482a", "#c98a2b", "#6d7f3a", "#8a2f3a", "#d9b36a")))
        for i in range(24, 0, -1):
            t = i / 24
            k = r * t
            dx, dy = -r * 0.3 * (1 - t), -r * 0.34 * (1 - t)
            shade = _mix(body, (255, 244, 225), (1 - t) * 0.7)
            draw.ellipse((x - k + dx, y - k + dy, x + k + dx, y + k + dy), fill=shade)
    return picture.filter(ImageFilter.GaussianBlur(min(size) / 400))


MAKERS = (_landscape, _landscape, _still_life, _landscape, _lights, _landscape, _still_life)


def shape_of(index: int) -> tuple[int, int]:
    """Width and height in pixels of sample ``index``, as a camera would have made it."""
    w, h = SHAPES[index % len(SHAPES)]
    scale = math.sqrt(12_000_000 / (w * h))
    return round(w * scale), round(h * scale)


@lru_cache(maxsize=96)
def _drawn(index: int) -> Image.Image:
    w, h = shape_of(index)
    scale = LONGEST / max(w, h)
    size = (round(w * scale), round(h * scale))
    rng = random.Random(index)
    picture = MAKERS[index % len(MAKERS)](rng, size)
    grain = Image.effect_noise(size, 22).convert("RGB")
    return Image.blend(picture, ImageChops.overlay(picture, grain), 0.5)


@lru_cache(maxsize=512)
def jpeg(index: int, longest: int) -> bytes:
    """Sample ``index`` as a JPEG whose longest side is at most ``longest`` pixels."""
    if index >= DISTINCT:
        return jpeg(index % DISTINCT, longest)
    picture = _drawn(index).copy()
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()


@lru_cache(maxsize=512)
def placeholder(index: int) -> str:
    """A 16 pixel WebP as a data: URI."""
    if index >= DISTINCT:
        return placeholder(index % DISTINCT)
    picture = _drawn(index).copy()
    picture.thumbnail((16, 16))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=40)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def warm() -> None:
    """Draw every picture now, so that no page waits for one."""
    for index in range(DISTINCT):
        placeholder(index)
        jpeg(index, 640)
        jpeg(index, 320)
