"""Whose turn it is: leases, assignment, submitting, skipping, reviewing, and honest clocks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.crypto.aead import ColumnCipher
from app.db.field_cipher import FieldCipher
from app.db.migrate import upgrade
from app.db.session import UnitOfWork, make_engine
from app.domain.access import OPERATOR, Actor
from app.domain.states import AnnotationState
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted, PictureSubmitted
from app.models import Comment
from app.services.annotations import ANY
from app.services.keys import RootKeys
from app.services.task_rows import LEASE, find_task
from tests.fixtures.database import Clock
from tests.fixtures.rooms import Rooms

SLUG = "birds"
BOX = {"label": "wren", "box": {"x": 0, "y": 0, "w": 1, "h": 1}}
DONE = AnnotationState.DONE


class Team:
    """Ada owns a collection in which Bob and Cy annotate, Rae reviews and Vic looks."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms, self.tasks = rooms, rooms.tasks
        self.ada = rooms.person("ada")
        rooms.collections.create(self.ada, name="Birds", slug=SLUG)
        roles = {"bob": "annotator", "cy": "annotator", "rae": "reviewer", "vic": "viewer"}
        self.bob, self.cy, self.rae, self.vic = (rooms.person(name) for name in roles)
        for name, role in roles.items():
            rooms.members.add(self.ada, SLUG, email=f"{name}@example.org", role=role)

    def pictures(self, count: int) -> list[UUID]:
        """In the order of their upload."""
        made = []
        for _ in range(count):
            made.append(self.rooms.picture(self.ada, SLUG))
            self.rooms.clock.advance(seconds=1)
        return made

    def next(self, who: Actor, **more: object) -> UUID | None:
        found = self.tasks.next(who, SLUG, **more)  # type: ignore[arg-type]
        return found.image_id if found is not None else None

    def draw(self, who: Actor, image: UUID, *boxes: dict[str, object]) -> None:
        self.rooms.annotations.put(who, image, {"annotations": list(boxes or [BOX])}, ANY)

    def seconds(self, image: UUID) -> int:
        return self.tasks.of(self.ada, image).worked_seconds


@pytest.fixture
def team(rooms: Rooms) -> Team:
    return Team(rooms)


class TestNext:
    def test_each_gets_another_one_and_their_own_comes_back(self, team: Team) -> None:
        first, second, third = team.pictures(3)
        assert [team.next(team.bob), team.next(team.cy)] == [first, second]
        assert [team.next(team.bob), team.next(team.cy)] == [first, second]
        team.tasks.submit(team.bob, first)
        assert team.next(team.bob) == third
        assert team.next(team.ada) is None

    def test_a_lease_ends_and_the_picture_goes_to_another(self, team: Team) -> None:
        (only,) = team.pictures(1)
        assert team.next(team.bob) == only
        assert team.next(team.cy) is None
        team.rooms.clock.advance(seconds=LEASE.total_seconds())
        assert team.next(team.cy) == only
        assert team.next(team.bob) is None

    def test_a_picture_may_be_passed_over(self, team: Team) -> None:
        first, second, third = team.pictures(3)
        assert team.next(team.bob) == first
        assert team.next(team.bob, after=first) == second
        assert team.next(team.cy) == first
        assert team.next(team.bob, after=second) == third
        assert team.next(team.bob, after=third) == second

    def test_a_picture_of_elsewhere_tells_nothing_of_its_time(self, team: Team) -> None:
        eve = team.rooms.person("eve")
        first = team.pictures(1)[0]
        hidden = team.rooms.picture(eve, None)
        team.rooms.clock.advance(seconds=1)
        team.pictures(1)
        assert team.next(team.bob, after=hidden) == team.next(team.bob, after=uuid4()) == first

    def test_what_is_assigned_comes_first_and_to_nobody_else(self, team: Team) -> None:
        first, second = team.pictures(2)
        team.tasks.assign(team.rae, second, team.bob.user_id)
        assert [team.next(team.cy), team.next(team.bob)] == [first, second]
        team.tasks.release(team.cy, first)
        team.tasks.assign(team.rae, first, team.bob.user_id)
        assert team.next(team.cy) is None

    def test_what_was_sent_back_comes_before_what_is_new(self, team: Team) -> None:
        first, second = team.pictures(2)
        team.next(team.bob)
        team.tasks.submit(team.bob, first)
        team.tasks.review(team.rae, first, "reject", "two birds are missing")
        assert [team.next(team.cy), team.next(team.bob)] == [second, first]

    def test_by_state_and_for_reviewers(self, team: Team) -> None:
        first, _ = team.pictures(2)
        assert team.next(team.rae, state=DONE) is None
        team.tasks.submit(team.bob, first)
        assert team.next(team.rae, state=DONE) == first
        assert team.next(team.ada, state=DONE) is None
        with pytest.raises(NotPermitted):
            team.next(team.bob, state=DONE)
        assert team.next(team.bob, state=AnnotationState.REJECTED) is None

    def test_who_may(self, team: Team) -> None:
        with pytest.raises(NotPermitted):
            team.next(team.vic)
        with pytest.raises(NotFound):
            team.next(team.rooms.person("eve"))

    def test_trash_and_pictures_that_are_not_ready_are_never_given(self, team: Team) -> None:
        team.rooms.picture(team.ada, SLUG, trashed_at=team.rooms.clock())
        team.rooms.picture(team.ada, SLUG, status="processing")
        team.rooms.picture(team.ada, SLUG, expires_at=team.rooms.clock())
        assert team.next(team.bob) is None


