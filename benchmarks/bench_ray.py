"""What a step costs on a Ray cluster, beside the same step on this machine.

    python benchmarks/bench_ray.py

One chain of steps that do nothing, so that each waits for the one before it; the cluster is one of
this machine, and is joined before anything is timed. In turn (A B A B …), medians of each turn's
ratio.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from pathlib import Path

import ray

from brinery.actions.job import How, run_plan
from brinery.actions.job_rooms import open_job_rooms
from brinery.records.job import JobRun, Status
from brinery.records.plan import Output, Plan, Produced, Step

STEPS = 15
TURNS = 5


def chain() -> Plan:
    """Return a plan of steps, each of which waits for the one before it."""
    steps: list[Step] = []
    for number in range(STEPS):
        feeds = {"i": Produced(step=f"s{number - 1}", output="o")} if number else {}
        steps.append(
            Step(
                name=f"s{number}",
                command="echo ${{name}} > ${{outputs.o}}/word",
                inputs=dict(feeds),
                outputs={"o": Output()},
            )
        )
    return Plan(name="", pipeline=True, steps=tuple(steps), force_rerun=True)


def seconds(folder: Path, runner: str, address: str) -> float:
    """Return how long a step of the chain takes on a runner."""
    rooms = open_job_rooms(folder, environment="current")
    running = run_plan(rooms, chain(), how=How(runner=runner, address=address))
    began = time.perf_counter()
    while True:
        try:
            next(running)
        except StopIteration as end:
            job: JobRun = end.value
            break
    if job.status is not Status.COMPLETED:
        raise SystemExit(job.error)
    return (time.perf_counter() - began) / STEPS


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "brinery.toml").touch()
        began = time.perf_counter()
        cluster = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        started = time.perf_counter() - began
        address = cluster.address_info["gcs_address"]
        rows: dict[str, list[float]] = {"local": [], "ray": []}
        for turn in range(TURNS + 1):
            for runner, found in rows.items():
                took = seconds(folder, runner, address if runner == "ray" else "")
                # The first turn fills caches, and has Ray start its workers.
                if turn:
                    found.append(took)
        ray.shutdown()
    ratio = statistics.median(b / a for a, b in zip(rows["local"], rows["ray"], strict=True))
    print(f"Python {platform.python_version()}, Ray {ray.__version__}, {STEPS} steps in a row\n")
    print("| a step that does nothing | s | beside this machine |")
    print("|---|--:|--:|")
    print(f"| on this machine | {statistics.median(rows['local']):.3f} | 1.00 |")
    print(f"| on a cluster | {statistics.median(rows['ray']):.3f} | {ratio:.2f} |")
    print(f"\nA cluster on this machine took {started:.1f} s to start.")


if __name__ == "__main__":
    main()
