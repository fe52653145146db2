"""`brinery package … --to gcf` beside the same function made by hand: size, start, memory.

The peer is made as a lesson on deployment has it: a pickled pipeline, a `main.py` with `predict`, a
`requirements.txt` and a zip file, mended where it would not run (an argument is missing there, an
import, and a number that JSON does not take). Both are started by functions-framework, each in a
fresh environment of its own requirements, in turn; a second measure calls the function without any
framework, as Lambda does. Both must give the same answers first.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import joblib
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import brinery
from brinery.package.writer import archive
from brinery.store import fresh

RUNS = 9
NAMES = {"cpu_s": "processor", "wall_s": "clock", "memory_mb": "memory"}
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MOST_SIZE, MOST_START = 1 / 4, 1 / 5
ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}

BY_HAND = """
import json
import joblib
import pandas as pd

FEATURES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]

def iris_prediction(sepal_length, sepal_width, petal_length, petal_width):
    with open("model.pkl", "rb") as f:
        model = joblib.load(f)
    X = [[sepal_length, sepal_width, petal_length, petal_width]]
    data = pd.DataFrame(X)
    data.columns = FEATURES
    predictions = model.predict(data)
    return {"predicted_class": int(predictions[0])}

def predict(request):
    return json.dumps(iris_prediction(**request.get_json(force=True)))
"""

# A request as a cloud gives it, without its framework.
CALL = """
import json, resource, sys
sys.path.insert(0, ".")
import main
body = json.dumps(json.loads(sys.argv[1])).encode()
class Request:
    method, path = "POST", "/"
    def get_data(self): return body
    def get_json(self, force=False): return json.loads(body)
answer = main.predict(Request())
answer = answer[0].decode() if isinstance(answer, tuple) else answer
used = resource.getrusage(resource.RUSAGE_SELF)
peak = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
print(json.dumps([json.loads(answer), used.ru_utime + used.ru_stime, int(peak) / 1024]))
"""
IMPORT = """
import resource, sys
sys.path.insert(0, ".")
import main
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""

# Whoever runs this may have told Python to write no bytecode.
SURROUNDINGS = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}


@dataclass(frozen=True)
class Function:
    """A package in the environment of its own requirements."""

    name: str
    folder: Path
    python: Path

    def zipped(self) -> float:
        """Return how many MB its archive is."""
        files = {str(p.relative_to(self.folder)): p.read_bytes() for p in self._own()}
        return len(archive(files)) / 1e6

    def unpacked(self) -> float:
        """Return how many MB it is where it runs, its requirements included."""
        return sum(p.stat().st_size for p in self._deployed()) / 1e6

    def deployed(self) -> float:
        """Return how many MB that is as one archive, which a cloud ships to a new machine."""
        files = {str(p): p.read_bytes() for p in self._deployed()}
        return len(archive(files)) / 1e6

    def _own(self) -> list[Path]:
        """Return its files that are deployed: those that its `.gcloudignore` does not leave out."""
        file = self.folder / ".gcloudignore"
        left = {line.strip("/") for line in file.read_text().split()} if file.is_file() else set()
        return [p for p in _files(self.folder) if p.relative_to(self.folder).parts[0] not in left]

    def _deployed(self) -> list[Path]:
        installed = next(self.python.parent.parent.glob("lib/python*/site-packages"))
        return [*self._own(), *_files(installed)]


@dataclass(frozen=True)
class Start:
    """One start: seconds of the processor and of the clock to the first answer, and MB then."""

    cpu_s: float
    wall_s: float
    memory_mb: float