def race(rooms: Rooms) -> None:
    """Eight people take, submit and take again until nothing is left."""
    team = Team(rooms)
    pictures = team.pictures(24)
    people = [rooms.person(f"worker{n}") for n in range(8)]
    for n in range(8):
        rooms.members.add(team.ada, SLUG, email=f"worker{n}@example.org", role="annotator")

    def work(who: Actor) -> list[UUID]:
        mine = []
        while (image := team.next(who)) is not None:
            mine.append(image)
            team.tasks.submit(who, image)
        return mine

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(work, people))
    assert sorted(image for mine in given for image in mine) == sorted(pictures)
    with rooms.uow.read() as session:
        for who, mine in zip(people, given, strict=True):
            tasks = [find_task(session, image) for image in mine]
            assert {task.submitted_by for task in tasks if task} <= {who.user_id}


def test_eight_people_are_never_given_the_same_picture(rooms: Rooms) -> None:
    race(rooms)


def test_nor_on_postgresql(postgres_url: str, root_keys: RootKeys, still_clock: Clock) -> None:
    columns = root_keys.active("columns")
    cipher = FieldCipher(ColumnCipher(root_keys.all("columns"), columns.version))
    engine = make_engine(postgres_url, cipher)
    upgrade(engine)
    race(Rooms(UnitOfWork(engine), root_keys, still_clock))
    engine.dispose()


