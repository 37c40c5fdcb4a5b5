"""Chromium and the stage, for the tests and for taking pictures of pages."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright
from werkzeug.serving import make_server

from tests.browser.harness import pictures
from tests.browser.harness.stage import create_app

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
WIDE = (1280, 800)
PHONE = (390, 844)


@contextmanager
def serving(app: Flask | None = None, *, warm: bool = True) -> Iterator[str]:
    """The address of a running stage; ``warm`` draws the pictures before the first request."""
    if warm:
        pictures.warm()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app or create_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def launch(play: Playwright) -> Browser:
    """Debian's Chromium where there is one, else the one that playwright installed."""
    return play.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)


def opened(
    browser: Browser,
    base: str,
    size: tuple[int, int] = WIDE,
    theme: str = "light",
    *,
    scripts: bool = True,
) -> tuple[Page, list[str]]:
    """A page in a context of its own, and the list of what its console complains about."""
    phone = size[0] < 700
    context = browser.new_context(
        base_url=base,
        viewport={"width": size[0], "height": size[1]},
        color_scheme=theme,  # type: ignore[arg-type]
        has_touch=phone,
        is_mobile=phone,
        java_script_enabled=scripts,
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return page, complaints
