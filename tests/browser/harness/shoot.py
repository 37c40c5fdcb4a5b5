"""Takes every page at two widths and two themes: ``python shoot.py FOLDER [NAME…]``.

Prints what the console and the CSP said; a clean run prints nothing.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parent))

import app as harness
import pictures
import samples

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
ONE = f"/images/{samples.id_of(9)}"
PAGES = {
    "setup": "/setup", "setup-code": "/setup?code=1&as=errors", "login": "/auth/login", "login-errors": "/auth/login?as=errors",
    "register": "/auth/register", "password": "/auth/password", "sessions": "/auth/sessions",
    "api-keys": "/auth/api-keys?new=1", "account": "/account",
    "gallery": "/gallery", "gallery-list": "/gallery?view=list", "gallery-empty": "/gallery?as=empty",
    "gallery-tag": "/gallery?tag=orchard&collection=orchard-survey&count=7",
    "trash": "/trash", "trash-empty": "/trash?as=empty",
    "collections": "/collections", "collection": "/collections/orchard-survey",
    "upload": "/upload", "show": ONE, "show-trashed": f"{ONE}?trashed=1",
    "annotate": f"{ONE}/annotate",
    "error-404": "/error/404", "error-410": "/error/410", "error-429": "/error/429", "error-503": "/bare-error",
}  # fmt: skip


@contextmanager
def serving() -> Iterator[str]:
    pictures.warm()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, harness.create_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()


def opened(browser: Browser, width: int, theme: str) -> Page:
    phone = width < 700
    context = browser.new_context(
        viewport={"width": width, "height": 844 if phone else 800}, color_scheme=theme,
        has_touch=phone, is_mobile=phone,
    )  # fmt: skip
    page = context.new_page()

    def say(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            print(f"{page.url}: {message.text}")

    page.on("console", say)
    page.on("pageerror", lambda error: print(f"{page.url}: {error}"))
    return page


def main(folder: Path, wanted: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with serving() as base, sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        for width in (1280, 390):
            for theme in ("light", "dark"):
                page = opened(browser, width, theme)
                for name, path in PAGES.items():
                    if wanted and name not in wanted:
                        continue
                    page.goto(base + path)
                    page.wait_for_load_state("networkidle")
                    page.wait_for_timeout(250)
                    page.screenshot(path=folder / f"{name}-{width}-{theme}.png")
                page.context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
