"""The rules of a .dockerignore, as the Docker engine applies them to a path.

Source: the reference of ``docker build`` (".dockerignore file") and Go's filepath.Match:
``*`` and ``?`` do not match a slash, ``**`` matches any number of folders, a pattern also
matches everything below what it names, ``!`` takes back, and the last match decides.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath


def is_ignored(path: str, rules: str) -> bool:
    """Tell whether ``path`` (relative to the context) stays out of the build context."""
    ignored = False
    for line in rules.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        takes_back = pattern.startswith("!")
        pattern = str(PurePosixPath(pattern.lstrip("!").strip("/")))
        if re.fullmatch(_expression(pattern), path):
            ignored = not takes_back
    return ignored


def _expression(pattern: str) -> str:
    parts = re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]*\]|\\.|.", pattern)
    return "".join(_translate(part) for part in parts) + "(/.*)?"


def _translate(part: str) -> str:
    wild = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if part in wild:
        return wild[part]
    return (
        part if part.startswith("[") and len(part) > 1 else re.escape(part.removeprefix("\\"))
    )
