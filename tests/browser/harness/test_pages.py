"""Every page wide and light, narrow and dark: quiet, whole, reachable, as described.

A theme changes nothing but colours: axe looks at those, dark and light (test_accessibility).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browser.harness import icons
from tests.browser.harness.browser import PHONE, WIDE
from tests.browser.harness.conftest import Visit
from tests.browser.harness.shoot import PAGES

APP = Path(__file__).resolve().parents[3] / "app"
ERRORS = {name for name in PAGES if name.startswith("error")}

CONTROLS = "a[href], button, input:not([type=hidden]), select, summary, textarea"
# Links within a sentence are not held to a size (WCAG 2.2, 2.5.8).
SMALL_TARGETS = """([controls, inText]) => [...document.querySelectorAll(controls)]
  .filter((node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter((node) => !node.closest(inText))
  .map((node) => [node, (node.closest('label') ?? node).getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.width < 23.5 || box.height < 23.5))
  .map(([node]) => node.outerHTML.slice(0, 120))"""
IN_TEXT = "p, dd, .notice, li .small, .prose, .hush, td, datalist"
UNNAMED = """(controls) => [...document.querySelectorAll(controls)]
  .filter((node) => !node.closest('[hidden], [aria-hidden=true]'))
  .filter((node) => !node.getAttribute('aria-label') && !node.labels?.length)
  .filter((node) => !node.textContent.trim() && !node.querySelector('img[alt]:not([alt=""])'))
  .map((node) => node.outerHTML.slice(0, 120))"""


@pytest.mark.browser
@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (PHONE, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_quiet_and_whole(
    visit: Visit, name: str, size: tuple[int, int], theme: str
) -> None:
    page = visit(PAGES[name], size, theme)
    page.wait_for_load_state("networkidle")
    expect(page.locator("h1").first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(SMALL_TARGETS, [CONTROLS, IN_TEXT]) == []
    assert page.evaluate(UNNAMED, CONTROLS) == []
    if name in ERRORS:
        visit.allow = "Failed to load resource"  # type: ignore[attr-defined]


@pytest.mark.browser
def test_the_skip_link_comes_first(visit: Visit) -> None:
    page = visit("/gallery")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.browser
def test_the_theme_is_switched_and_kept(visit: Visit) -> None:
    page = visit("/gallery", WIDE, "light")
    page.get_by_role("button", name="Account of Ada Lindqvist").click()
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 15, 17)"
    page.goto("/collections")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


@pytest.mark.browser
def test_menus_close_with_escape_and_give_the_focus_back(visit: Visit) -> None:
    page = visit("/gallery")
    button = page.get_by_role("button", name="Collection: All pictures")
    button.click()
    expect(page.get_by_role("link", name="Orchard survey 2026")).to_be_visible()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


@pytest.mark.browser
def test_reduced_motion_stops_what_moves(visit: Visit) -> None:
    page = visit("/gallery")
    page.emulate_media(reduced_motion="reduce")
    duration = page.locator(".action-bar").evaluate(
        "bar => getComputedStyle(bar).transitionDuration"
    )
    assert all(float(part.strip().removesuffix("s")) < 0.001 for part in duration.split(","))


@pytest.mark.browser
def test_being_offline_is_said(visit: Visit) -> None:
    page = visit("/collections")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("You are offline.")).to_be_hidden()


def test_the_sprite_holds_the_icons_in_use() -> None:
    assert icons.SPRITE.read_text(encoding="utf-8") == icons.sprite()


def test_no_template_carries_inline_script_or_style() -> None:
    for path in APP.glob("templates/**/*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", text), path
        for tag in re.findall(r"<script[^>]*>", text):
            assert "src=" in tag, path


def test_static_files_are_short() -> None:
    for path in [*APP.glob("static/css/*.css"), *APP.glob("static/js/**/*.js")]:
        assert len(path.read_text(encoding="utf-8").splitlines()) < 300, path


def test_templates_use_the_endpoints_that_are_described(stage: Flask) -> None:
    used: set[str] = set()
    for path in APP.glob("templates/**/*.html"):
        text = path.read_text(encoding="utf-8")
        used.update(re.findall(r"""url_for\(\s*['"]([\w.]+)['"]""", text))
    described = (APP / "templates" / "README.md").read_text(encoding="utf-8")
    known = {rule.endpoint for rule in stage.url_map.iter_rules()}
    for endpoint in used:
        assert f"`{endpoint}`" in described, endpoint
        assert endpoint in known, endpoint