class TestSubmitting:
    def test_done_and_empty_is_not_new(self, team: Team) -> None:
        (image,) = team.pictures(1)
        told = team.tasks.submit(team.bob, image)
        assert (told.state, told.read_only, told.holder) == (DONE, True, None)
        assert told.submitted_by is not None
        assert (told.submitted_by.name, told.submitted_by.you) == ("Bob", True)
        assert told.submitted_at == team.rooms.clock.now
        assert told.can == ("reopen",)
        assert team.tasks.of(team.cy, image).can == ()
        assert team.tasks.submit(team.bob, image) == told

    def test_a_put_that_says_done_submits_as_well(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.rooms.annotations.put(team.bob, image, {"annotations": [], "state": "done"}, 0)
        told = team.tasks.of(team.rae, image)
        assert told.submitted_by is not None
        assert told.submitted_by.id == team.bob.user_id

    def test_it_is_read_only_until_it_is_taken_back(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.tasks.submit(team.bob, image)
        for who, may_reopen in ((team.bob, True), (team.cy, False)):
            with pytest.raises(PictureSubmitted) as refused:
                team.draw(who, image)
            assert refused.value.details["may_reopen"] is may_reopen
        with pytest.raises(PictureSubmitted):
            team.tasks.reopen(team.cy, image)
        assert team.tasks.reopen(team.bob, image).state is AnnotationState.IN_PROGRESS
        team.draw(team.bob, image)
        team.tasks.submit(team.bob, image)
        team.draw(team.rae, image, BOX, BOX)
        assert team.tasks.of(team.rae, image).state is DONE

    def test_nobody_submits_what_another_has(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.next(team.bob)
        for act in (team.tasks.submit, team.tasks.release, team.tasks.take):
            with pytest.raises(Conflict):
                act(team.cy, image)
        assert team.tasks.of(team.cy, image).can == ()
        assert team.tasks.submit(team.rae, image).state is DONE

    def test_skipping_takes_a_reason_and_is_taken_back_by_drawing(self, team: Team) -> None:
        (image,) = team.pictures(1)
        for nothing in (None, " ", 5):
            with pytest.raises(InvalidInput):
                team.tasks.skip(team.bob, image, nothing)
        told = team.tasks.skip(team.bob, image, " too dark ")
        assert (told.state.value, told.reason, told.reason_of) == (
            "skipped",
            "too dark",
            "skipped",
        )
        assert team.next(team.cy) is None
        team.draw(team.cy, image)
        assert team.tasks.submit(team.cy, image).state is DONE


class TestReviewing:
    def test_there_and_back(self, team: Team) -> None:
        (image,) = team.pictures(1)
        with pytest.raises(Conflict):
            team.tasks.review(team.rae, image, "accept")
        team.tasks.submit(team.bob, image)
        with pytest.raises(NotPermitted):
            team.tasks.review(team.bob, image, "accept")
        with pytest.raises(InvalidInput):
            team.tasks.review(team.rae, image, "reject", "")
        sent_back = team.tasks.review(team.rae, image, "reject", "the tail")
        assert (sent_back.state.value, sent_back.reason_of) == ("rejected", "rejected")
        seen = team.tasks.of(team.bob, image)
        assert (seen.reason, seen.assignee and seen.assignee.you) == ("the tail", True)
        assert team.next(team.bob) == image
        team.draw(team.bob, image)
        assert team.tasks.of(team.bob, image).reason == "the tail"
        team.tasks.submit(team.bob, image)
        accepted = team.tasks.review(team.rae, image, "accept")
        assert (accepted.state.value, accepted.reason, accepted.assignee) == (
            "accepted",
            None,
            None,
        )
        with team.rooms.uow.read() as session:
            (said,) = session.scalars(select(Comment))
            assert (said.body["text"], said.body["of"]) == ("the tail", "rejected")

    def test_accepted_is_read_only_until_a_reviewer_reopens(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.tasks.submit(team.bob, image)
        team.tasks.review(team.rae, image, "accept")
        for who, may_reopen in ((team.bob, False), (team.rae, True), (team.ada, True)):
            with pytest.raises(PictureSubmitted) as refused:
                team.draw(who, image)
            assert refused.value.details["may_reopen"] is may_reopen
            with pytest.raises(PictureSubmitted):
                team.tasks.submit(who, image)
        with pytest.raises(PictureSubmitted):
            team.tasks.reopen(team.bob, image)
        team.tasks.reopen(team.rae, image)
        team.draw(team.bob, image)


class TestAssigning:
    def test_one_many_and_nobody(self, team: Team) -> None:
        pictures = team.pictures(5)
        tasks, bob, cy = team.tasks, team.bob.user_id, team.cy.user_id
        assert tasks.assign_some(team.rae, SLUG, bob, 2) == 2
        assert tasks.assign_some(team.rae, SLUG, cy, 10) == 3
        owners = [tasks.of(team.ada, image).assignee for image in pictures]
        assert [one and one.name for one in owners] == ["Bob", "Bob", "Cy", "Cy", "Cy"]
        assert tasks.assign(team.rae, pictures[4], None).assignee is None
        assert tasks.assign_some(team.rae, SLUG, None, 10) == 4
        assert team.rooms.actions().count("task.assign") == 4

    def test_to_whom_and_by_whom(self, team: Team) -> None:
        (image,) = team.pictures(1)
        for nobody in (team.vic.user_id, uuid4()):
            with pytest.raises(InvalidInput):
                team.tasks.assign(team.rae, image, nobody)
        for count in (0, -1, 10_001):
            with pytest.raises(InvalidInput):
                team.tasks.assign_some(team.rae, SLUG, None, count)
        with pytest.raises(NotPermitted):
            team.tasks.assign(team.bob, image, team.bob.user_id)
        with pytest.raises(NotPermitted):
            team.tasks.assign_some(team.bob, SLUG, team.bob.user_id, 1)

    def test_assigning_ends_the_lease_of_another(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.next(team.bob)
        told = team.tasks.assign(team.rae, image, team.cy.user_id)
        assert told.holder is None
        assert team.next(team.bob) is None
        assert team.next(team.cy) == image


class TestTheClock:
    def test_signs_of_work_renew_the_lease_and_count(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.next(team.bob)
        for n in range(20):
            team.rooms.clock.advance(minutes=2)
            team.draw(team.bob, image, *[BOX] * (n % 2 + 1))
        assert team.seconds(image) == 40 * 60
        told = team.tasks.of(team.bob, image)
        assert told.lease_until == team.rooms.clock.now + LEASE
        assert team.next(team.cy) is None

    def test_pauses_count_as_nothing(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.next(team.bob)
        team.rooms.clock.advance(minutes=4)
        team.tasks.take(team.bob, image)
        team.rooms.clock.advance(minutes=25)
        team.tasks.take(team.bob, image)
        team.rooms.clock.advance(seconds=30.9)
        team.tasks.submit(team.bob, image)
        assert team.seconds(image) == 4 * 60 + 30

    def test_no_part_of_a_second_is_lost_among_many_saves(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.next(team.bob)
        for n in range(60):
            team.rooms.clock.advance(seconds=1.75)
            team.draw(team.bob, image, *[BOX] * (n % 2 + 1))
        team.tasks.submit(team.bob, image)
        assert team.seconds(image) == 105

    def test_only_the_time_of_who_has_it_counts(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.next(team.bob)
        team.rooms.clock.advance(minutes=1)
        team.draw(team.cy, image)
        team.rooms.clock.advance(minutes=1)
        team.tasks.release(team.bob, image)
        assert team.seconds(image) == 120
        team.tasks.take(team.cy, image)
        team.rooms.clock.advance(minutes=1)
        team.tasks.submit(team.rae, image)
        assert team.seconds(image) == 120

    def test_writing_into_a_free_picture_takes_it(self, team: Team) -> None:
        (image,) = team.pictures(1)
        team.draw(team.bob, image)
        told = team.tasks.of(team.bob, image)
        assert told.holder is not None
        assert (told.holder.you, told.can) == (True, ("submit", "skip", "release"))
        assert told.lease_until == team.rooms.clock.now + timedelta(minutes=30)


@pytest.mark.parametrize("way", ["removed", "viewer", "disabled"])
def test_who_may_label_no_more_keeps_no_picture(team: Team, way: str) -> None:
    first, second, third = team.pictures(3)
    assert team.next(team.bob) == first
    team.tasks.assign(team.ada, second, team.bob.user_id)
    team.tasks.assign(team.ada, third, team.cy.user_id)
    assert team.bob.user_id is not None
    if way == "removed":
        team.rooms.members.remove(team.ada, SLUG, team.bob.user_id)
    elif way == "viewer":
        team.rooms.members.change(team.ada, SLUG, team.bob.user_id, "viewer")
    else:
        team.rooms.administration.set_disabled(OPERATOR, team.bob.user_id, True)
    with pytest.raises(InvalidInput):
        team.tasks.assign(team.ada, second, team.bob.user_id)
    assert team.next(team.rae) == first
    assert team.next(team.rae, after=first) == second
    assert team.next(team.rae, after=second) == first
    assert team.next(team.cy) == third
