"""Two pictures, one kept each way, in an installation whose keys are about to be changed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from app.config import Settings
from app.vault.cache import KeyCache
from app.wiring import House
from tests.faults.scene import Scene, marked_picture


class KeyScene(Scene):
    """``contents``: what every picture has to open as, whatever happens to its keys."""

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder, **settings)
        decoder = self._house.decoder
        other = replace(self.settings, keying="envelope")
        self.other = marked_picture(3)
        with closing(House(other)) as house:
            house.__dict__["decoder"] = decoder
            self.other_id = self.upload(house, self.other).id
        self.contents = {self.resident_id: self.resident, self.other_id: self.other}
        self.houses: list[House] = [self._house]
        self.keep()

    def use(self, settings: Settings) -> House:
        """From now on `house` gives one with these settings."""
        decoder = self._house.decoder
        self._house = House(settings)
        self._house.__dict__["decoder"] = decoder
        self.houses.append(self._house)
        return self._house

    def fresh(self, house: House) -> House:
        """As after a start: nothing is remembered but compiled statements."""
        house.engine.dispose()
        house.keys._cache = KeyCache(100, 3600)
        wrapper = house.keying.wrapper
        wrapper._cache = KeyCache(100, 3600)  # type: ignore[attr-defined]
        house.blobs._walked.clear()
        house.vault._durable.clear()
        return house

    def house(self) -> House:
        return self.fresh(self._house)

    def check_opens(self, house: House, point: str) -> None:
        self.fresh(house)
        for file_id, content in self.contents.items():
            assert self.original(house, file_id) == content, point

    def found(self, house: House) -> set[UUID]:
        return self.ids(house)
