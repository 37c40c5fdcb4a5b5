"""One's own keys of the editor, kept sealed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.errors import InvalidInput
from app.models import Preference
from tests.fixtures.installation import Installation


def test_keys_are_ones_own_and_stay(installation: Installation) -> None:
    ann, bob = installation.person("ann").actor, installation.person("bob").actor
    preferences = installation.services.preferences
    assert preferences.keymap(ann) == {}
    assert preferences.set_keymap(ann, {"draw": "y"})["draw"] == "y"
    assert preferences.set_keymap(ann, {"draw": "z", "hide": "q"})["box"] == "r"
    assert preferences.keymap(ann) == {"draw": "z", "hide": "q"}
    assert preferences.keys(bob)["draw"] == "n"
    with installation.house.uow.read() as session:
        assert len(session.scalars(select(Preference)).all()) == 1


def test_what_is_refused_changes_nothing(installation: Installation) -> None:
    ann = installation.person("ann").actor
    preferences = installation.services.preferences
    preferences.set_keymap(ann, {"draw": "y"})
    with pytest.raises(InvalidInput):
        preferences.set_keymap(ann, {"draw": "?"})
    assert preferences.keymap(ann) == {"draw": "y"}
    assert preferences.set_keymap(ann, {})["draw"] == "n"


def test_an_action_that_is_no_more_is_left_out(installation: Installation) -> None:
    ann = installation.person("ann").actor
    preferences = installation.services.preferences
    preferences.set_keymap(ann, {"draw": "y"})
    with installation.house.uow.write() as session:
        row = session.scalars(select(Preference)).one()
        row.body = {"keymap": {"draw": "y", "engrave": "g"}}
    assert preferences.keymap(ann) == {"draw": "y"}