def served(function: Function) -> Start:
    """Return a start under functions-framework, until its first answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    program = str(function.python.parent / "functions-framework")
    arguments = ["--target", "predict", "--host", "127.0.0.1", "--port", str(port)]
    began = time.perf_counter()
    with subprocess.Popen(
        [program, *arguments],
        cwd=function.folder,
        env=SURROUNDINGS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            while (answer := _asked(port, ROW)) is None:
                if process.poll() is not None:
                    sys.exit(f"{function.name} ends at its start")
                time.sleep(0.01)
            wall_s = time.perf_counter() - began
            if answer != {"predicted_class": 0}:
                sys.exit(f"{function.name} answers {answer}")
            cpu_s, memory_mb = _group(process.pid)
            return Start(cpu_s, wall_s, memory_mb)
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def called(function: Function) -> Start:
    """Return a start without a framework: the module is imported, and its function is called."""
    began = time.perf_counter()
    told = _run(function, CALL, json.dumps(ROW))
    answer, cpu_s, memory_mb = json.loads(told)
    if answer != {"predicted_class": 0}:
        sys.exit(f"{function.name} answers {answer}")
    return Start(cpu_s, time.perf_counter() - began, memory_mb)


def imported(function: Function) -> Start:
    """Return what the import of `main` costs."""
    began = time.perf_counter()
    cpu_s = float(_run(function, IMPORT))
    return Start(cpu_s, time.perf_counter() - began, 0.0)


def _run(function: Function, program: str, *arguments: str) -> str:
    command = [str(function.python), "-c", program, *arguments]
    done = subprocess.run(
        command, cwd=function.folder, env=SURROUNDINGS, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{function.name}: {done.stderr}")
    return done.stdout


def _asked(port: int, row: dict[str, float]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/",
        data=json.dumps(row).encode(),
        headers={"content-type": "application/json"},
    )
    with suppress(OSError), urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        return json.load(answer)
    return None


def _group(group: int) -> tuple[float, float]:
    """Return seconds of the processor that a process group has used, and its MB of memory."""
    ticks, kilobytes = 0, 0
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                ticks += int(fields[11]) + int(fields[12])
                rollup = (place / "smaps_rollup").read_text().split("Pss:")[1]
                kilobytes += int(rollup.split()[0])
    return ticks / os.sysconf("SC_CLK_TCK"), kilobytes / 1024


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


@contextmanager
def functions() -> Iterator[tuple[Function, Function]]:
    """Yield ours and the one made by hand."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Path(folder)
        by_hand, ours = place / "by_hand", place / "ours"
        by_hand.mkdir()
        data = load_iris()
        features = pd.DataFrame(data.data, columns=data.feature_names)
        model = Pipeline([("scaler", StandardScaler()), ("model", LogisticRegression())])
        joblib.dump(model.fit(features, data.target), by_hand / "model.pkl")
        (by_hand / "main.py").write_text(BY_HAND)
        needs = ("scikit-learn", "joblib", "pandas")
        pinned = [f"{name}=={metadata.version(name)}" for name in needs]
        _, text = fresh.pins([*pinned, "functions-framework"], python=PYTHON)
        (by_hand / "requirements.txt").write_text(text)
        features.assign(y=data.target).to_csv(place / "iris.csv", index=False)
        brinery.import_model(
            by_hand / "model.pkl", name="iris", data=place / "iris.csv", target="y", workspace=place
        )
        brinery.package_model("iris", to="gcf", output=ours, workspace=place)
        shutil.rmtree(place / ".brinery", ignore_errors=True)
        made = []
        for name, each in (("brinery package", ours), ("by hand", by_hand)):
            requirements = (each / "requirements.txt").read_text()
            python = stack.enter_context(fresh.environment(requirements, python=PYTHON))
            # Bytecode is written when a platform builds an image; both have it.
            _run(Function(name, each, python), "import main")
            made.append(Function(name, each, python))
        yield made[0], made[1]


def measured(
    measure: Callable[[Function], Start], ours: Function, theirs: Function
) -> list[tuple[Start, Start]]:
    """Return starts of both, in turn: what a busy machine does to one, it does to the other."""
    return [(measure(ours), measure(theirs)) for _ in range(RUNS)]


def paired(what: str, pairs: list[tuple[float, float]], *, unit: str) -> float:
    """Return the median of the ratios of pairs, and print it."""
    ratio = median(mine / other for mine, other in pairs)
    mine, other = median(m for m, _ in pairs), median(o for _, o in pairs)
    print(f"| {what} | {mine:.3g} {unit} | {other:.3g} {unit} | {ratio:.3f} |")
    return ratio


def row(what: str, ours: float, theirs: float, *, unit: str) -> float:
    """Return a ratio, and print it."""
    ratio = ours / theirs
    print(f"| {what} | {ours:.3g} {unit} | {theirs:.3g} {unit} | {ratio:.3f} |")
    return ratio


def main() -> None:
    """Check, measure, print; end with an error where a goal is missed."""
    with functions() as (ours, theirs):
        print("| | `brinery package` | by hand | ratio |\n|---|--:|--:|--:|")
        row("archive, without what it needs", ours.zipped(), theirs.zipped(), unit="MB")
        size = row("deployed, as one archive", ours.deployed(), theirs.deployed(), unit="MB")
        unpacked = row("deployed, unpacked", ours.unpacked(), theirs.unpacked(), unit="MB")
        ratios = {}
        for name, measure in (
            ("import of `main`", imported),
            ("cold start to first answer, called as Lambda does", called),
            ("cold start to first answer, functions-framework", served),
        ):
            starts = measured(measure, ours, theirs)
            for what, unit in (("cpu_s", "s"), ("wall_s", "s"), ("memory_mb", "MB")):
                pairs = [(getattr(mine, what), getattr(other, what)) for mine, other in starts]
                if all(other for _, other in pairs):
                    ratios[f"{name}, {NAMES[what]}"] = paired(
                        f"{name}, {NAMES[what]}", pairs, unit=unit
                    )
    goals = {
        what: ratio
        for what, ratio in ratios.items()
        if what.startswith("cold start") and not what.endswith(NAMES["memory_mb"])
    }
    missed = [f"{what}: {ratio:.3f}" for what, ratio in goals.items() if ratio > MOST_START]
    missed += [f"size: {ratio:.3f}" for ratio in (size, unpacked) if ratio > MOST_SIZE]
    print(f"\ngoals: size at most {MOST_SIZE:.2f}, cold start at most {MOST_START:.2f}")
    if missed:
        print(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
