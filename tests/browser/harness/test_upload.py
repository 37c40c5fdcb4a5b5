"""The upload page: what becomes of each file, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.harness import pictures, samples
from tests.browser.harness.conftest import Visit

pytestmark = pytest.mark.browser

DROP = """async (names) => {
  const transfer = new DataTransfer();
  const picture = (name) => new File([new Uint8Array(2000)], name, { type: 'image/jpeg' });
  for (const name of names) transfer.items.add(picture(name));
  const about = { bubbles: true, cancelable: true, dataTransfer: transfer };
  const fire = (type) => document.body.dispatchEvent(new DragEvent(type, about));
  fire('dragenter');
  const veiled = !document.querySelector('[data-drop-veil]').hidden;
  fire('drop');
  return veiled;
}"""

# What a browser sends is told to nobody outside it where files are in it.
LISTEN = """() => {
  window.sent = [];
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) {
    const told = [...body].map(([name, value]) => [name, value.name ?? value]);
    window.sent.push(Object.fromEntries(told));
    send.call(this, body);
  };
}"""


def files(*names: str) -> list[Any]:
    return [
        {"name": name, "mimeType": "image/jpeg", "buffer": pictures.jpeg(index, 640)}
        for index, name in enumerate(names)
    ]


def row(page: Page, name: str) -> Locator:
    return page.locator(".upload-row", has_text=name)


def test_each_file_says_what_became_of_it(visit: Visit) -> None:
    page = visit("/upload")
    page.set_input_files(
        "#field-files", files("ridge.jpg", "again.jpg", "notes.pdf", "harbour.jpg")
    )
    expect(row(page, "ridge.jpg")).to_contain_text("ready")
    expect(row(page, "again.jpg")).to_contain_text("already here")
    expect(row(page, "notes.pdf")).to_contain_text(
        "refused: this is not a picture that Darkroom can open."
    )
    expect(page.locator("[data-total-words]")).to_have_text("3 ready, 1 refused")
    expect(page.get_by_role("link", name="See them in the gallery")).to_be_visible()
    expect(page.get_by_role("link", name="ridge.jpg")).to_have_attribute(
        "href", "/images/" + str(samples.id_of(len(pictures.jpeg(0, 640)) % 30))
    )
    visit.allow = "415"  # type: ignore[attr-defined]


def test_files_chosen_before_the_script_is_there_are_sent(visit: Visit) -> None:
    page = visit("/collections")
    held: list[Route] = []
    page.route("**/js/upload/page.js*", lambda route: held.append(route))
    page.goto("/upload", wait_until="commit")
    page.set_input_files("#field-files", files("early.jpg"))
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(row(page, "early.jpg")).to_contain_text("ready")
    expect(page.locator("#field-files")).to_have_value("")


@pytest.mark.parametrize("day", ["2126-12-24", ""])
def test_keep_until_goes_along_as_the_end_of_the_day_here(visit: Visit, day: str) -> None:
    page = visit("/upload")
    page.evaluate(LISTEN)
    page.get_by_label("Keep until").fill(day)
    page.set_input_files("#field-files", files("ridge.jpg"))
    expect(row(page, "ridge.jpg")).to_contain_text("ready")
    (sent,) = page.evaluate("window.sent")
    assert sent["files"] == "ridge.jpg"
    end = page.evaluate("new Date(2126, 11, 25).toISOString()")
    assert sent.get("expires_at") == (end if day else None)


def test_a_day_that_is_over_sends_nothing(visit: Visit) -> None:
    page = visit("/upload")
    page.get_by_label("Keep until").fill("2020-01-01")
    page.set_input_files("#field-files", files("ridge.jpg"))
    assert page.locator("#field-expires_at:invalid").count() == 1
    expect(page.locator(".upload-row")).to_have_count(0)


def test_one_click_retries_what_failed(visit: Visit) -> None:
    page = visit("/upload")
    page.set_input_files("#field-files", files("flaky one.jpg", "good.jpg", "flaky two.jpg"))
    expect(row(page, "flaky one.jpg")).to_contain_text(
        "failed: the store is away for a moment."
    )
    page.get_by_role("button", name="Retry what failed").click()
    expect(page.locator("[data-total-words]")).to_have_text("3 ready")
    expect(page.get_by_role("button", name="Retry what failed")).to_be_hidden()
    visit.allow = "503"  # type: ignore[attr-defined]


def test_too_large_and_empty_files_are_refused_before_they_are_sent(visit: Visit) -> None:
    page = visit("/upload")
    page.evaluate("""() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([], 'nothing.jpg'));
      const large = new File([new Uint8Array(10)], 'film.jpg');
      Object.defineProperty(large, 'size', { value: 210e6 });
      const field = document.getElementById('field-files');
      field.files = transfer.files;
      const value = [...transfer.files, large];
      Object.defineProperty(field, 'files', { value, configurable: true });
      field.dispatchEvent(new Event('change'));
    }""")
    expect(row(page, "nothing.jpg")).to_contain_text("refused: the file is empty")
    expect(row(page, "film.jpg")).to_contain_text("refused: 210 MB, the limit is 105 MB")


def test_the_whole_window_takes_a_drop(visit: Visit) -> None:
    page = visit("/upload")
    assert page.evaluate(DROP, ["a.jpg", "b.jpg", ".DS_Store"]) is True
    expect(page.locator(".upload-row")).to_have_count(2)
    expect(page.locator("[data-drop-veil]")).to_be_hidden()
    expect(page.locator("[data-total-words]")).to_have_text("2 ready")


def test_leaving_warns_while_work_is_running(visit: Visit) -> None:
    page = visit("/upload")
    page.locator("h1").click()
    page.set_input_files("#field-files", files(*(f"{n}.jpg" for n in range(8))))
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.assign('/trash'))")
    expect(page.locator("[data-total-words]")).to_have_text("8 ready")
    assert asked == ["beforeunload"]


def test_a_folder_is_walked(visit: Visit, tmp_path: Path) -> None:
    inner = tmp_path / "walk" / "second day"
    inner.mkdir(parents=True)
    (inner / "b.jpg").write_bytes(pictures.jpeg(1, 320))
    (tmp_path / "walk" / "a.jpg").write_bytes(pictures.jpeg(0, 320))
    (tmp_path / "walk" / "Thumbs.db").write_bytes(b"x")
    page = visit("/upload")
    page.set_input_files("#field-folder", tmp_path / "walk")
    expect(page.locator(".upload-row")).to_have_count(2)
    expect(page.locator("[data-total-words]")).to_have_text("2 ready")


def test_without_scripts_it_is_a_plain_form(visit: Visit, stage: Flask) -> None:
    page = visit("/upload", scripts=False)
    page.set_input_files("#field-files", files("Walk.jpg"))
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(
        page.get_by_text("refused: This is not a picture that Darkroom can open.")
    ).to_be_visible()
    expect(page.get_by_role("link", name="Walk again.jpg")).to_be_visible()
