"""A small program without Flask: an installation, reset from a copy before every fault."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import select, text

from app.config import load_settings
from app.db.times import utc_now
from app.media.formats import FileType
from app.media.rendered import Rendered
from app.models import Image
from app.services.examination import Offer
from app.services.image_access import image_by_id
from app.services.ingest import Stored
from app.services.new_image import Wishes
from app.services.orphans import Orphans
from app.startup import start
from app.storage.reconcile import OrphanKind
from app.vault.cache import KeyCache
from app.wiring import House
from tests.fixtures import pictures
from tests.fixtures.installation import PASSWORD, environment
from tests.fixtures.upkeep import tidy_up

PIXELS = b"PLAIN-PIXELS-9c1e"
NAME = "PLAIN-NAME-9c1e"
TAG = "PLAIN-TAG-9c1e"
MARKERS = [
    form
    for word in (PIXELS, NAME.encode(), TAG.encode(), TAG.lower().encode())
    for form in (word, word.hex().encode(), word.decode().encode("utf-16-le"))
]


def marked_picture(number: int) -> bytes:
    """A BMP of 16 x 16 pixels that spell a marker."""
    plain = pictures.bmp(pictures.scene(16, 16))
    head, pixels = plain[:54], len(plain) - 54
    return head + (bytes([number]) + PIXELS * pixels)[:pixels]


class Prepared:
    """A decoder that has its answer already: a loop of hundreds starts no child."""

    def __init__(self, rendered: Rendered) -> None:
        self._rendered = rendered

    def render(
        self,
        source: BinaryIO,
        size: int,
        file_type: FileType,
        sizes: Sequence[int] = (320, 640, 1600),
    ) -> Rendered:
        """Read all of the source, as a decoder does."""
        source.seek(0)
        assert len(source.read()) == size
        one = self._rendered.derivatives[320]
        return replace(self._rendered, derivatives=dict.fromkeys(sizes, one))

    def close(self) -> None: ...


class Scene:
    """``resident`` lies in the installation already; ``arriving`` is to be uploaded."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self.environ = environment(folder, **settings)
        self.settings, _ = load_settings(self.environ)
        self.instance = self.settings.instance_path
        self.resident, self.arriving = marked_picture(1), marked_picture(2)
        start(self.settings)
        self._house = house = House(self.settings)
        offered = BytesIO(self.resident)
        bmp = FileType("image", "image/bmp", "bmp")
        rendered = house.decoder.render(offered, len(self.resident), bmp)
        house.decoder.close()
        house.__dict__["decoder"] = Prepared(rendered)
        accounts = house.services.accounts
        person = accounts.register(email="a@b.example", name="Ann", password=PASSWORD)
        self.actor = person.actor
        self.resident_id = self.upload(house, self.resident).id
        house.engine.dispose()
        self.keep()

    def keep(self) -> None:
        """From now on a reset comes back to what is there now."""
        template = self._folder / "template"
        shutil.rmtree(template, ignore_errors=True)
        shutil.copytree(self.instance, template)

    def reset(self) -> None:
        """The database's file stays the one that the engine knows; its content comes back."""
        database = Path(self.settings.database_url.removeprefix("sqlite:///"))
        for path in self.instance.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path != database:
                path.unlink()
        shutil.copytree(self._folder / "template", self.instance, dirs_exist_ok=True)

    def house(self) -> House:
        """As after a start: nothing is open and nothing remembered but compiled statements."""
        house = self._house
        house.engine.dispose()
        house.keys._cache = KeyCache(100, 3600)
        house.blobs._walked.clear()
        house.vault._durable.clear()
        return house

    @contextmanager
    def opened(self) -> Iterator[House]:
        try:
            yield self.house()
        finally:
            self._house.engine.dispose()

    @contextmanager
    def started_again(self) -> Iterator[House]:
        """The next start, and what it does beside the first requests."""
        start(self.settings)
        with self.opened() as house:
            tidy_up(house)
            yield house

    def upload(self, house: House, content: bytes) -> Stored:
        offer = Offer(f"{NAME}.bmp", BytesIO(content), len(content))
        return house.services.ingest.accept(self.actor, offer, Wishes(tags=(TAG,)))

    def original(self, house: House, image_id: UUID) -> bytes:
        delivery = house.services.delivery
        with delivery.open(delivery.original(self.actor, image_id)) as blob:
            return blob.reader.read_all()

    def thumbnail(self, house: House, image_id: UUID, size: int = 160) -> bytes:
        delivery = house.services.delivery
        return delivery.read(delivery.thumbnail(self.actor, image_id, size))

    def ids(self, house: House) -> set[UUID]:
        with house.uow.read_rows() as rows:
            return set(rows.scalars(select(Image.id)))

    def strays(self, house: House) -> set[str]:
        """Files of the store that belong to no row."""
        with house.uow.read() as session:
            found = [image_by_id(session, self.actor, one) for one in self.ids(house)]
        known = tuple(image.path.base + "." for image in found if image is not None)
        root = self.settings.store_path
        files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
        return {
            name
            for name in files
            if not name.startswith((".locks/", ".darkroom-store", *known)) or ".tmp-" in name
        }

    def stray_keys(self, house: House) -> set[str]:
        """Files of the vault that belong to no row, copies and temporary ones too."""
        wanted = {f"file-{one}.json" for one in self.ids(house)}
        files = {path.name for path in self.settings.vault_path.rglob("*file-*")}
        return files - wanted

    def check_sound(self, house: House) -> None:
        """What must hold after any fault: see the single assertions."""
        self.check_nothing_readable()
        assert self.original(house, self.resident_id) == self.resident
        problems = [found for found in house.services.verification.images() if found.problem]
        problems += [found for found in house.services.verification.columns() if found.problem]
        assert problems == []
        self.check_counts(house)
        self.check_reported(house)
        assert house.services.audit.verify().broken_at is None

    def check_nothing_readable(self) -> None:
        for path in self.instance.rglob("*"):
            if path.is_file():
                raw = path.read_bytes()
                assert not any(marker in raw for marker in MARKERS), path.name

    def check_counts(self, house: House) -> None:
        """Quota and month counters are what a recount gives."""
        with house.uow.read_rows() as rows:
            used = rows.execute(text("SELECT sum(quota_used) FROM users")).scalar_one()
            size = rows.execute(text("SELECT sum(size) FROM images")).scalar_one()
            months = rows.execute(text("SELECT sum(count) FROM month_counts")).scalar_one()
            live = rows.execute(
                text("SELECT count(*) FROM images WHERE trashed_at IS NULL")
            ).scalar_one()
            keys = rows.execute(text("SELECT count(*) FROM file_keys")).scalar_one()
            images = rows.execute(text("SELECT count(*) FROM images")).scalar_one()
        assert (used, months, keys) == (size, live, images)

    def check_reported(self, house: House) -> None:
        """Whatever is left over is told, and nothing else is."""
        later = utc_now() + timedelta(days=2)
        report = Orphans(house.uow, house.blobs, house.vault, lambda: later).report()
        keys = {f"{key}.json" for key in report.examples.pop(OrphanKind.KEY_WITHOUT_ROW, ())}
        assert keys == {name for name in self.stray_keys(house) if name.endswith(".json")}
        told = {key for keys in report.examples.values() for key in keys}
        assert {name for name in self.strays(house) if not name.endswith(".meta")} <= told
        assert told <= self.strays(house)
