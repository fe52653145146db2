"""A million rows, Parquet to Parquet, beside `predict_proba` on rows that are in memory already.

Ours is the whole command, from the start of its Python to the end of its last part: it reads the
file, scores, and writes an id, the label and both probabilities. The peer is the demo's own pickle
in a process of its own: the clock runs for `predict_proba` only, on a frame that lies in memory,
once with the model's own `n_jobs=1` and once with `n_jobs=-1`. Both in turn, A B A B.

Equality first: every id is there once, the labels are identical, a probability differs by 1e-9 at
most. The memory is that of all processes of the command: the sum of their proportional set sizes
(PSS), sampled fifty times a second; the largest sum counts. Where others use the machine, the times
of the processors tell more than the clock: those of the whole command beside those of the call.

Goals: at least 0.9 of the speed of `predict_proba`; at most 600 MB.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import sklearn

import brinery

ROOT = Path(__file__).parent.parent
BRINERY = Path(sys.executable).parent / "brinery"
ROWS = 1_000_000
RUNS = 3
TOLERANCE = 1e-9
LEAST_RATIO, MOST_MB = 0.9, 600.0
SAMPLED_S = 0.02
MOST_JITTER = {"age": 4, "balance": 400, "duration": 40}
PEER = """
import pickle, sys, time
import numpy as np, pandas as pd
with open(sys.argv[1], "rb") as file:
    model = pickle.load(file)
frame = pd.read_parquet(sys.argv[2])
model.set_params(forest__n_jobs=int(sys.argv[3]))
model.predict_proba(frame.iloc[:1000])
began, busy = time.perf_counter(), time.process_time()
chances = model.predict_proba(frame)
print(time.perf_counter() - began, time.process_time() - busy)
if len(sys.argv) > 4:
    np.savez(sys.argv[4], chances=chances, labels=model.predict(frame).astype(str))
"""


class Run(NamedTuple):
    """One run of each."""

    clock: float
    busy: float
    memory_mb: float
    peers: tuple[tuple[float, float], ...]


def data(path: Path) -> None:
    """Write the demo's rows, repeated to a million and each a little different, with an id."""
    rng = np.random.default_rng(0)
    rows = pd.read_csv(ROOT / "examples" / "bank" / "bank.csv", sep=";").drop(columns="y")
    frame = rows.iloc[rng.integers(0, len(rows), ROWS)].reset_index(drop=True)
    for name, most in MOST_JITTER.items():
        frame[name] += rng.integers(-most, most + 1, ROWS)
    frame.insert(0, "id", rng.permutation(ROWS))
    frame.to_parquet(path)


def demo(folder: Path) -> None:
    """Fit the demo's model, and register it in a workspace."""
    spec = importlib.util.spec_from_file_location("train", ROOT / "examples" / "bank" / "train.py")
    if spec is None or spec.loader is None:
        sys.exit("the demo is not there")
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    train.main(folder)
    brinery.import_model(
        folder / "model.pkl", name="bank", data=folder / "test.csv", target="y", workspace=folder
    )


def theirs(folder: Path, jobs: int, *saved: Path) -> tuple[float, float]:
    """Return the seconds of `predict_proba`, by the clock and of the processors."""
    program = sys.executable, "-c", PEER
    done = subprocess.run(
        [*program, folder / "model.pkl", folder / "data.parquet", str(jobs), *saved],
        capture_output=True,
        text=True,
        check=True,
    )
    clock, busy = done.stdout.split()
    return float(clock), float(busy)


def ours(folder: Path, output: Path) -> tuple[float, float, float]:
    """Return the seconds of the whole command, by the clock and of the processors, and its MB."""
    command = [str(BRINERY), "--workspace", str(folder), "predict", "bank", "--keep", "id"]
    command += ["--data", str(folder / "data.parquet"), "--output", f"{output}/", "--overwrite"]
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE) as process:
        memory = Memory(process.pid)
        memory.start()
        _, said = process.communicate()
        seconds = time.perf_counter() - began
        memory.ended.set()
        memory.join()
    if process.returncode:
        sys.exit(said.decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, busy, memory.most_mb


class Memory(threading.Thread):
    """Samples the memory of a process and of those that it has begun.

    Attributes:
        most_mb: the most that they had at a time.
        ended: is set when there is nothing to sample any more.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.most_mb = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Sample until it is told to end."""
        while not self.ended.wait(SAMPLED_S):
            found = sum(_pss_kb(pid) for pid in _family(self._pid))
            self.most_mb = max(self.most_mb, found / 1e3)


def _family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for one in found:
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
            lines = [(task / "children").read_text() for task in tasks]
        except OSError:
            continue
        found.extend(int(child) for line in lines for child in line.split())
    return found


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def check(folder: Path, output: Path, peer: Any) -> float:
    """Return the largest difference of a probability; end where an id or a label differs."""
    made = pq.read_table(output).to_pandas()
    ids = pq.read_table(folder / "data.parquet", columns=["id"]).column("id").to_numpy()
    if len(made) != ROWS or (made["id"].to_numpy() != ids).any():
        sys.exit("a row is missing, or in another place")
    if (made["prediction"].to_numpy(dtype=str) != peer["labels"]).any():
        sys.exit("a label differs")
    chances = made[["probability_no", "probability_yes"]].to_numpy()
    difference = float(np.abs(chances - peer["chances"]).max())
    if difference > TOLERANCE:
        sys.exit(f"a probability differs by {difference:g}")
    return difference


def main() -> None:
    """Make the data, check, time, print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output = folder / "out"
        demo(folder)
        data(folder / "data.parquet")
        theirs(folder, -1, folder / "peer.npz")
        ours(folder, output)
        difference = check(folder, output, np.load(folder / "peer.npz"))
        rows = []
        for _ in range(RUNS):
            clock, busy, memory_mb = ours(folder, output)
            both = theirs(folder, 1), theirs(folder, -1)
            rows.append(Run(clock, busy, memory_mb, both))
    print(f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, ", end="")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{ROWS:,} rows equal, the largest difference of a probability is {difference:g}\n")
    print(
        "| peer | its s (of processors) | `brinery predict` s (of processors) | peer/ours | goal |"
    )
    print("|---|--:|--:|--:|--:|")
    own = f"{median(row.clock for row in rows):.2f} ({median(row.busy for row in rows):.2f})"
    for place, jobs in enumerate(("1, as the model has it", "-1")):
        peers = [row.peers[place] for row in rows]
        clock, busy = (median(peer[which] for peer in peers) for which in (0, 1))
        ratio = median(row.peers[place][0] / row.clock for row in rows)
        of_busy = median(row.peers[place][1] / row.busy for row in rows)
        cells = f"{clock:.2f} ({busy:.2f}) | {own} | {ratio:.2f} ({of_busy:.2f})"
        print(f"| `predict_proba`, n_jobs={jobs} | {cells} | {LEAST_RATIO if not place else ''} |")
    memory_mb = max(row.memory_mb for row in rows)
    print(f"\nmemory of all processes: {memory_mb:.0f} MB at most (goal {MOST_MB:.0f})")
    ratio = median(row.peers[0][0] / row.clock for row in rows)
    if ratio < LEAST_RATIO or memory_mb > MOST_MB:
        sys.exit("missed")


if __name__ == "__main__":
    main()
