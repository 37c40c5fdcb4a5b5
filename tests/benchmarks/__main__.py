"""Run benchmarks: ``python3 dev.py bench [NAME] [OPTION…]``.

Every module in this folder without a leading underscore is one; it is run as a program of
its own with the options, so that none measures what another left in memory.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run the named module, or all of them; 0 if each exited with 0, 2 for an unknown name."""
    known = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    named = arguments[:1] if arguments and not arguments[0].startswith("-") else []
    if set(named) - set(known):
        print(f"There is no benchmark {named[0]}; there are: {', '.join(known) or 'none'}")
        return 2
    failed = 0
    if "--json" not in arguments:
        print("| work | baseline | ours / theirs | ratio | best | goal | met |")
        print("|---|---|---|---|---|---|---|", flush=True)
    for name in named or known:
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments[len(named) :]]
        failed |= subprocess.run(command, check=False).returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
