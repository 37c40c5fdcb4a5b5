"""Sidecars, vault entries and sealed columns that were touched: named, and nothing shown."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest

from tests.fixtures.tampering import Lab, cut


@pytest.mark.parametrize("what", ["bit", "cut", "another's", "missing", "not JSON"])
def test_a_sidecar_is_named_and_the_picture_still_opens(lab: Lab, what: str) -> None:
    """Serving never reads a sidecar; the verification does."""
    file = lab.file(lab.path.sidecar)
    match what:
        case "bit":
            entry = json.loads(file.read_bytes())
            private = entry["entries"][0]["private"]
            entry["entries"][0]["private"] = ("A" if private[0] != "A" else "B") + private[1:]
            file.write_text(json.dumps(entry, sort_keys=True, separators=(",", ":")))
        case "cut":
            cut(file, -1)
        case "another's":
            shutil.copy(lab.file(lab.room.path(lab.good).sidecar), file)
        case "missing":
            file.unlink()
        case _:
            file.write_bytes(b"\x89PNG")
    assert lab.client.get(lab.url()).data == lab.contents[lab.bad]
    assert lab.problems() == {(str(lab.bad), "sidecar")}
    lab.check_good()


def _entry(lab: Lab, image_id: UUID) -> Path:
    (found,) = lab.installation.settings.vault_path.rglob(f"file-{image_id}.json")
    return found


def _values(entry: Path) -> tuple[dict, dict]:
    whole = json.loads(entry.read_text())
    ((_, reference),) = whole.items()
    ((_, version),) = reference["versions"].items()
    return whole, version


@pytest.mark.parametrize("what", ["value", "another's value", "gone", "not JSON", "disabled"])
def test_a_vault_entry(lab: Lab, what: str) -> None:
    """A key that is gone or does not fit quarantines; one that was put out of use does not."""
    entry = _entry(lab, lab.bad)
    whole, version = _values(entry)
    match what:
        case "value":
            raw = bytearray(base64.b64decode(version["value"]))
            raw[5] ^= 1
            version["value"] = base64.b64encode(raw).decode()
        case "another's value":
            version["value"] = _values(_entry(lab, lab.good))[1]["value"]
        case "disabled":
            version["enabled"] = False
    if what == "gone":
        entry.unlink()
    elif what == "not JSON":
        entry.write_text("{")
    else:
        entry.write_text(json.dumps(whole))
    lab.forget()
    answer = lab.client.get(lab.url())
    if what != "disabled":
        assert answer.status_code == 409
        lab.check_quarantined()
    else:
        assert answer.status_code == 503
        assert lab.room.row(lab.bad).status == "ready"
    assert lab.contents[lab.bad][:8] not in answer.data
    lab.check_good()
    lab.forget()
    assert (str(lab.bad), "original") in lab.problems()


COLUMNS = {
    "images.card": ("images", "id"),
    "images.meta": ("images", "id"),
    "annotations.label": ("annotations", "image_id"),
    "annotations.box": ("annotations", "image_id"),
    "tags.name": ("tags", None),
    "collections.name": ("collections", None),
    "users.name": ("users", None),
}


@pytest.mark.parametrize("bend", ["bit", "swapped"])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_token_of_a_column(lab: Lab, column: str, bend: str) -> None:
    """The damaged value is not shown, the pictures are: no answer is a 500."""
    table, _, name = column.partition(".")
    for image_id in (lab.bad, lab.good):
        lab.installation.services.tags.replace(lab.room.actor, image_id, [f"t {image_id}"])
        lab.client.put(
            f"/api/v1/images/{image_id}/annotations",
            json={"annotations": [{"label": "cat", "box": {"x": 1, "y": 1, "w": 9, "h": 9}}]},
            headers={"If-Match": "*"},
        )
    lab.installation.person("eve")
    database = lab.installation.instance / "darkroom.db"
    with sqlite3.connect(database) as direct:
        rows = direct.execute(f"SELECT rowid, {name} FROM {table} LIMIT 2").fetchall()
        (row, token), (_, other) = rows
        bent = other if bend == "swapped" else token[:-1] + bytes([token[-1] ^ 1])
        direct.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", (bent, row))
    direct.close()
    assert (column, "column") in lab.problems()
    assert column in lab.cli_names()
    for image_id in (lab.bad, lab.good):
        for what in ("original", "thumb/320"):
            assert lab.client.get(lab.url(what, image_id)).status_code == 200
    for page in ("/api/v1/images", f"/api/v1/images/{lab.bad}", f"/api/v1/images/{lab.good}"):
        assert lab.client.get(page).status_code == 200, page
