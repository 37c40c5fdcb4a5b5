"""Envelopes after ``store rebuild-db``, which brings back no list of what was replaced."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import make_url

from app.crypto.keys import generate_key
from app.db.times import utc_now
from app.jobs.watch import Unwatched
from app.models import KekVersion
from app.services.keys import kek_reference
from app.services.keys.kek_rotation import KekRotation
from app.wiring import House
from tests.fixtures.installation import Installation
from tests.fixtures.pictures import png, scene


def test_rotation_rewrap_and_retirement_after_a_rebuild(install: Any) -> None:
    site: Installation = install(KEY_VAULT_KEYING="envelope")
    answers = [site.api().upload((png(scene(8 + n, 8)), "a.png")) for n in range(2)]
    ids = [answer.json["images"][0]["id"] for answer in answers]
    site.services.records.run()
    names = {kek_reference(UUID(one)) for one in ids}
    first = {name: site.house.keying.wrapper.newest(name) for name in names}
    assert site.services.key_changes.keks.run(Unwatched()).complete
    behind = _sidecar_of_the_first_version(site)
    site.house.close()
    _lose_database(site)
    with closing(House(site.settings)) as house:
        assert house.services.rebuild.run().found == 2
    with closing(House(site.settings)) as house:
        wrapper, keks = house.keying.wrapper, house.services.key_changes.keks
        _opens(house)
        assert _retired_at(keks, hours=25) == 0  # nobody wrote down what is old
        assert keks.run(Unwatched()).complete
        with house.uow.read_rows() as rows:
            noted = {
                (row.kek, row.version)
                for row in rows.execute(select(KekVersion.kek, KekVersion.version))
            }
        assert noted >= set(first.items())
        behind()  # a sidecar that still names a version keeps it
        assert _retired_at(keks, hours=50) < 2 * len(names)
        _opens(house)
        for path in keks._sidecars.paths():
            keks._sidecars.follow(path)
        _retired_at(keks, hours=50)
        _retired_at(keks, hours=100)
        assert {len(wrapper.versions(name)) for name in names} == {1}
        _opens(house)
    _rewraps(site)


def _rewraps(site: Installation) -> None:
    settings = site.settings
    new = replace(
        settings,
        encryption_key=generate_key(),
        encryption_key_previous=(settings.encryption_key,),
    )
    with closing(House(new)) as house:
        assert house.services.key_changes.rewrap.run(Unwatched()).complete
    with closing(House(replace(new, encryption_key_previous=()))) as house:
        _opens(house)


def _sidecar_of_the_first_version(site: Installation) -> Any:
    """Call it to put one sidecar back to what it is now."""
    (meta, *_) = sorted(site.settings.store_path.rglob("*.meta"))
    raw = meta.read_bytes()
    return lambda: meta.write_bytes(raw)


def _retired_at(keks: KekRotation, *, hours: int) -> int:
    keks.retirement._clock = lambda: utc_now() + timedelta(hours=hours)
    try:
        return keks.retirement.run(Unwatched())
    finally:
        keks.retirement._clock = utc_now


def _opens(house: House) -> None:
    found = list(house.services.verification.images())
    assert len(found) >= 2
    assert [one for one in found if one.problem] == []


def _lose_database(site: Installation) -> None:
    place = Path(make_url(site.settings.database_url).database or "")
    for end in ("", "-wal", "-shm"):
        place.with_name(place.name + end).unlink(missing_ok=True)
