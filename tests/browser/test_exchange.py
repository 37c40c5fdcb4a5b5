"""A data lead brings a data set in and takes one out, in the browser, with everything said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import findings
from tests.browser.person import sign_in
from tests.fixtures.browser import PHONE, Desk
from tests.fixtures.exchange import ExchangeRoom, coco, unpack
from tests.fixtures.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Server, str]]:
    server = Server(tmp_path)
    with server.filled() as installation:
        installation.person("ann", admin=True)
        slug = ExchangeRoom(installation, ("a.png", "b.png"), person="ann").slug
    with serving(server):
        yield server, slug


def test_in_and_out(place: tuple[Server, str], desk: Desk, tmp_path: Path) -> None:
    server, slug = place
    document = coco("a.png", "b.png", "gone.png")
    (tmp_path / "labels.json").write_text(json.dumps(document))
    page = desk.page(server.url, PHONE)
    sign_in(page)
    page.goto(f"/collections/{slug}")
    page.get_by_role("link", name="Import and export").click()
    assert findings(page) == []
    take(page, tmp_path / "labels.json")
    give(page, document)


def take(page: Page, file: Path) -> None:
    """The report comes by itself; nothing is taken in before it is accepted."""
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_text("missing-picture")).to_be_visible(timeout=15_000)
    assert findings(page) == []
    page.get_by_role("button", name="Import").click()
    expect(page).to_have_url(re.compile(r"/exchange/[0-9a-f-]{36}$"))
    page.get_by_label("I have read what would not come through").check()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Imported.")).to_be_visible(timeout=15_000)
    page.get_by_label("Breadcrumb").get_by_role("link", name="Import and export").click()


def give(page: Page, document: dict[str, object]) -> None:
    """Without a loss the archive is there at once, and what came in stands in it."""
    page.get_by_label("With a crop of each box").check()
    page.get_by_role("button", name="Export 2 pictures").click()
    ready = page.get_by_role("link", name="Download")
    expect(ready).to_be_visible(timeout=15_000)
    assert findings(page) == []
    with page.expect_download() as download:
        ready.click()
    files = unpack(Path(download.value.path()).read_bytes())
    told = json.loads(files["labels.json"])
    assert told["info"] == document["info"]
    assert [image["file_name"] for image in told["images"]] == ["a.png", "b.png"]
    crops = [name for name in files if name.startswith("crops/") and name.endswith(".png")]
    assert sorted(name.split("/")[1] for name in crops) == ["cat", "cat", "dog", "dog"]
    assert len(files) == 4 + len(crops) + 1
