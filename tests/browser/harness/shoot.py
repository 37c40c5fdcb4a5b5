"""Takes every page at two widths and two themes.

``python -m tests.browser.harness.shoot FOLDER [NAME…]``. Prints what the console and the CSP
said; a clean run prints nothing but the error pages' own statuses.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.harness import samples
from tests.browser.harness.browser import PHONE, WIDE, launch, opened, serving

ONE = f"/images/{samples.id_of(9)}"
PAGES = {
    "setup": "/setup",
    "setup-code": "/setup?code=1&as=errors",
    "login": "/auth/login",
    "login-errors": "/auth/login?as=errors",
    "register": "/auth/register",
    "password": "/auth/password",
    "sessions": "/auth/sessions",
    "api-keys": "/auth/api-keys?new=1",
    "account": "/account",
    "account-keys": "/account/keys",
    "reference": "/api/docs",
    "gallery": "/gallery",
    "gallery-list": "/gallery?view=list",
    "gallery-empty": "/gallery?as=empty",
    "gallery-tag": "/gallery?tag=orchard&collection=orchard-survey&count=7",
    "gallery-errors": "/gallery?as=errors",
    "gallery-filters": "/gallery?label=apple&attribute=age:>3&state=done&looked=1&count=9",
    "labels": "/collections/orchard-survey/labels",
    "label": f"/collections/orchard-survey/labels/{samples.LABELS[0]['id']}",
    "jobs": "/jobs",
    "jobs-empty": "/jobs?as=empty",
    "trash": "/trash",
    "trash-empty": "/trash?as=empty",
    "collections": "/collections",
    "collection": "/collections/orchard-survey",
    "upload": "/upload",
    "show": ONE,
    "show-trashed": f"{ONE}?trashed=1",
    "annotate": f"{ONE}/annotate",
    "error-404": "/error/404",
    "error-410": "/error/410",
    "error-429": "/error/429",
    "error-503": "/bare-error",
}


def main(folder: Path, wanted: list[str]) -> None:
    """Write ``name-width-theme.png`` for each page into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving() as base, sync_playwright() as play:
        browser = launch(play)
        for size in (WIDE, PHONE):
            for theme in ("light", "dark"):
                page, complaints = opened(browser, base, size, theme)
                for name, path in PAGES.items():
                    if wanted and name not in wanted:
                        continue
                    page.goto(path)
                    page.wait_for_load_state("networkidle")
                    page.wait_for_timeout(250)
                    page.screenshot(path=folder / f"{name}-{size[0]}-{theme}.png")
                print("\n".join(complaints))
                page.context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
