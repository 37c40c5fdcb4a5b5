"""Cuts the icons in use out of Bootstrap Icons (MIT) into one small sprite.

``python -m tests.browser.harness.icons`` writes ``app/static/img/icons.svg`` anew; the test
beside it compares. The package's own sprite has 2,000 icons and weighs 1.1 MB.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

APP = Path(__file__).resolve().parents[3] / "app"
SPRITE = APP / "static" / "img" / "icons.svg"
USES = re.compile(r"""\bicon(?:=|\()\s*["']([a-z0-9-]+)["']""")
# Names that a template or module holds in a table, not in a call.
NAMED = re.compile(r"""["']([a-z0-9]+(?:-[a-z0-9]+)*)["']""")
LICENCE = "<!-- From Bootstrap Icons, Copyright The Bootstrap Authors, MIT licence -->"


def symbols() -> dict[str, str]:
    """Every symbol of the package, by name."""
    source = files("flask_bootstrap") / "static/bootstrap5/icons/bootstrap-icons.svg"
    found = re.finditer(
        r'<symbol class="[^"]*" viewBox="([^"]*)" id="([^"]+)">(.*?)</symbol>',
        source.read_text(encoding="utf-8"),
    )
    return {m[2]: f'<symbol viewBox="{m[1]}" id="{m[2]}">{m[3]}</symbol>' for m in found}


def names_in_use(known: set[str]) -> tuple[set[str], set[str]]:
    """Names that are drawn, and those among them that the package does not have."""
    called: set[str] = set()
    tabled: set[str] = set()
    for path in [*APP.glob("templates/**/*.html"), *APP.glob("static/js/**/*.js")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            called.update(USES.findall(line))
            quoted = set(NAMED.findall(line)) & known
            # A table: one-word names beside such as "moon-stars", or in a call of tool().
            if "tool(" in line or any("-" in name for name in quoted):
                tabled |= quoted
    return called | tabled, called - known


def sprite() -> str:
    """The text of the sprite; an unknown name is an error."""
    known = symbols()
    used, unknown = names_in_use(set(known))
    if unknown:
        raise SystemExit(f"No such icon: {', '.join(sorted(unknown))}")
    body = "\n".join(known[name] for name in sorted(used))
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{LICENCE}\n{body}\n</svg>\n'


if __name__ == "__main__":
    SPRITE.write_text(sprite(), encoding="utf-8")
