"""Jobs whose journals tests write: as the engine writes them, without its processes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from brinery.actions.asset_rooms import open_asset_rooms
from brinery.records.job import Made, Status, StepRun, Usage
from brinery.records.plan import (
    Dimension,
    Output,
    Plan,
    Produced,
    Step,
    StepKind,
    Sweep,
    Text,
    Value,
)
from brinery.records.trials import Trial, Trials
from brinery.store.jobs import Begun

BEGUN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "\"'>",
    "..%2f..%2fetc%2fpasswd",
    "ünïcode 名",
    "l" * 250,
]


def plan_of(names: Sequence[str], *, name: str = "j", **settings: object) -> Plan:
    """Return a plan of steps, each fed by the one before it."""
    steps = [
        Step(
            name=one,
            command="echo ${{inputs.rate}}",
            inputs={
                "rate": Text(text="0.1"),
                **({"data": Produced(step=names[at - 1], output="o")} if at else {}),
            },
            outputs={"o": Output()},
            variables={"MODE": "fast"},
        )
        for at, one in enumerate(names)
    ]
    return Plan(name=name, pipeline=True, steps=tuple(steps), **settings)  # type: ignore[arg-type]


def write(
    workspace: Path,
    plan: Plan,
    runs: Sequence[StepRun] = (),
    *,
    status: Status | None = Status.COMPLETED,
    error: str = "",
) -> str:
    """Write a job, which nobody runs, and return its name; one without a status is not over."""
    jobs = open_asset_rooms(workspace).jobs
    begun = Begun(name=plan.name, created=BEGUN, who="ada")
    with jobs.create(plan, begun) as journal:
        for run in runs:
            journal.step(run)
        if status is not None:
            journal.ended(status, error=error)
    return plan.name


def ran(name: str, *, after_s: float = 0.0, took_s: float = 1.5, **others: object) -> StepRun:
    """Return a step that completed."""
    begun = BEGUN + timedelta(seconds=after_s)
    told = {
        "status": Status.COMPLETED,
        "started": begun,
        "ended": begun + timedelta(seconds=took_s),
        "exit_status": 0,
        "why": "it was not run before",
        "usage": Usage(wall_s=took_s, cpu_s=took_s / 2, peak_bytes=50_000_000),
        "attempts": 1,
        **others,
    }
    return StepRun(name=name, **told)  # type: ignore[arg-type]


def log_of(workspace: Path, job: str, step: str, *, lines: Sequence[str]) -> Path:
    """Write the log of a step, and return it."""
    file = open_asset_rooms(workspace).jobs.path(job) / "steps" / step / "logs" / "std_log.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"2026-01-02T03:04:05.678901Z {line}\n" for line in lines))
    return file


def left(folder: Path, **files: bytes) -> Made:
    """Return an output with files; `__` in a name stands for `/`, `_` before a suffix for `.`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    size = sum(len(content) for content in files.values())
    return Made(content="c", path=str(folder), file=False, size_bytes=size, files=len(files))


def sweep(workspace: Path, *, name: str = "sweep") -> str:
    """Write a job that is a sweep of six trials, and return its name."""
    declared = Sweep(
        space={
            "rate": Dimension(kind="uniform", low=0.0, high=1.0),
            "kind": Dimension(kind="choice", values=("a", "b")),
        },
        sampling="random",
        goal="minimize",
        metric="loss",
        trials=6,
        concurrent=2,
    )
    step = Step(name="tune", kind=StepKind.SWEEP, command="echo", sweep=declared)
    plan = Plan(name=name, pipeline=False, steps=(step,))
    write(workspace, plan, [ran("tune")])
    trials = Trials(
        sweep=declared,
        seed=7,
        best=2,
        trials=tuple(
            Trial(
                number=at,
                values={"rate": f"{at / 6:.2f}", "kind": "ab"[at % 2]},
                place=(at / 6, at % 2 / 2 + 0.25),
                status=Status.CANCELED if at == 5 else Status.COMPLETED,
                metrics=() if at == 4 else (1.0, abs(at - 2) / 3 + 0.1),
            )
            for at in range(6)
        ),
    )
    folder = open_asset_rooms(workspace).jobs.path(name) / "steps" / "tune"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trials.json").write_bytes(msgspec.json.encode(trials))
    return name


def large(workspace: Path, *, name: str = "large", nested: bool = True) -> str:
    """Write a job of 500 steps in ten pipelines, half of it over, and return its name."""
    steps: list[Step] = []
    for at in range(500):
        group, number = divmod(at, 50)
        before = [steps[-1].name] if number else []
        before += [steps[at - 50].name] if group and number % 7 == 0 else []
        inner = f"part{group}.s{number}" if nested else f"part{group}_s{number}"
        fed: dict[str, Value] = {
            f"i{k}": Produced(step=one, output="o") for k, one in enumerate(before)
        }
        steps.append(Step(name=inner, command="true", inputs=fed, outputs={"o": Output()}))
    plan = Plan(name=name, pipeline=True, steps=tuple(steps), display_name="five hundred steps")
    runs = [ran(step.name, after_s=at, took_s=1 + at % 7) for at, step in enumerate(steps[:250])]
    return write(workspace, plan, runs, status=None)
