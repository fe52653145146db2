"""What `import dataiku` costs a script, beside what the script imports itself.

Each figure is processor time, the least of several runs; the peer is the same script without it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from brinery.actions.job_gateway import MODULES

RUNS = 15
SCRIPTS = {
    "nothing else": "",
    "pandas": "import pandas",
}
OURS = "import brinery_shims.start, dataiku, dataikuapi\n"


def processor_ms(program: str) -> float:
    """The processor time of a program, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    variables = {**os.environ, "PYTHONPATH": str(MODULES), "BRINERY_SHIMS": "{}"}
    subprocess.run([sys.executable, "-c", program], check=True, env=variables)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(Path(folder))
        for program in (OURS, *SCRIPTS.values()):
            processor_ms(program)  # compiles
        print(f"{'the script imports':<20}{'without':>10}{'with':>10}{'more':>10}{'ratio':>8}")
        for name, text in SCRIPTS.items():
            plain, ours = [], []
            for _ in range(RUNS):
                plain.append(processor_ms(text))
                ours.append(processor_ms(text + "\n" + OURS))
            less, more = min(plain), min(ours)
            print(
                f"{name:<20}{less:>7.1f} ms{more:>7.1f} ms{more - less:>7.1f} ms{more / less:>8.2f}"
            )


if __name__ == "__main__":
    main()
