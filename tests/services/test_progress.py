"""Figures of a collection and of its people; the queue of reviews."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text

from app.domain.states import AnnotationState
from app.errors import NotFound, NotPermitted
from app.services.progress import Progress, ProgressView
from app.services.review_queue import DRAWN, PAGE, ReviewQueue
from tests.fixtures.rooms import Rooms
from tests.services.test_tasks import BOX, SLUG, Team

DONE = AnnotationState.DONE


@pytest.fixture
def team(rooms: Rooms) -> Team:
    return Team(rooms)


def progress(team: Team, who: str = "rae") -> ProgressView:
    service = Progress(team.rooms.uow, team.rooms.clock)
    return service.of(getattr(team, who), SLUG)


def worked(team: Team) -> None:
    """Bob submits two in 2 and 4 minutes, of which one is accepted; Cy skips one."""
    first, second, third, _, last = team.pictures(5)
    for image, minutes, boxes in ((first, 2, 3), (second, 4, 1)):
        team.tasks.take(team.bob, image)
        team.rooms.clock.advance(minutes=minutes)
        team.draw(team.bob, image, *[BOX] * boxes)
        team.tasks.submit(team.bob, image)
    team.tasks.review(team.rae, first, "accept")
    team.tasks.skip(team.cy, third, "dark")
    team.tasks.assign(team.rae, last, team.cy.user_id)


def test_figures(team: Team) -> None:
    worked(team)
    view = progress(team)
    assert {state.value: n for state, n in view.states.items() if n} == {
        "new": 2,
        "done": 1,
        "accepted": 1,
        "skipped": 1,
    }
    bob, cy = view.people
    assert (bob.person.name, bob.submitted, bob.boxes, bob.seconds) == ("Bob", 2, 4, 360)
    assert (bob.pictures_an_hour, bob.boxes_an_hour) == (20, 40)
    assert (cy.submitted, cy.by_state[AnnotationState.SKIPPED], cy.assigned) == (0, 1, 1)
    assert cy.pictures_an_hour is None
    assert [n for _, n in view.days][-1] == 3
    assert (len(view.days), view.total, view.everybody) == (30, 5, True)


def test_annotators_are_told_their_own(team: Team) -> None:
    worked(team)
    for who, names in (("bob", ["Bob"]), ("cy", ["Cy"]), ("vic", [])):
        view = progress(team, who)
        assert [each.person.name for each in view.people] == names
        assert not view.everybody
    assert sum(n for _, n in progress(team, "cy").days) == 1
    with pytest.raises(NotFound):
        Progress(team.rooms.uow).of(team.rooms.person("eve"), SLUG)


def test_people_cost_no_statements(team: Team) -> None:
    worked(team)
    statements: list[str] = []
    event.listen(
        team.rooms.uow.engine,
        "before_cursor_execute",
        lambda c, k, text, values, context, many: statements.append(text),
    )
    progress(team)
    assert len(statements) <= 6


def test_the_queue(team: Team) -> None:
    queue = ReviewQueue(team.rooms.uow, team.rooms.clock)
    pictures = team.pictures(PAGE + 3)
    for n, image in enumerate(pictures):
        team.tasks.submit(team.cy if n % 2 else team.bob, image)
    team.tasks.review(team.rae, pictures[0], "reject", "the tail")
    page = queue.page(team.rae, SLUG)
    assert [each.card.id for each in page.items] == pictures[1 : PAGE + 1]
    assert [(who.name, n) for who, n in page.people] == [("Bob", 13), ("Cy", 13)]
    rest = queue.page(team.rae, SLUG, cursor=page.next_cursor)
    assert [each.card.id for each in rest.items] == pictures[PAGE + 1 :]
    assert rest.next_cursor is None
    own = queue.page(team.rae, SLUG, annotator=team.bob.user_id)
    assert {each.by.name for each in own.items if each.by} == {"Bob"}
    (back,) = queue.page(team.rae, SLUG, state=AnnotationState.REJECTED).items
    assert (back.card.id, back.reason) == (pictures[0], "the tail")
    assert page.counts[DONE] == PAGE + 2
    with pytest.raises(NotPermitted):
        queue.page(team.bob, SLUG)


def test_what_is_on_a_picture_is_drawn(team: Team) -> None:
    """Not of one with more than a thumbnail can show, nor of one with a damaged box."""
    few, many, damaged = team.pictures(3)
    for image, boxes in ((few, 2), (many, DRAWN + 1), (damaged, 1)):
        team.draw(team.bob, image, *[BOX] * boxes)
        team.tasks.submit(team.bob, image)
    with team.rooms.uow.write() as session:
        moved = "(SELECT box FROM annotations WHERE image_id = :few LIMIT 1)"
        session.execute(
            text(f"UPDATE annotations SET box = {moved} WHERE image_id = :damaged"),
            {"few": few.hex, "damaged": damaged.hex},
        )
    page = ReviewQueue(team.rooms.uow, team.rooms.clock).page(team.rae, SLUG)
    drawn = {item.card.id: item.drawn for item in page.items}
    assert [each.box.w for each in drawn[few]] == [1, 1]
    assert (drawn[many], drawn[damaged]) == ((), ())
    assert page.colours[drawn[few][0].label_id].startswith("#")
