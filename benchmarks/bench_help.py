"""How long `brinery --help` takes beside a Python that only imports click. Goal: at most 2.

Equality first: the help must name every command.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from pairing import header, pair

BRINERY = str(Path(sys.executable).parent / "brinery")


def main() -> None:
    """Check, time, print."""
    text = subprocess.run([BRINERY, "--help"], capture_output=True, text=True, check=True).stdout
    missing = [n for n in ("import", "model", "predict", "promote", "serve") if n not in text]
    if missing:
        sys.exit(f"the help does not name {missing}")
    pairs = pair([BRINERY, "--help"], [sys.executable, "-c", "import click"], runs=21)
    print(header())
    print(pairs.row("`brinery --help`", f'`python -c "import click"` (click {version("click")})'))


if __name__ == "__main__":
    main()
