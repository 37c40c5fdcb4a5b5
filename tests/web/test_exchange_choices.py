"""Choices of imports and exports that can be told wrong are refused before a job is made, at
the field that they stand in."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from app.services.collections import CollectionEdit
from app.services.labels import LabelEdit
from tests.fixtures.exchange import ExchangeRoom, coco
from tests.fixtures.installation import Installation

BOTH = [
    ("format", "nope", "coco, yolo, voc"),
    ("task", "nope", "detect, obb, segment"),
    ("origin", "2", "0 or"),
]
IMPORT = [
    *BOTH,
    ("mode", "nope", "add, replace, empty"),
    ("state", "accepted", "in_progress or done"),
    ("images", "perhaps", ""),
    ("classes", "cat", "name in the file = name here"),
    ("classes", "cat = tiger", "Line 1"),
]
EXPORT = [
    *BOTH,
    ("metadata", "nope", "keep, gps, all"),
    ("filenames", "nope", "original, id, numbered"),
    ("states", "nope", "accepted"),
    ("labels", "tiger", "Name 1"),
    ("split_train", "80", "100"),
    ("seed", "-1", "whole number"),
]


@pytest.fixture
def room(installation: Installation) -> ExchangeRoom:
    room = ExchangeRoom(installation, ("a.png",), person="ann")
    installation.services.collections.edit(
        room.actor, room.slug, CollectionEdit(labels_closed=True)
    )
    return room


def file() -> dict[str, Any]:
    return {"file": (BytesIO(b"[]"), "set.json")}


def jobs(room: ExchangeRoom) -> int:
    return room.installation.services.jobs.count_open(room.actor)


@pytest.mark.parametrize(("field", "value", "told"), [*IMPORT, ("frmat", "coco", "")])
def test_an_import_by_the_api(room: ExchangeRoom, field: str, value: str, told: str) -> None:
    path = f"/api/v1/collections/{room.slug}/imports"
    answer = room.installation.api("ann").post(path, data={**file(), field: value})
    assert answer.status_code == 422, answer.json
    (mistake,) = answer.json["errors"]
    assert (mistake["path"], told in mistake["message"]) == (field, True), mistake
    assert jobs(room) == 0


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        *EXPORT[:-2],
        ("splits", {"train": 80}, "100"),
        ("seed", -1, "whole number"),
        ("format", "", "coco, yolo, voc"),
    ],
)
def test_an_export_by_the_api(room: ExchangeRoom, field: str, value: Any, told: str) -> None:
    told_value = [value] if field in ("states", "labels") else value
    body = {"format": "coco", field: told_value}
    path = f"/api/v1/collections/{room.slug}/exports"
    answer = room.installation.api("ann").post(path, json=body)
    assert answer.status_code == 422, answer.json
    (mistake,) = answer.json["errors"]
    assert (mistake["path"], told in mistake["message"]) == (field, True), mistake
    assert jobs(room) == 0


@pytest.mark.parametrize(
    ("form", "field", "value", "told"),
    [("import", *each) for each in IMPORT if each[0] != "mode"]  # chosen beside the report
    + [("export", *each) for each in EXPORT],
)
def test_on_the_page_it_stands_at_the_field(
    room: ExchangeRoom, form: str, field: str, value: str, told: str
) -> None:
    path = f"/collections/{room.slug}/exchange"
    browser = room.installation.browser("ann")
    browser.get(path)
    data = {"format": "coco"} | (file() if form == "import" else {}) | {field: value}
    page = browser.post(f"{path}/{form}", data=data)
    assert page.status_code == 422
    alert = re.search(r"data-summary>(.*?)</div>\s*</div>", page.text, re.DOTALL)
    assert alert is not None
    link = re.search(r'<a href="#([^"]+)">', alert[1])
    assert link is not None, alert[1]
    assert f'id="{link[1]}"' in page.text
    if field != "images":
        assert page.text.count('class="error"') == 1
    assert told in page.text
    assert jobs(room) == 0
    ids = re.findall(r' id="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))


def archive(name: str) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w") as writer:
        writer.writestr(name, "{}")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", "must be a ZIP file or a file of labels"),
        (archive("../x.json"), "entry 1: The path of this entry leads out of the archive."),
        (archive("x.json")[:-9], "This is no ZIP file, or it is cut short or damaged."),
    ],
)
def test_what_is_wrong_with_the_archive_stands_at_the_file(
    room: ExchangeRoom, sent: bytes, told: str
) -> None:
    path = f"/collections/{room.slug}/exchange"
    browser = room.installation.browser("ann")
    browser.get(path)
    page = browser.post(f"{path}/import", data={"file": (BytesIO(sent), "set.zip")})
    assert page.status_code == 422
    assert f'<a href="#field-file">File</a>: {told}' in page.text
    assert page.text.count('class="error"') == 1
    assert jobs(room) == 0


def ticked(form: str) -> list[tuple[str, str]]:
    pattern = r'type="checkbox" name="(\w+)" value="(\w+)" checked'
    return re.findall(pattern, form)


def test_choosing_otherwise_begins_with_what_was_chosen(room: ExchangeRoom) -> None:
    shape = {"type": "polygon", "points": [[1.0, 1.0], [30.0, 2.0], [31.0, 20.0]]}
    services = room.installation.services
    services.labels.create(room.actor, room.slug, LabelEdit(name="cat"))
    drawn = {"annotations": [{"label": "cat", "shape": shape}], "state": "done"}
    services.annotations.put(room.actor, room.images["a.png"], drawn, "*")
    chosen = {
        "format": "voc", "crops": "1", "metadata": "gps", "filenames": "numbered", "task": "",
        "origin": "0", "states": ["done", "accepted"], "labels": "cat", "seed": "7",
        "split_train": "80", "split_val": "20",
    }  # fmt: skip
    client = room.installation.browser("ann")
    begun = client.post(f"/collections/{room.slug}/exchange/export", data=chosen)
    room.work()
    report = client.get(begun.headers["Location"]).text
    (link,) = re.findall(r'href="([^"]+)">Choose otherwise', report)
    page = client.get(link.replace("&amp;", "&"))
    form = page.text[page.text.index('id="export"') :]
    for name, value in chosen.items():
        assert _stands(form, name, value), name
    assert not _stands(form, "images", "1")
    other = room.installation.browser("bob")
    assert other.get(link.partition("#")[0]).status_code == 404
    for wrong in ("x", "00000000-0000-4000-8000-000000000000"):
        path = f"/collections/{room.slug}/exchange?again={wrong}"
        assert client.get(path).status_code == 404


def _stands(form: str, name: str, value: str | list[str]) -> bool:
    """Whether a field says this: a text, one of a list, or boxes that are ticked."""
    if isinstance(value, list):
        ticked = rf'name="{name}" value="(\w+)" checked'
        return sorted(re.findall(ticked, form)) == sorted(value)
    if found := re.search(rf'<select[^>]* name="{name}".*?</select>', form, re.DOTALL):
        picked = re.findall(r'value="([^"]*)" selected', found[0])
        return (picked or [""]) == [value]
    if found := re.search(rf'<textarea[^>]* name="{name}"[^>]*>([^<]*)<', form):
        return found[1].strip() == value
    (found_input,) = re.findall(rf'<input[^>]* name="{name}"[^>]*>', form)
    is_tick = 'type="checkbox"' in found_input
    return "checked" in found_input if is_tick else f'value="{value}"' in found_input


def test_what_was_chosen_stands_there_again_beside_a_mistake(room: ExchangeRoom) -> None:
    path = f"/collections/{room.slug}/exchange"
    browser = room.installation.browser("ann")
    usual = browser.get(path).text
    assert '<details class="more" open' not in usual
    taking, giving = usual.split('id="export"')
    assert (ticked(taking), ticked(giving)) == ([("images", "1")], [("images", "1")])
    chosen = {"format": "yolo", "crops": "1", "states": ["done", "rejected"]}
    page = browser.post(f"{path}/export", data=chosen | {"split_train": "70"}).text
    taking, giving = page.split('id="export"')
    assert ticked(taking) == [("images", "1")]
    assert ticked(giving) == [("crops", "1"), ("states", "done"), ("states", "rejected")]
    assert ('class="more" open' in taking, 'class="more" open' in giving) == (False, True)
    assert "Parts</a>: must be whole numbers that make 100 together" in page
    data = file() | {"images": "0", "classes": "cat"}
    taking, giving = browser.post(f"{path}/import", data=data).text.split('id="export"')
    assert (ticked(taking), ticked(giving)) == ([], [("images", "1")])
    assert ('class="more" open' in taking, 'class="more" open' in giving) == (True, False)


def test_one_is_one_in_the_report(room: ExchangeRoom) -> None:
    document = coco("a.png", boxes=1, labels=("cat",))
    room.installation.services.collections.edit(
        room.actor, room.slug, CollectionEdit(labels_closed=False)
    )
    job, _ = room.examine(json.dumps(document).encode(), "set.json")
    page = room.installation.browser("ann").get(f"/collections/{room.slug}/exchange/{job}").text
    for words in ("picture in the file", "annotation", "picture found by name"):
        assert f"<dt>{words}</dt><dd>1</dd>" in page
    assert "<dt>pictures to store</dt><dd>0</dd>" in page
    assert "1 picture changed: 1 annotation added" in page


def test_a_field_whose_name_cannot_be_read_is_told_by_a_text(room: ExchangeRoom) -> None:
    answer = room.installation.api("ann").post(
        f"/api/v1/collections/{room.slug}/imports",
        data=b'--cut\r\nContent-Disposition: form-data; name="file"; filename="set.json"\r\n'
        b"\r\n[]\r\n--cut\r\nContent-Disposition: form-data; name\r\n\r\nx\r\n--cut--\r\n",
        content_type="multipart/form-data; boundary=cut",
    )
    assert answer.status_code == 422
    assert [told["path"] for told in answer.json["errors"]] == [""]
    assert jobs(room) == 0


def test_the_list_of_jobs_tells_data_sets_apart(room: ExchangeRoom) -> None:
    name = room.installation.services.collections.get(room.actor, room.slug).name
    job, _ = room.examine(json.dumps(coco("a.png")).encode(), "set.json")
    page = room.installation.browser("ann").get("/jobs").text
    line = page[page.index(f'data-job="{job}"') :]
    assert f'<div class="small quiet">COCO instances · {name} · done' in line
