"""`brinery scan` beside picklescan, modelscan, fickling, skops and modelaudit, on the same files.

The hostile files are those of `tests/pickles/hostile.py`; the honest ones those of
`tests/pickles/benign.py`, written by the libraries of here and of each environment of other
versions that `tests/pickles/test_benign.py` builds, and of that module. Each tool runs as its own
command in an environment of its own (built by uv, cached), one process a file; `clean` is exit
status 0. modelaudit is slow, and is given every sixth file.
The peers' statuses: 1 means that something was found, any other that the tool failed.
It takes 25 files of each kind, evenly chosen, or as many as it is told, or all, or the honest ones
only; and every tool, or those that are named: `bench_scan.py all`, `bench_scan.py 50 fickling`,
`bench_scan.py all honest`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.pickles.hostile import samples  # noqa: E402 - the path is set first

CACHE = Path.home() / ".cache" / "brinery-tests" / "scanners"
LONGEST_S = 60
FOUND = 1
FEW = 25
SOME = 4  # of the single estimators, of which there are many and alike
SOME_OLDER = 16  # of them in other environments, and of the other models there a quarter

PEERS = {
    "picklescan": (("picklescan",), ("picklescan", "--path")),
    "modelscan": (("modelscan",), ("modelscan", "scan", "--path")),
    "fickling": (("fickling", "typing_extensions"), ("fickling", "--check-safety")),
    "skops (.skops only)": (
        ("skops", "scikit-learn"),
        (
            "python",
            "-c",
            "import sys, skops.io; sys.exit(bool(skops.io.get_untrusted_types(file=sys.argv[1])))",
        ),
    ),
    "modelaudit": (("modelaudit",), ("modelaudit", "scan", "--quiet")),
}
# modelaudit tells its makers of every scan, and waits for that, unless it is told not to.
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "CI": "1"}
SLOW = {"modelaudit": 6}  # takes ten seconds a file: one of so many


@dataclass
class Row:
    """What a tool made of the files."""

    name: str
    hostile: Counter[str] = field(default_factory=Counter)
    honest: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    clean: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    @property
    def live(self) -> int:
        """Return how many hostile files it called clean that harm whoever loads them today."""
        return sum(not sample.refused for sample in samples() if sample.name in self.clean)

    def line(self) -> str:
        """Return the row of the table."""
        figures = [*(self.hostile[k] for k in ("found", "error", "clean")), self.live]
        figures += [self.honest[k] for k in ("clean", "found", "error")]
        cells = " | ".join(str(figure) for figure in figures)
        return f"| {self.name} | {cells} | {median(self.seconds or [0.0]):.3f} |"


def main() -> None:
    """Write the files, run every tool on each, print."""
    most = next((int(word) for word in sys.argv[1:] if word.isdigit()), FEW)
    if "all" in sys.argv:
        most = sys.maxsize
    wanted = {word for word in sys.argv[1:] if not word.isdigit()} - {"all", "honest"}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        hostile = [] if "honest" in sys.argv else some(hostile_files(folder), most)
        honest = some(honest_files(folder), most)
        print(f"{len(hostile)} hostile files, {len(honest)} honest ones")
        print(dict(Counter(path.parent.name for path in honest)), "\n")
        print(
            "| tool | hostile: caught | error | **called clean** | of these, run today "
            "| honest: clean | **false alarm** | error | median s a file |\n"
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
        )
        rows = [measured("brinery scan", Command(ours()), hostile, honest)]
        for name, (packages, command) in PEERS.items():
            if wanted and name.partition(" ")[0] not in wanted:
                continue
            found = installed(name, packages)
            if found is None:
                print(f"| {name} | could not be installed | | | | | | | |")
                continue
            folder_bin, version = found
            whole = [str(folder_bin / command[0]), *command[1:]]
            only = ".skops" if name.startswith("skops") else ""
            mine = [
                [path for path in files if str(path).endswith(only)] for files in (hostile, honest)
            ]
            one_of = SLOW.get(name, 1)
            mine = [files[::one_of] for files in mine]
            rows.append(measured(f"{name} {version}", Command(whole, QUIET), *mine))
        print(f"\nbrinery in one process: median {in_process(honest):.4f} s an honest file")
        for row in rows:
            print(f"{row.name} called clean: {', '.join(row.clean) or 'none'}")
            print(f"{row.name} false alarms: {', '.join(row.alarms) or 'none'}")


def some(files: list[Path], most: int) -> list[Path]:
    """Return so many of the files, evenly chosen."""
    return files[:: max(1, -(-len(files) // most))]


def ours() -> list[str]:
    """Return our own command."""
    return [str(Path(sys.executable).parent / "brinery"), "scan"]


def hostile_files(folder: Path) -> list[Path]:
    """Return the hostile files, written."""
    (folder / "samples").mkdir()
    (folder / "markers").mkdir()
    return [
        sample.write(folder / "samples" / sample.name, folder / "markers" / sample.name)
        for sample in samples()
    ]


def honest_files(folder: Path) -> list[Path]:
    """Return the honest files of frameworks, written; those that carry code are left out."""
    import warnings

    import pytest
    from tests.pickles.test_benign import ENVIRONMENTS, WRITERS, environment

    files = fitted(Path(sys.executable), folder / "here", every=SOME)
    for name in ENVIRONMENTS:
        try:
            python = environment(name)
        except pytest.skip.Exception as reason:
            print(f"without the models of {name}: {reason}")
            continue
        files += fitted(python, folder / name, every=SOME_OLDER, others=SOME)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (folder / "own formats").mkdir()
        for name, write in WRITERS.items():
            write(folder / "own formats" / name)
            files.append(folder / "own formats" / name)
    return files


def fitted(python: Path, target: Path, *, every: int, others: int = 1) -> list[Path]:
    """Return the models that a Python's libraries write to a folder.

    Args:
        python: of the environment.
        target: the folder, which is made.
        every: of so many single estimators one is taken.
        others: of so many pipelines, boosted models and results of statistics one is taken.
    """
    target.mkdir()
    script = ROOT / "tests" / "pickles" / "benign.py"
    done = subprocess.run(
        [str(python), str(script), str(target)], capture_output=True, text=True, check=True
    )
    # Libraries in Fortran may say what they minimized when they end.
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("{"))
    written: dict[str, bool] = json.loads(line)
    plain = [target / name for name, carries_code in written.items() if not carries_code]
    single = [path for path in plain if path.name.startswith("every ")]
    return [*single[::every], *[path for path in plain if path not in single][::others]]


def installed(name: str, packages: Sequence[str]) -> tuple[Path, str] | None:
    """Return where a tool's programs are, and its version; None where it cannot be had."""
    tool = name.partition(" ")[0]
    folder = CACHE / tool
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    if not (folder / "ready").exists():
        make = [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)]
        fill = [*uv, "pip", "install", "--quiet", "--python", str(python), *packages]
        for command in (make, fill):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                shutil.rmtree(folder, ignore_errors=True)
                return None
        (folder / "ready").touch()
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    asked = [str(python), "-c", code, tool]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return folder / "bin", version


