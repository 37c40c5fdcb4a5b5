"""Many clients at once: `wrk` of Debian, a program of its own that costs little itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

CLIENTS = 16
SECONDS = 2

# Every request of a connection takes the next path; a status other than 2xx is counted.
SCRIPT = """
local paths = {{{paths}}}
local at = 0
wrk.headers["Cookie"] = {cookie}
{more}
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
"""


def is_there() -> bool:
    return shutil.which("wrk") is not None


def rate(
    origin: str,
    paths: Iterable[str],
    place: Path,
    *,
    cookie: str = "",
    headers: dict[str, str] | None = None,
    seconds: int = SECONDS,
    clients: int = CLIENTS,
) -> float:
    """Answers a second; a SystemExit if one was refused."""
    more = "\n".join(f'wrk.headers["{k}"] = "{v}"' for k, v in (headers or {}).items())
    listed = ", ".join(f'"{path}"' for path in paths)
    script = place / "load.lua"
    script.write_text(SCRIPT.format(paths=listed, cookie=f'"{cookie}"', more=more))
    out = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "-s", str(script), origin],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{origin} refused requests:\n{out}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    return float(found[1]) if found else 0.0
