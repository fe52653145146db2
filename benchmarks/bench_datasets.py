"""Datasets that a script reads and writes by `dataiku`, beside pandas and the original file.

The script runs by `brinery run`, so that each reading and writing asks the gateway and is recorded.
Within one process the sides take turns: `get_dataframe` and `pandas.read_csv` of the file that the
dataset was made of; `write_with_schema` and `DataFrame.to_parquet`. Goals: at least 3 times as
fast, and at most 1.5 times as long.

Equality first: the frames that both sides give are equal, and what was written is read as it was.

    python benchmarks/bench_datasets.py [CSV]

Without CSV the 4,521 rows of examples/bank, written one after the other until they are 45,211.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from pairing import Pairs, header

BANK = Path(__file__).parent.parent / "examples" / "bank" / "bank.csv"
BRINERY = str(Path(sys.executable).parent / "brinery")
ROWS = 45_211
RUNS = 21

SCRIPT = """
import json, os, time
import pandas as pd
import dataiku

CSV = ""
RUNS = 0
bank, copy = dataiku.Dataset("bank"), dataiku.Dataset("copy")

def read():
    return bank.get_dataframe()

def peer():
    return pd.read_csv(CSV, sep=";")

frame = peer()
pd.testing.assert_frame_equal(read(), frame)

def write(number):
    copy.write_with_schema(frame.assign(age=frame.age + number))

def parquet(number):
    frame.assign(age=frame.age + number).to_parquet("peer.parquet")

write(0)
pd.testing.assert_frame_equal(copy.get_dataframe(), frame)
parquet(0)

def timed(call, *arguments):
    begin, cpu = time.perf_counter(), time.process_time()
    call(*arguments)
    return time.perf_counter() - begin, time.process_time() - cpu

found = {"read": [], "read_csv": [], "write": [], "to_parquet": []}
for number in range(1, RUNS + 1):
    found["read"].append(timed(read))
    found["read_csv"].append(timed(peer))
    found["write"].append(timed(write, number))
    found["to_parquet"].append(timed(parquet, number))
with open("outputs/times.json", "w") as stream:
    json.dump({"pandas": pd.__version__, **found}, stream)
"""


def main() -> None:
    """Check, time, print."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        csv = work / "bank.csv"
        if len(sys.argv) > 1:
            csv.write_bytes(Path(sys.argv[1]).read_bytes())
        else:
            first, *rows = BANK.read_text(encoding="utf-8").splitlines()
            many = [rows[at % len(rows)] for at in range(ROWS)]
            csv.write_text("\n".join([first, *many, ""]), encoding="utf-8")
        (work / "recipe").mkdir()
        (work / "recipe" / "measure.py").write_text(SCRIPT, encoding="utf-8")
        ours = [BRINERY, "--workspace", folder]
        _done([*ours, "dataset", "create", "bank", "--path", str(csv), "--sep", ";"])
        sets = ["--set", f"CSV={csv}", "--set", f"RUNS={RUNS}", "--name", "measured"]
        _done([*ours, "run", str(work / "recipe" / "measure.py"), *sets])
        step = work / ".brinery" / "jobs" / "measured" / "steps" / "measure"
        times = step / "outputs" / "artifacts" / "outputs" / "times.json"
        found = json.loads(times.read_text(encoding="utf-8"))
    name = f"pandas {found['pandas']}"
    print(header())
    print(_pairs(found, "read", "read_csv").row("`get_dataframe`", f"`read_csv` ({name})"))
    print(_pairs(found, "write", "to_parquet").row("`write_with_schema`", f"`to_parquet` ({name})"))
    cpu = {side: median(cpu_s for _, cpu_s in found[side]) for side in found if side != "pandas"}
    faster = cpu["read_csv"] / cpu["read"]
    print(
        f"\nProcessor time of the script alone: read {faster:.1f} times as fast, written in "
        f"{cpu['write'] / cpu['to_parquet']:.2f} of the time."
    )


def _pairs(found: dict[str, list[list[float]]], ours: str, peer: str) -> Pairs:
    a, b = (tuple(wall_s for wall_s, _ in found[side]) for side in (ours, peer))
    return Pairs(a, b)


def _done(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")


if __name__ == "__main__":
    main()