def measured(name: str, judge: Command, hostile: Sequence[Path], honest: Sequence[Path]) -> Row:
    """Return a tool's row, which is printed as it is there."""
    row = Row(name)
    for files, counts in ((hostile, row.hostile), (honest, row.honest)):
        for path in files:
            began = time.perf_counter()
            what = judge(path)
            row.seconds.append(time.perf_counter() - began)
            counts[what] += 1
            if counts is row.hostile and what == "clean":
                row.clean.append(path.parent.name if path.is_file() else path.name)
            if counts is row.honest and what == "found":
                row.alarms.append(f"{path.parent.name}/{path.name}")
    print(row.line(), flush=True)
    return row


class Command:
    """A tool's command, which says of a file `clean`, `found` or `error`; a process for each."""

    def __init__(self, command: Sequence[str], environ: dict[str, str] | None = None) -> None:
        self.command = command
        self.environ = {**os.environ, **(environ or {})}

    def __call__(self, path: Path) -> str:
        """Return what the tool says of a file."""
        try:
            done = subprocess.run(
                [*self.command, str(path)],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=LONGEST_S,
                check=False,
                env=self.environ,
                cwd=path.parent,
            )
        except subprocess.TimeoutExpired:
            return "error"
        if self.command[0].endswith("brinery"):  # needs trust, dangerous and malformed
            return {0: "clean", 3: "found", 4: "found", 5: "found"}.get(done.returncode, "error")
        return {0: "clean", FOUND: "found"}.get(done.returncode, "error")


def in_process(files: Sequence[Path]) -> float:
    """Return the median seconds that reading a file takes, once everything is imported."""
    from brinery.pickles.scanner import scan

    seconds = []
    for path in files:
        began = time.perf_counter()
        scan(path)
        seconds.append(time.perf_counter() - began)
    return median(seconds)


if __name__ == "__main__":
    main()
