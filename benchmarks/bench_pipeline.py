"""Jobs beside plain bash and doit: few steps, many steps, many files, one large file.

    python benchmarks/bench_pipeline.py

Whole processes, in turn (A B A B …). What each leaves is compared before anything is timed. doit is
installed with uv into a folder that is thrown away.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from brinery.store.copying import remove
from brinery.store.fingerprints import Fingerprints

BRINERY = Path(sys.executable).parent / "brinery"
PAIRS = 5
WIDE = 1000
FILES = 10_000
FILE_BYTES = 4096
LARGE_BYTES = 1 << 30
# A step as people write them: its own process, with the imports of a small script.
STEP = """\
import argparse, json, pathlib
parser = argparse.ArgumentParser()
for name in ("source", "target", "word"):
    parser.add_argument(name)
told = parser.parse_args()
text = pathlib.Path(told.source).read_text() + json.dumps(told.word)
pathlib.Path(told.target).write_text(text)
"""


@dataclass(frozen=True)
class Way:
    """One way of running the same steps.

    Attributes:
        name: of it.
        command: that runs them all.
        folder: that it runs in.
        fresh: makes it forget what it ran.
        result: what the last step left.
    """

    name: str
    command: Sequence[str]
    folder: Path
    fresh: Callable[[], None]
    result: Callable[[], str]

    def run(self) -> float:
        """Return the seconds of one run."""
        began = time.perf_counter()
        subprocess.run(self.command, cwd=self.folder, check=True, capture_output=True)
        return time.perf_counter() - began


def median(way: Way, times: int, *, fresh: bool) -> float:
    """Return the median seconds of a way."""
    seconds = []
    for _ in range(times):
        if fresh:
            way.fresh()
        seconds.append(way.run())
    return statistics.median(seconds)


def bash(folder: Path, lines: Sequence[str], last: str) -> Way:
    """Return the steps as a plain script."""
    folder.mkdir(parents=True)
    (folder / "steps.sh").write_text("set -e\n" + "\n".join(lines) + "\n")
    return Way(
        "bash",
        ["bash", "steps.sh"],
        folder,
        lambda: None,
        (folder / last).read_text,
    )


def doit(folder: Path, program: Path, tasks: str, last: str) -> Way:
    """Return the steps as tasks of doit."""
    folder.mkdir(parents=True)
    (folder / "dodo.py").write_text(tasks)

    def _fresh() -> None:
        for path in folder.glob(".doit.db*"):
            path.unlink()

    return Way("doit", [str(program)], folder, _fresh, (folder / last).read_text)


def ours(folder: Path, text: str) -> Way:
    """Return the steps as a job file."""
    folder.mkdir(parents=True)
    (folder / "brinery.toml").touch()
    (folder / "pipeline.yml").write_text(text)

    def _fresh() -> None:
        remove(str(folder / ".brinery"))

    def _result() -> str:
        jobs = sorted(
            (folder / ".brinery" / "jobs").iterdir(), key=lambda each: each.stat().st_mtime
        )
        return (jobs[-1] / "named-outputs" / "final").read_text()

    command = [str(BRINERY), "job", "create", "-f", "pipeline.yml"]
    return Way("brinery", command, folder, _fresh, _result)


def five(folder: Path, program: Path) -> list[Way]:
    """Return five steps, one after the other, in every way."""
    python = sys.executable
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "step.py").write_text(STEP)
    (folder / "begin").write_text("begin")
    step = folder / "code" / "step.py"
    places = [str(folder / "begin"), *(f"o{number}" for number in range(1, 6))]
    lines = [f"{python} {step} {places[n]} {places[n + 1]} {n}" for n in range(5)]
    tasks = "def task_steps():\n" + "".join(
        f"    yield {{'name': '{n}', 'actions': [{lines[n]!r}], "
        f"'file_dep': [{places[n]!r}, {str(step)!r}], 'targets': [{places[n + 1]!r}]}}\n"
        for n in range(5)
    )
    text = "type: pipeline\ninputs:\n  begin: {type: uri_file, path: ../begin}\noutputs:\n"
    text += "  final: {type: uri_file}\njobs:\n"
    for n in range(5):
        source = f"${{{{parent.jobs.s{n - 1}.outputs.o}}}}" if n else "${{parent.inputs.begin}}"
        kept = "${{parent.outputs.final}}" if n == 4 else "{type: uri_file}"  # noqa: PLR2004
        text += f"  s{n}:\n    command: {python} step.py ${{{{inputs.i}}}} ${{{{outputs.o}}}} {n}\n"
        text += "    code: ../code\n    environment: {image: python}\n"
        text += f"    inputs: {{i: '{source}'}}\n"
        text += f"    outputs:\n      o: {kept}\n"
    return [
        bash(folder / "bash", lines, "o5"),
        doit(folder / "doit", program, tasks, "o5"),
        ours(folder / "ours", text),
    ]


def wide(folder: Path, program: Path) -> list[Way]:
    """Return many steps that one begins and one ends, in every way; ours read many files, too."""
    fan = WIDE - 2
    lines = ["echo 0 > first", *(f"cat first > m{n}" for n in range(fan)), "cat m* | wc -l > last"]
    lines = [f"sh -c '{line}'" for line in lines]
    tasks = f"""\
