"""The crops of an export, made while the archive is written: one at a time in memory, none
ever on a disk; then ``crops.csv``, which says what each one is."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from io import BufferedReader
from itertools import islice
from typing import TYPE_CHECKING, Final

from app.domain.access import Actor
from app.domain.shapes import RotatedBox
from app.errors import DecryptionFailed, UndecodableMedia
from app.formats.csv_text import Dialect, guarded, write_row
from app.formats.losses import Ledger, LossCode
from app.media.decoder_client import MOST_CROPS
from app.media.formats import format_of
from app.media.framing import COLOURS, DEPTH
from app.services.exchange.crops import Crop, CropPlan
from app.services.exchange.packing import UNAVAILABLE, Packing

if TYPE_CHECKING:
    from app.jobs.watch import Watch
    from app.media.cropped import Survey
    from app.media.decoder_client import Decoder
    from app.services.delivery import DeliveryService
    from app.services.exchange.pictures_known import Known

GONE: Final = (*UNAVAILABLE, UndecodableMedia)
ALWAYS_KEPT: Final = frozenset({"image/gif", "image/webp", "image/bmp"})
"""Kinds whose pixels PNG holds in every case: nobody has to look."""
COLUMNS: Final = (
    "file", "sha256", "picture", "picture_id", "annotation_id", "label", "type",
    "left", "top", "right", "bottom", "x", "y", "w", "h", "angle",
)  # fmt: skip
ROWS_AT_ONCE: Final = 500
_CHANGES: Final = {COLOURS: LossCode.CROP_COLOURS, DEPTH: LossCode.CROP_DEPTH}
_DIALECT: Final = Dialect()


class CropSource:
    """Pictures, opened for the decoder as the person may see them."""

    def __init__(self, delivery: DeliveryService, decoder: Decoder, actor: Actor) -> None:
        self._delivery = delivery
        self._decoder = decoder
        self._actor = actor

    def survey(self, picture: Known) -> Survey:
        """Raises one of `GONE`."""
        file_type = format_of(picture.mime_type).file_type
        ticket = self._delivery.original(self._actor, picture.id)
        with self._delivery.open(ticket) as blob:
            try:
                size = blob.reader.plain_size
                with BufferedReader(blob.reader.as_file()) as file:
                    return self._decoder.survey(file, size, file_type)
            except DecryptionFailed as damage:
                raise self._delivery.damaged(ticket, damage) from None

    def parts(self, picture: Known, crops: Sequence[Crop]) -> Generator[bytes]:
        """A PNG of each; raises one of `GONE` at any of them."""
        file_type = format_of(picture.mime_type).file_type
        ticket = self._delivery.original(self._actor, picture.id)
        with self._delivery.open(ticket) as blob:
            try:
                size = blob.reader.plain_size
                with BufferedReader(blob.reader.as_file()) as file:
                    for start in range(0, len(crops), MOST_CROPS):
                        wanted = [crop.pixels for crop in crops[start : start + MOST_CROPS]]
                        yield from self._decoder.crops(file, size, file_type, wanted)
            except DecryptionFailed as damage:
                raise self._delivery.damaged(ticket, damage) from None


def note_crops(plan: CropPlan, source: CropSource, ledger: Ledger, watch: Watch) -> None:
    """Tell every loss of the crops, before one is made."""
    known, told = plan.gathered.known, plan.gathered.dataset.pictures
    for n, picture in enumerate(known):
        watch.advance(n, len(known))
        crops = plan.of(n, ledger)
        if not crops or picture.mime_type in ALWAYS_KEPT:
            continue
        try:
            keeps = source.survey(picture).keeps
        except GONE:
            ledger.add(LossCode.CROP_UNAVAILABLE, told[n].file_name, len(crops))
            continue
        if keeps in _CHANGES:
            ledger.add(_CHANGES[keeps], told[n].file_name, len(crops))


class CropWriting:
    """Writes the crops of one export; remembers 32 bytes of each, its hash."""

    def __init__(self, plan: CropPlan, source: CropSource, packing: Packing) -> None:
        self._plan = plan
        self._source = source
        self._packing = packing
        self._hashes: list[list[bytes]] = [[] for _ in plan.places]
        self._missing = Ledger()
        self.count = 0

    def picture(self, n: int) -> None:
        """Write those of picture ``n``; the rest is missing where it is damaged or gone."""
        crops = self._plan.of(n)
        if not crops:
            return
        try:
            with closing(self._source.parts(self._plan.gathered.known[n], crops)) as parts:
                for crop, part in zip(crops, parts, strict=True):
                    self._hashes[n].append(self._packing.crop(crop.path, part))
        except GONE:
            place = self._plan.places[n] or ""
            self._missing.add(
                LossCode.CROP_UNAVAILABLE, place, len(crops) - len(self._hashes[n])
            )
        self.count += len(self._hashes[n])

    def end(self, losses: Ledger) -> dict[str, object]:
        """Write the table; what the manifest tells of crops."""
        losses.take(self._missing)
        self._packing.table(self._plan.table, _blocks(self._rows()))
        return {"folder": self._plan.folder, "table": self._plan.table, "count": self.count}

    def _rows(self) -> Iterator[str]:
        yield write_row(COLUMNS, _DIALECT)
        for n, hashes in enumerate(self._hashes):
            place = self._plan.places[n] or ""
            image_id = str(self._plan.gathered.known[n].id)
            for crop, digest in zip(self._plan.of(n), hashes, strict=False):
                yield write_row(_cells(crop, digest.hex(), place, image_id), _DIALECT)


def _cells(crop: Crop, digest: str, place: str, image_id: str) -> list[str]:
    """``x`` to ``angle`` as they are here: not clipped, not rounded; of an outline those of
    the rectangle around it."""
    shape = crop.item.shape
    angle = repr(float(shape.angle)) if isinstance(shape, RotatedBox) else ""
    box = shape if isinstance(shape, RotatedBox) else shape.bounds
    exact = [repr(float(number)) for number in (box.x, box.y, box.w, box.h)]
    return [
        crop.path, digest, guarded(place), image_id, str(crop.annotation_id),
        guarded(crop.item.label), shape.kind, *map(str, crop.pixels), *exact, angle,
    ]  # fmt: skip


def _blocks(rows: Iterator[str]) -> Iterator[bytes]:
    while several := list(islice(rows, ROWS_AT_ONCE)):
        yield "".join(several).encode()
