"""axe-core on a page, injected through the debugger so that the page's own policy stands.

https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#api-name-axerun
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal

from playwright.sync_api import Page

GRAVE = frozenset({"serious", "critical"})
CONTRAST = {"type": "rule", "values": ["color-contrast"]}


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def _run(page: Page, **options: Any) -> list[str]:
    asked = {"resultTypes": ["violations"], "elementRef": False, **options}
    result = page.evaluate("(options) => axe.run(document, options)", asked)
    return [
        f"{page.url} {finding['id']} ({finding['impact']}): {node['html'][:160]}"
        f" {node['failureSummary'].splitlines()[-1].strip()[:160]}"
        for finding in result["violations"]
        if finding["impact"] in GRAVE
        for node in finding["nodes"]
    ]


def _show(page: Page, scheme: Literal["dark", "light"]) -> None:
    """Switch the scheme; colours that change gradually must have arrived.

    The wait has an end of its own: an animation that was paused or replaced never finishes.
    """
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate(
        """async () => {
          for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
          const ends = (one) => one.effect.getComputedTiming().endTime < Infinity;
          const changing = document.getAnimations().filter(ends);
          const late = new Promise((resolve) => { setTimeout(resolve, 3000); });
          await Promise.race([late, Promise.allSettled(changing.map((one) => one.finished))]);
        }"""
    )


def findings(page: Page) -> list[str]:
    """Every serious or critical finding, one line each: all rules dark, contrast also light."""
    _show(page, "dark")
    page.evaluate(_axe())
    found = [f"dark: {line}" for line in _run(page)]
    _show(page, "light")
    return found + [f"light: {line}" for line in _run(page, runOnly=CONTRAST)]