def task_first():
    return {{'actions': ['echo 0 > first'], 'targets': ['first']}}
def task_m():
    for n in range({fan}):
        yield {{'name': str(n), 'actions': [f'cat first > m{{n}}'], 'file_dep': ['first'],
               'targets': [f'm{{n}}']}}
def task_last():
    return {{'actions': ['cat m* | wc -l > last'], 'targets': ['last'],
            'file_dep': [f'm{{n}}' for n in range({fan})]}}
"""
    made = folder / "many"
    for number in range(FILES):
        below = made / str(number % 100)
        below.mkdir(parents=True, exist_ok=True)
        (below / str(number)).write_bytes(os.urandom(FILE_BYTES))
    text = """\
type: pipeline
inputs:
  many: {type: uri_folder, path: ../many}
outputs:
  final: {type: uri_file}
jobs:
  first:
    command: echo 0 > ${{outputs.o}}
    environment: {image: python}
    outputs:
      o: {type: uri_file}
"""
    for n in range(fan):
        text += f"""\
  m{n}:
    command: 'cat ${{{{inputs.i}}}} > ${{{{outputs.o}}}} # ${{{{inputs.n}}}} ${{{{inputs.many}}}}'
    environment: {{image: python}}
    inputs:
      n: {n}
      i: ${{{{parent.jobs.first.outputs.o}}}}
      many: ${{{{parent.inputs.many}}}}
    outputs:
      o: {{type: uri_file}}
"""
    names = " ".join(f"${{{{inputs.i{n}}}}}" for n in range(fan))
    text += f"""\
  last:
    command: cat {names} | wc -l > ${{{{outputs.o}}}}
    environment: {{image: python}}
    outputs:
      o: ${{{{parent.outputs.final}}}}
    inputs:
"""
    text += "".join(f"      i{n}: ${{{{parent.jobs.m{n}.outputs.o}}}}\n" for n in range(fan))
    return [
        bash(folder / "bash", lines, "last"),
        doit(folder / "doit", program, tasks, "last"),
        ours(folder / "ours", text),
    ]


def table(title: str, ways: Sequence[Way], times: int) -> None:
    """Print the seconds of each way, first and unchanged, after what they leave was compared."""
    for way in ways:
        way.fresh()
        way.run()
    left = {way.name: way.result() for way in ways}
    if len(set(left.values())) != 1:
        sys.exit(f"they leave different things: {left}")
    print(f"\n## {title}\n\n| | first, s | beside bash | nothing changed, s |\n|---|--:|--:|--:|")
    first = {way.name: median(way, times, fresh=True) for way in ways}
    again = {way.name: median(way, times, fresh=False) for way in ways}
    for way in ways:
        ratio = first[way.name] / first["bash"]
        print(f"| {way.name} | {first[way.name]:.2f} | {ratio:.2f} | {again[way.name]:.2f} |")


def large(folder: Path) -> None:
    """Print how fast a large file is hashed, beside BLAKE3 alone, and a second time."""
    path = folder / "large"
    block = os.urandom(1 << 20)
    with path.open("wb") as stream:
        for _ in range(LARGE_BYTES >> 20):
            stream.write(block)
    os.utime(path, (1, 1))
    fingerprints = Fingerprints(folder / "cache")
    seconds = []
    for _ in range(3):
        shutil.rmtree(folder / "cache", ignore_errors=True)
        began = time.perf_counter()
        fingerprints.of(str(path))
        seconds.append(time.perf_counter() - began)
    began = time.perf_counter()
    fingerprints.of(str(path))
    known = time.perf_counter() - began
    began = time.perf_counter()
    subprocess.run(["b3sum", str(path)], check=True, capture_output=True) if shutil.which(
        "b3sum"
    ) else _hash(path)
    floor = time.perf_counter() - began
    size = LARGE_BYTES / (1 << 30)
    print("\n## One file of 1 GiB\n\n| | s | GiB/s |\n|---|--:|--:|")
    print(f"| blake3, memory-mapped, one thread | {floor:.3f} | {size / floor:.2f} |")
    best = statistics.median(seconds)
    print(f"| ours, the first time | {best:.3f} | {size / best:.2f} |")
    print(f"| ours, the second time | {known:.4f} | not read |")


def _hash(path: Path) -> None:
    from blake3 import blake3

    blake3().update_mmap(path)


def main() -> None:
    """Print every table."""
    with tempfile.TemporaryDirectory(prefix="bench-pipeline-") as made:
        folder = Path(made)
        venv = folder / "venv"
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(venv)], check=True)
        python = str(venv / "bin" / "python")
        subprocess.run(["uv", "pip", "install", "-q", "--python", python, "doit"], check=True)
        program = venv / "bin" / "doit"
        load = os.getloadavg()[0]
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}")
        table("Five trivial steps", five(folder / "five", program), PAIRS)
        many = "1,000 trivial steps, fan-out and fan-in; ours with 10,000 input files"
        table(many, wide(folder / "wide", program), 1)
        large(folder)
        remove(made)
        folder.mkdir()


if __name__ == "__main__":
    main()
