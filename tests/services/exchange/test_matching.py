"""Names that lead to one picture: the surer one has it, and nobody guesses between equals."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.domain.ids import new_id
from app.domain.shapes import Box
from app.formats.dataset import Item, Picture
from app.formats.losses import Ledger
from app.services.exchange.matching import Meant, PictureIndex, match_pictures
from app.services.exchange.pictures_known import Known

ONE, OTHER = new_id(), new_id()
ITEM = Item("cat", Box(1.0, 2.0, 3.0, 4.0))


def known(id_: UUID, name: str) -> Known:
    return Known(id_, name, 64, 48, "image/png", "new", "ready", 0, 1, datetime.now(UTC))


def index(*pictures: Known, stored=(), noted=None) -> PictureIndex:
    archive = {path: Meant(None, 64, 48, path) for path in stored}
    made = PictureIndex(pictures, archive, noted or {})
    made.name(pictures)
    return made


def matched(names: tuple[str, ...], found: PictureIndex) -> tuple[dict[str, object], set[str]]:
    """Who has which picture (its id, or its path in the archive), and the codes of losses."""
    ledger = Ledger()
    pictures = [Picture(name, 64, 48, (ITEM,)) for name in names]
    matches = match_pictures(pictures, found, ledger)
    taken = {m.picture.file_name: m.meant.id or m.meant.entry for m in matches}
    return taken, {loss.code.value for loss in ledger.losses}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("names", "made", "wanted"),
    [
        (("a.png", "old/a.png"), index(stored=["a.png"]), {"a.png": "a.png"}),
        (("x/a.png", "old/a.png"), index(stored=["x/a.png"]), {"x/a.png": "x/a.png"}),
        (("a.png", "old/a.png"), index(known(ONE, "a.png")), {"a.png": ONE}),
        (
            ("a.png", "old/a.png"),
            index(known(ONE, "a.png"), noted={"old/a.png": ONE}),
            {"old/a.png": ONE},
        ),
        (("a.png", f"{ONE}.png"), index(known(ONE, "a.png")), {f"{ONE}.png": ONE}),
    ],
    ids=["archive", "folder", "name", "noted", "id"],
)
def test_the_surer_name_has_it(names, made, wanted, turned: bool) -> None:
    taken, losses = matched(names[::-1] if turned else names, made)
    assert taken == wanted
    assert losses == {"missing-picture"}


@pytest.mark.parametrize(
    "names", [("a.png", "a.png"), ("x/a.png", "y/a.png"), (f"{ONE}.png", f"x/{ONE}.png")]
)
def test_equals_have_nothing(names: tuple[str, ...]) -> None:
    assert matched(names, index(known(ONE, "a.png"))) == ({}, {"ambiguous-name"})


@pytest.mark.parametrize("stored", [None, ONE])
def test_of_files_with_the_same_bytes_the_first_has_the_picture(stored: UUID | None) -> None:
    def twin(path: str) -> Meant:
        return Meant(stored, 64, 48, path, None if stored or path == "a.png" else "a.png")

    found = PictureIndex((), {path: twin(path) for path in ("a.png", "b.png", "x/c.png")}, {})
    taken, losses = matched(("a.png", "b.png", "c.png"), found)
    assert (taken, losses) == (
        {"a.png": stored or "a.png"},
        {"same-picture", "missing-picture"},
    )
    taken, losses = matched(("a.png", "a.png"), found)
    assert (taken, losses) == ({}, {"ambiguous-name"}), "one file, and two that claim it"


def test_the_others_of_the_set_are_left_in_peace() -> None:
    made = index(known(ONE, "a.png"), known(OTHER, "b.png"))
    taken, losses = matched(("a.png", "old/a.png", "old/b.png"), made)
    assert taken == {"a.png": ONE, "old/b.png": OTHER}
    assert losses == {"missing-picture"}
