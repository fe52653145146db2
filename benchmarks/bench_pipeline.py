"""Jobs beside plain bash and doit: few steps, many steps, many files, one large file, environments.

    python benchmarks/bench_pipeline.py [FOLDER]

Whole processes, in turn (A B C A B C …), in a folder that is thrown away, below FOLDER where one is
given: what a file system takes for a small file is most of what a small step costs. What each way
leaves is compared before anything is timed. What a run left is moved aside for the next and removed
at the end: some file systems are slow to make files where others were just removed, and nothing is
removed before a first run. Of each round the ratios are taken, and of those the median: what else
goes on at the time is in both. doit is installed with uv.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from blake3 import blake3

from brinery.records.plan import Software
from brinery.store.copying import remove
from brinery.store.fingerprints import Fingerprints
from brinery.store.job_environments import JobEnvironments, Prepared

BRINERY = Path(sys.executable).parent / "brinery"
ROUNDS = 7
WIDE_ROUNDS = 3
ENVIRONMENTS = 3
FEW, MORE = 5, 25
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


PACKAGES = ("pandas==2.2.3", "scikit-learn==1.5.2", "click==8.1.8")
# What an environment of a job has beside what is declared.
TOOLS = ("pip", "setuptools<81", "wheel")


@dataclass(frozen=True)
class Took:
    """What a process took, with all it waited for.

    Attributes:
        wall_s: from its start to its end.
        cpu_s: of processors, in our name and the system's.
        peak_bytes: of memory, of the largest of them.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int


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

    def run(self) -> Took:
        """Return what one run took; what it has removed after its end is waited for."""
        began = time.perf_counter()
        process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{self.name} failed in {self.folder}")
        while any(self.folder.glob(".brinery/trash*")):
            time.sleep(0.05)
        return Took(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


@dataclass(frozen=True)
class Rounds:
    """What the ways took, round by round: by name, the first time and with nothing changed."""

    first: dict[str, list[Took]]
    again: dict[str, list[Took]]

    def beside(self, name: str, peer: str) -> tuple[float, float]:
        """Return the medians of what one took for a first run beside another of the same round.

        The first is of its time, the second of the processors'.
        """
        pairs = [*zip(self.first[name], self.first[peer], strict=True)]
        return (
            median(one.wall_s / other.wall_s for one, other in pairs),
            median(one.cpu_s / other.cpu_s for one, other in pairs),
        )


def rounds(ways: Sequence[Way], times: int) -> Rounds:
    """Return what the ways took, run in turn, after what they leave was compared."""
    for way in ways:
        way.fresh()
        way.run()
    left = {way.name: way.result() for way in ways}
    if len(set(left.values())) != 1:
        sys.exit(f"they leave different things: {left}")
    found = Rounds({way.name: [] for way in ways}, {way.name: [] for way in ways})
    for number in range(times):
        # Each is the first of a round as often as any other.
        at = number % len(ways)
        for way in (*ways[at:], *ways[:at]):
            way.fresh()
            found.first[way.name].append(way.run())
            found.again[way.name].append(way.run())
    return found


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

    aside = folder.with_name(f"{folder.name}-before")
    aside.mkdir()

    def _fresh() -> None:
        with suppress(FileNotFoundError):
            (folder / ".brinery").rename(aside / str(sum(1 for _ in aside.iterdir())))

    def _result() -> str:
        jobs = sorted(
            (folder / ".brinery" / "jobs").iterdir(), key=lambda each: each.stat().st_mtime
        )
        return (jobs[-1] / "named-outputs" / "final").read_text()

    command = [str(BRINERY), "job", "create", "-f", "pipeline.yml"]
    return Way("brinery", command, folder, _fresh, _result)


def chain(folder: Path, program: Path, count: int) -> list[Way]:
    """Return so many steps, one after the other, in every way."""
    python = sys.executable
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "step.py").write_text(STEP)
    (folder / "begin").write_text("begin")
    step = folder / "code" / "step.py"
    places = [str(folder / "begin"), *(f"o{number + 1}" for number in range(count))]
    lines = [f"{python} {step} {places[n]} {places[n + 1]} {n}" for n in range(count)]
    tasks = "def task_steps():\n" + "".join(
        f"    yield {{'name': '{n}', 'actions': [{lines[n]!r}], "
        f"'file_dep': [{places[n]!r}, {str(step)!r}], 'targets': [{places[n + 1]!r}]}}\n"
        for n in range(count)
    )
    text = "type: pipeline\ninputs:\n  begin: {type: uri_file, path: ../begin}\noutputs:\n"
    text += "  final: {type: uri_file}\njobs:\n"
    for n in range(count):
        source = f"${{{{parent.jobs.s{n - 1}.outputs.o}}}}" if n else "${{parent.inputs.begin}}"
        kept = "${{parent.outputs.final}}" if n == count - 1 else "{type: uri_file}"
        text += f"  s{n}:\n    command: {python} step.py ${{{{inputs.i}}}} ${{{{outputs.o}}}} {n}\n"
        text += "    code: ../code\n    environment: {image: python}\n"
        text += f"    inputs: {{i: '{source}'}}\n"
        text += f"    outputs:\n      o: {kept}\n"
    return [
        bash(folder / "bash", lines, f"o{count}"),
        doit(folder / "doit", program, tasks, f"o{count}"),
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


def table(title: str, found: Rounds) -> None:
    """Print what each way took, and what that is beside the others."""
    print(f"\n## {title}; load {os.getloadavg()[0]:.1f}\n")
    print("| | first, s | processors, s | beside bash | beside doit | nothing changed, s |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, first in found.first.items():
        wall, cpu = median(one.wall_s for one in first), median(one.cpu_s for one in first)
        again = median(one.wall_s for one in found.again[name])
        ratios = f"{found.beside(name, 'bash')[0]:.2f} | {found.beside(name, 'doit')[0]:.2f}"
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {ratios} | {again:.2f} |")
    by_cpu = [found.beside("brinery", peer)[1] for peer in ("bash", "doit")]
    peak = max(one.peak_bytes for one in found.first["brinery"]) >> 20
    idle = max(one.peak_bytes for one in found.again["brinery"]) >> 20
    print(f"\nOurs by processor time: {by_cpu[0]:.2f} times bash, {by_cpu[1]:.2f} times doit.")
    print(f"The largest process of ours took {peak} MB, {idle} MB where nothing changed.")


def each_step(few: Rounds, more: Rounds) -> None:
    """Print what one more step costs beyond its own process, which is what bash takes for it."""
    wall: dict[str, float] = {}
    cpu: dict[str, float] = {}
    for name in few.first:
        pairs = [*zip(few.first[name], more.first[name], strict=True)]
        wall[name] = median(b.wall_s - a.wall_s for a, b in pairs) / (MORE - FEW) * 1000
        cpu[name] = median(b.cpu_s - a.cpu_s for a, b in pairs) / (MORE - FEW) * 1000
    print(f"\n## One more step, beyond its own process; load {os.getloadavg()[0]:.1f}\n")
    print("| | ms | processors, ms |\n|---|--:|--:|")
    for name in ("doit", "brinery"):
        print(f"| {name} | {wall[name] - wall['bash']:.1f} | {cpu[name] - cpu['bash']:.1f} |")
    print(f"\nIts own process: {wall['bash']:.1f} ms, {cpu['bash']:.1f} ms of processors.")


def large(folder: Path) -> None:
    """Print how fast a large file is hashed, beside BLAKE3 alone, and a second time."""
    path = folder / "large"
    block = os.urandom(1 << 20)
    with path.open("wb") as stream:
        for _ in range(LARGE_BYTES >> 20):
            stream.write(block)
    os.utime(path, (1, 1))
    cache = folder / "cache"
    known: list[float] = []
    alone: list[float] = []
    ours: list[float] = []
    for number in range(6):
        shutil.rmtree(cache, ignore_errors=True)
        fingerprints = Fingerprints(cache)
        one = _timed(lambda: blake3(max_threads=blake3.AUTO).update_mmap(path))
        other = _timed(lambda: fingerprints.of(str(path)))  # noqa: B023 - called at once
        if number:
            alone.append(one)
            ours.append(other)
            known.append(_timed(lambda: fingerprints.of(str(path))))  # noqa: B023 - as above
    size = LARGE_BYTES / (1 << 30)
    rate = median(one / other for one, other in zip(alone, ours, strict=True))
    print(f"\n## One file of 1 GiB; load {os.getloadavg()[0]:.1f}")
    print("\n| | s | GiB/s |\n|---|--:|--:|")
    print(f"| BLAKE3 alone, all processors | {median(alone):.3f} | {size / median(alone):.2f} |")
    print(f"| ours, the first time | {median(ours):.3f} | {size / median(ours):.2f} |")
    print(f"| ours, the second time | {median(known):.4f} | not read |")
    print(f"\nOurs is at {rate:.0%} of the rate of BLAKE3 alone.")
    path.unlink()


def environments(folder: Path) -> None:
    """Print how long a new environment takes beside uv alone, from wheels that are there."""
    lines = "".join(f"\n    - {each}" for each in PACKAGES)
    software = Software(conda=f"dependencies:\n  - pip:{lines}\n")
    ours: list[float] = []
    alone: list[float] = []
    warm: list[float] = []
    for number in range(ENVIRONMENTS + 1):
        place = folder / f"environment-{number}"
        place.mkdir()
        one = _timed(lambda: _by_uv(place / "uv"))  # noqa: B023 - called at once
        other = _timed(lambda: _by_us(place, software))  # noqa: B023 - as above
        again = _timed(lambda: _by_us(place, software))  # noqa: B023 - as above
        made = _by_us(place, software)
        if set(made.lock) != _held(place / "uv"):
            sys.exit(f"they hold different things: {made.lock} and {_held(place / 'uv')}")
        if number:
            alone.append(one)
            ours.append(other)
            warm.append(again)
        # What is compiled beside the first step is waited for: it is in nobody's time.
        while not any(place.glob("ours/*/compiled")):
            time.sleep(0.05)
        remove(str(place))
    ratio = median(one / other for one, other in zip(ours, alone, strict=True))
    print(f"\n## An environment of {', '.join(PACKAGES)}; load {os.getloadavg()[0]:.1f}")
    print("\n| | s |\n|---|--:|")
    print(f"| `uv venv`, then `uv pip install` | {median(alone):.2f} |")
    print(f"| ours, new | {median(ours):.2f} |\n| ours, again | {median(warm):.4f} |")
    print(f"\nOurs, new, is {ratio:.2f} times uv.")


def _by_us(folder: Path, software: Software) -> Prepared:
    return JobEnvironments(folder / "ours", table={}).prepare(software)


def _by_uv(folder: Path) -> None:
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    subprocess.run(["uv", "venv", "-q", "--python", str(python), str(folder)], check=True)
    install = ["uv", "pip", "install", "-q", "--python", str(folder / "bin" / "python")]
    subprocess.run([*install, *PACKAGES, *TOOLS], check=True)


def _held(folder: Path) -> set[str]:
    found = folder.glob("lib/python*/site-packages/*.dist-info")
    parts = [path.stem.rpartition("-") for path in found]
    return {f"{name.lower().replace('_', '-')}=={version}" for name, _, version in parts}


def _timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def main() -> None:
    """Print every table."""
    above = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(prefix="bench-pipeline-", dir=above) as made:
        folder = Path(made)
        venv = folder / "venv"
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(venv)], check=True)
        python = str(venv / "bin" / "python")
        subprocess.run(["uv", "pip", "install", "-q", "--python", python, "doit"], check=True)
        program = venv / "bin" / "doit"
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, below {folder.parent}")
        few = rounds(chain(folder / "few", program, FEW), ROUNDS)
        table(f"{FEW} trivial steps, {ROUNDS} rounds", few)
        each_step(few, rounds(chain(folder / "more", program, MORE), ROUNDS))
        many = rounds(wide(folder / "wide", program), WIDE_ROUNDS)
        table(f"{WIDE:,} trivial steps, fan-out and fan-in; ours read {FILES:,} files", many)
        large(folder)
        environments(folder)
        remove(made)
        folder.mkdir()


if __name__ == "__main__":
    main()
