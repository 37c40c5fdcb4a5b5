"""Modules of the pages, run in the browser that they are written for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.harness.browser import serving

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(chromium: Browser) -> Iterator[Run]:
    """``run(module, body, *values)``: the body has the module as ``m``, the values as ``v``."""
    with serving(warm=False) as base:
        page = chromium.new_page(base_url=base)
        page.goto("/blank")

        def evaluate(module: str, body: str, *values: Any) -> Any:
            return page.evaluate(
                f"async (v) => {{ const m = await import('/static/js/{module}.js'); {body} }}",
                list(values),
            )

        yield evaluate
        page.close()
