"""New versions of root keys on whole installations, with a second process looking on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.sql import column, table

from app.crypto.context import Role
from app.db.times import utc_now
from app.domain.access import Actor
from app.domain.search_terms import SearchTerms
from app.errors import Conflict, KeyVaultUnavailable, NotFound
from app.jobs.watch import Unwatched
from app.models import LabelToken
from app.services import draft_keys
from app.services.keys import ROOT_NAMES, RootName
from app.services.keys.column_rotation import sealed_tables
from app.services.keys.root_rotation import RootTerms
from app.services.listing import ListQuery
from app.services.signed_urls import Purpose, SignedView, read_token, sign_view
from app.wiring import House
from tests.faults.scene import PASSWORD, Scene

USER = UUID(int=7)
AT_ONCE = RootTerms(timedelta(0), timedelta(0), timedelta(0))
DAY = RootTerms(timedelta(hours=24), timedelta(hours=1), timedelta(0))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def opened(scene: Scene, terms: RootTerms) -> Iterator[House]:
    house = House(scene.settings)
    house.services.key_changes.roots._terms = terms
    yield house
    house.close()


@pytest.fixture
def house(scene: Scene) -> Iterator[House]:
    yield from opened(scene, AT_ONCE)


@pytest.fixture
def other(scene: Scene) -> Iterator[House]:
    """Another process: it has read its root keys before anything is rotated."""
    for house in opened(scene, AT_ONCE):
        assert house.services.accounts.is_empty() is False
        yield house


def later(house: House, by: timedelta) -> None:
    house.services.key_changes.roots._clock = lambda: utc_now() + by


def key_ids(house: House) -> set[bytes]:
    found = set[bytes]()
    with house.uow.read_rows() as rows:
        for sealed in sealed_tables():
            for name in sealed.contexts:
                tokens = rows.execute(text(f"SELECT {name} FROM {sealed.name}")).scalars()
                found |= {token[3:7] for token in tokens if token is not None}
    return found


def check(scene: Scene, house: House) -> None:
    assert scene.original(house, scene.resident_id) == scene.resident
    assert [f for f in house.services.verification.columns() if f.problem] == []
    assert house.services.audit.verify().broken_at is None
    assert house.services.accounts.authenticate("a@b.example", PASSWORD)


@pytest.mark.parametrize("name", ROOT_NAMES)
def test_every_root_rotates_and_all_processes_go_on(
    scene: Scene, house: House, other: House, name: RootName
) -> None:
    before = house.roots.active(name)
    report = house.services.key_changes.roots.run(Unwatched(), name)
    assert (report.failed, report.remaining, report.complete) == (0, 0, True)
    assert house.roots.active(name) != before
    assert (before.version in house.roots.all(name)) == (name == "audit")
    if name in {"blind", "etag"}:
        other.roots.refresh()  # what the thread of every process does
    for one in (house, other):
        check(scene, one)
    made = scene.upload(house, scene.arriving).id
    assert scene.original(other, made) == scene.arriving
    with closing(House(scene.settings)) as fresh:
        check(scene, fresh)


class TestColumns:
    def test_every_token_is_at_the_new_version(self, scene: Scene, house: House) -> None:
        old = house.roots.active("columns").version[:4]
        assert key_ids(house) == {old}
        report = house.services.key_changes.roots.run(Unwatched(), "columns")
        assert report.done >= 8
        assert key_ids(house) == {house.roots.active("columns").version[:4]}
        assert old not in key_ids(house)

    def test_a_process_that_does_not_know_it_reads_and_then_seals_with_it(
        self, scene: Scene, house: House, other: House
    ) -> None:
        roots = house.services.key_changes.roots
        roots._make("columns")
        house.services.accounts.register(email="n@b.example", name="New", password=PASSWORD)
        assert other.services.accounts.authenticate("n@b.example", PASSWORD)
        assert other.roots.active("columns") == house.roots.active("columns")
        other.services.accounts.register(email="m@b.example", name="M", password=PASSWORD)
        assert roots.run(Unwatched(), "columns").complete
        assert key_ids(house) == {house.roots.active("columns").version[:4]}

    def test_the_old_version_goes_after_the_grace_period(self, scene: Scene) -> None:
        for house in opened(scene, DAY):
            roots = house.services.key_changes.roots
            old = house.roots.active("columns").version
            report = roots.run(Unwatched(), "columns")
            assert (report.complete, report.waiting) == (True, 1)
            assert roots.tend(Unwatched()) == 0
            later(house, timedelta(hours=25))
            assert roots.tend(Unwatched()) == 1
            assert old not in house.roots.all("columns")
            check(scene, house)

    def test_one_that_was_cut_short_is_finished_and_not_begun_again(
        self, scene: Scene, house: House
    ) -> None:
        roots = house.services.key_changes.roots
        roots._make("columns")
        active = house.roots.active("columns")
        assert roots.run(Unwatched(), "columns").complete
        assert house.roots.active("columns") == active

    def test_what_a_stale_process_seals_meanwhile_is_moved_by_the_job(
        self, scene: Scene, other: House
    ) -> None:
        for house in opened(scene, DAY):
            roots = house.services.key_changes.roots
            assert roots.run(Unwatched(), "columns").complete
            other.services.accounts.register(email="s@b.example", name="S", password=PASSWORD)
            later(house, timedelta(hours=25))
            assert roots.tend(Unwatched()) == 1
            assert len(key_ids(house)) == 1
            check(scene, house)

    def test_a_damaged_token_keeps_its_version(self, scene: Scene, house: House) -> None:
        plain = table("users", column("name"))
        with house.uow.write() as session:
            token = session.execute(text("SELECT name FROM users")).scalar_one()
            session.execute(update(plain).values(name=token[:-1] + bytes([token[-1] ^ 1])))
        roots = house.services.key_changes.roots
        report = roots.run(Unwatched(), "columns")
        assert (report.failed, report.waiting, report.complete) == (1, 1, False)

    def test_a_vault_that_is_away_is_not_taken_for_damage(
        self, scene: Scene, house: House, other: House
    ) -> None:
        house.services.key_changes.roots._make("columns")
        house.services.accounts.register(email="n@b.example", name="New", password=PASSWORD)
        path = scene.settings.vault_path
        path.rename(path.with_name("away"))
        with pytest.raises(KeyVaultUnavailable):
            other.services.accounts.authenticate("n@b.example", PASSWORD)
        path.with_name("away").rename(path)
        assert other.services.accounts.authenticate("n@b.example", PASSWORD)


class TestBlind:
    def test_accounts_and_twins_are_found_all_the_time(
        self, scene: Scene, house: House, other: House
    ) -> None:
        roots = house.services.key_changes.roots
        roots._make("blind")
        other.roots.refresh()
        for one in (house, other):
            assert one.services.accounts.authenticate("a@b.example", PASSWORD)
            with pytest.raises(Conflict):
                one.services.accounts.register(
                    email="A@b.example", name="Twin", password=PASSWORD
                )
            assert scene.upload(one, scene.resident).duplicate
        report = roots.run(Unwatched(), "blind")
        assert (report.done, report.waiting) == (2, 0)
        assert scene.upload(other, scene.resident).duplicate
        assert other.services.accounts.authenticate("a@b.example", PASSWORD)

    def test_pictures_are_found_by_label_all_the_time(
        self, scene: Scene, house: House, other: House
    ) -> None:
        services, actor = house.services, scene.actor
        document = {"annotations": [{"label": "gull", "box": {"x": 1, "y": 1, "w": 2, "h": 2}}]}
        services.annotations.put(actor, scene.resident_id, document, "*")
        place = services.library.detail(actor, scene.resident_id).place
        assert place is not None
        services.label_indexing.run(place.id, on=True)
        terms = SearchTerms(label="gull")

        def found(one: House) -> list[UUID]:
            page = one.services.search.page(actor, ListQuery(), terms, slug=place.slug)
            return [card.id for card in page.cards]

        def tokens() -> list[bytes]:
            with house.uow.read() as session:
                return list(session.scalars(select(LabelToken.token)))

        roots, before = services.key_changes.roots, tokens()
        roots._make("blind")
        other.roots.refresh()
        assert found(house) == found(other) == [scene.resident_id]
        assert roots.run(Unwatched(), "blind").complete
        assert found(house) == found(other) == [scene.resident_id]
        assert len(tokens()) == 1
        assert tokens() != before
        services.annotations.put(actor, scene.resident_id, {"annotations": []}, "*")
        assert tokens() == []

    def test_waits_until_every_process_knows(self, scene: Scene, house: House) -> None:
        roots = house.services.key_changes.roots
        roots._terms = replace(AT_ONCE, settle=timedelta(seconds=30))
        moments = iter(range(0, 1000, 10))
        began = utc_now()

        def clock() -> datetime:
            return began + timedelta(seconds=next(moments))

        waited: list[float] = []
        roots._clock, roots._pause = clock, waited.append
        assert roots.run(Unwatched(), "blind").complete
        assert 2 <= len(waited) <= 4


class TestUrl:
    def test_links_made_before_stay_good_until_the_longest_has_run_out(
        self, scene: Scene, other: House
    ) -> None:
        for house in opened(scene, DAY):
            view = SignedView(scene.resident_id, Role.ORIGINAL, 0, Purpose.VIEW, 0, 2**40)
            link = sign_view(view, house.roots)
            roots = house.services.key_changes.roots
            assert roots.run(Unwatched(), "url").waiting == 1
            fresh = sign_view(view, house.roots)
            assert read_token(link, house.roots) == read_token(fresh, other.roots) == view
            later(house, timedelta(hours=24, minutes=30))
            assert roots.tend(Unwatched()) == 0
            later(house, timedelta(hours=25, minutes=30))
            assert roots.tend(Unwatched()) == 1
            with pytest.raises(NotFound):
                read_token(link, house.roots)


class TestTransient:
    def test_drafts_in_browsers_open_for_as_long_as_they_are_offered(
        self, scene: Scene
    ) -> None:
        for house in opened(scene, replace(DAY, drafts=draft_keys.KEPT)):
            before = house.services.draft_keys.of(Actor(USER)).keys
            roots = house.services.key_changes.roots
            assert roots.run(Unwatched(), "transient").waiting == 1
            fresh, *older = house.services.draft_keys.of(Actor(USER)).keys
            assert tuple(older) == before
            assert fresh.id != before[0].id
            later(house, draft_keys.KEPT + timedelta(hours=23))
            assert roots.tend(Unwatched()) == 0
            later(house, draft_keys.KEPT + timedelta(hours=25))
            assert roots.tend(Unwatched()) == 1
            assert house.services.draft_keys.of(Actor(USER)).keys == (fresh,)


def test_a_stranger_costs_the_vault_one_look_a_second(scene: Scene, house: House) -> None:
    looks = []
    real = house.roots.refresh
    house.roots.refresh = lambda: looks.append(1) or real()  # type: ignore[method-assign,func-returns-value]
    for number in range(50):
        assert house.roots.find("url", number.to_bytes(4, "big")) is None
    assert len(looks) <= 2
