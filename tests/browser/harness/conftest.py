"""A stage, a browser and pages whose console must stay silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.browser.harness.browser import WIDE, opened, serving
from tests.browser.harness.stage import create_app


@pytest.fixture(scope="session")
def stage() -> Flask:
    return create_app()


@pytest.fixture(scope="session")
def stage_url(stage: Flask) -> Iterator[str]:
    with serving(stage) as url:
        yield url


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, stage: Flask, stage_url: str) -> Iterator[Visit]:
    """``visit(path, size, theme)`` opens a page; a word on its console fails the test."""
    stage.boxes.clear()  # type: ignore[attr-defined]
    stage.patches.clear()  # type: ignore[attr-defined]
    stage.bulk.clear()  # type: ignore[attr-defined]
    stage.config.update(BOXES=6, SAVE_STATUS=None, KEYS_AWAY=False, USER=None, SEEN=set())
    pages: list[tuple[Page, list[str]]] = []

    def open_one(
        path: str, size: tuple[int, int] = WIDE, theme: str = "light", *, scripts: bool = True
    ) -> Page:
        page, complaints = opened(chromium, stage_url, size, theme, scripts=scripts)
        pages.append((page, complaints))
        page.goto(path)
        return page

    yield open_one
    said = [line for page, complaints in pages for line in complaints]
    for page, _ in pages:
        page.context.close()
    wanted = getattr(open_one, "allow", "")
    assert [line for line in said if not wanted or wanted not in line] == []
